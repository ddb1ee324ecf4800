/** Times and names as people read them, in the language of the page. */
import { _ } from "../i18n.js";

const TINTS = 8;

/**
 * @param {number} totalS
 * @returns {string} "0:07", "12:30", "1:02:03"
 */
export function duration(totalS) {
  const whole = Math.max(0, Math.floor(totalS));
  const [hours, minutes, seconds] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (/** @type {number} */ number) => String(number).padStart(2, "0");
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds)}` : `${minutes}:${two(seconds)}`;
}

/**
 * @param {number} totalS
 * @param {string} locale
 * @returns {string} how long it was, in the largest unit that fits: "40 seconds", "7 minutes", "2 hours"
 */
export function spanOf(totalS, locale) {
  const [value, unit] =
    totalS < 60 ? [totalS, "second"] : totalS < 3600 ? [totalS / 60, "minute"] : [totalS / 3600, "hour"];
  const style = /** @type {Intl.NumberFormatOptions} */ ({ style: "unit", unit, unitDisplay: "long" });
  return new Intl.NumberFormat(locale, style).format(Math.max(1, Math.round(value)));
}

const UNITS = ["kilobyte", "megabyte", "gigabyte"];

/**
 * @param {number} bytes
 * @param {string} locale
 * @returns {string} "12 MB"
 */
export function fileSize(bytes, locale) {
  const step = Math.min(UNITS.length, Math.max(1, Math.floor(Math.log10(Math.max(1, bytes)) / 3)));
  const style = { style: "unit", unit: UNITS[step - 1], maximumFractionDigits: bytes < 10 * 1000 ** step ? 1 : 0 };
  return new Intl.NumberFormat(locale, /** @type {Intl.NumberFormatOptions} */ (style)).format(bytes / 1000 ** step);
}

/**
 * @param {Date} when
 * @param {Date} now
 * @param {string} locale
 * @returns {string} "Today, 14:05", "Yesterday, 09:12", "Mon, 3 Nov, 18:40"
 */
export function moment(when, now, locale) {
  return _("%(day)s, %(time)s", { day: day(when, now, locale), time: timeOfDay(when, locale) });
}

/**
 * @param {Date} when
 * @param {string} locale
 * @returns {string} "14:05"
 */
export function timeOfDay(when, locale) {
  return new Intl.DateTimeFormat(locale, { hour: "numeric", minute: "2-digit" }).format(when);
}

/**
 * @param {Date} when
 * @param {string} locale
 * @returns {string} "14:05:31"
 */
export function clockTime(when, locale) {
  return new Intl.DateTimeFormat(locale, { hour: "numeric", minute: "2-digit", second: "2-digit" }).format(when);
}

/**
 * @param {Date} when
 * @param {Date} now
 * @param {string} locale
 * @returns {string} "Today", "Yesterday", "Monday, 3 November"
 */
export function dayName(when, now, locale) {
  return day(when, now, locale, "long");
}

/**
 * @param {Date} when
 * @param {Date} now
 * @param {string} locale
 * @param {"short" | "long"} [length]
 */
function day(when, now, locale, length = "short") {
  const yesterday = new Date(now);
  yesterday.setDate(now.getDate() - 1);
  if (when.toDateString() === now.toDateString()) return _("Today");
  if (when.toDateString() === yesterday.toDateString()) return _("Yesterday");
  const year = when.getFullYear() === now.getFullYear() ? undefined : "numeric";
  return new Intl.DateTimeFormat(locale, { weekday: length, day: "numeric", month: length, year }).format(when);
}

/**
 * @param {string} displayName
 * @returns {string} one or two letters
 */
export function initials(displayName) {
  const letters = displayName.split(/\s+/u).filter(Boolean).slice(0, 2).map((word) => [...word][0]);
  return letters.join("").toUpperCase();
}

/**
 * The colour of a person's avatar: the same everywhere, also in what the server renders.
 *
 * @param {string} username
 * @returns {string} a class name
 */
export function tint(username) {
  const sum = [...username.toLowerCase()].reduce((total, letter) => total + /** @type {number} */ (letter.codePointAt(0)), 0);
  return `tint-${sum % TINTS}`;
}
