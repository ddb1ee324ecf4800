/**
 * Sentences in the person's language. The page carries the translations of its scripts in an element `messages`, from
 * the English sentence to the translated one; a page in English carries none.
 *
 * @typedef {Record<string, string | number>} Values
 */

/** @type {Record<string, string | string[]>} */
const messages = JSON.parse(globalThis.document?.getElementById("messages")?.textContent || "{}");

/**
 * @param {string} message in English; what varies in it stands as `%(name)s`
 * @param {Values} [values] what is put in their places
 * @returns {string} the same in the person's language, or in English where it has not been translated
 */
export function _(message, values = {}) {
  const translated = messages[message] ?? message;
  return fill(Array.isArray(translated) ? translated[0] : translated, values);
}

/**
 * @param {string} one the sentence for one, in English
 * @param {string} many the sentence for any other number
 * @param {number} count also filled in as `%(count)s`
 * @param {Values} [values]
 * @returns {string}
 */
export function ngettext(one, many, count, values = {}) {
  const translated = messages[one];
  const forms = Array.isArray(translated) ? translated : [one, many];
  return fill(count === 1 ? forms[0] : (forms.at(-1) ?? many), { count, ...values });
}

/** Marks that turn the direction in which the text around them is read. */
const TURNING = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;
const RIGHT_TO_LEFT = /[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}]/u;

/** A place in a sentence, with the space that sets a filled-in Latin word apart from the Chinese ones around it. */
const PLACE = /((?<=\p{Script=Han}) )?%\((\w+)\)s( (?=\p{Script=Han}))?/gu;
const BEGINS_HAN = /^\p{Script=Han}/u;
const ENDS_HAN = /\p{Script=Han}$/u;

/**
 * Between two Chinese characters stands no space.
 *
 * @param {string} sentence
 * @param {Values} values
 */
function fill(sentence, values) {
  return sentence.replace(PLACE, (whole, before = "", name, after = "") => {
    if (!(name in values)) return whole;
    const value = isolated(String(values[name]));
    return (BEGINS_HAN.test(value) ? "" : before) + value + (ENDS_HAN.test(value) ? "" : after);
  });
}

/**
 * A name as it can stand in a sentence or a title: it turns nothing but itself.
 *
 * @param {string} value
 */
export function isolated(value) {
  const plain = value.replace(TURNING, "");
  return plain !== value || RIGHT_TO_LEFT.test(plain) ? `\u2068${plain}\u2069` : value; // FSI … PDI, Unicode UAX #9
}
