/**
 * The close codes of docs/protocol.md, and what a page does after each. The rule holds for codes that nobody has
 * thought of yet: 4000–4499 come back, 4500–4999 do not.
 *
 * @typedef {"resume" | "reconnect" | "stop"} CloseAction
 *   `resume` comes back and asks for what was missed, `reconnect` comes back as somebody new, `stop` stays away.
 * @typedef {"none" | "home" | "login" | "reload" | "here"} NextStep what the person can do then; `here`:
 *   take back what goes on elsewhere
 * @typedef {{name: string, action: CloseAction, next: NextStep}} CloseRule
 */

/** @type {Readonly<Record<number, CloseRule>>} */
export const CLOSE_CODES = Object.freeze({
  1000: { name: "normal", action: "stop", next: "none" },
  1001: { name: "going_away", action: "resume", next: "none" },
  1002: { name: "protocol_error", action: "stop", next: "reload" },
  1003: { name: "unsupported_data", action: "stop", next: "reload" },
  1007: { name: "invalid_text", action: "stop", next: "reload" },
  1009: { name: "too_big", action: "stop", next: "reload" },
  1011: { name: "internal_error", action: "reconnect", next: "none" },
  4001: { name: "draining", action: "resume", next: "none" },
  4003: { name: "token_expired", action: "resume", next: "none" },
  4004: { name: "slow_consumer", action: "resume", next: "none" },
  4005: { name: "heartbeat_missed", action: "resume", next: "none" },
  4006: { name: "state_lost", action: "reconnect", next: "none" },
  4008: { name: "rate_limited", action: "resume", next: "none" },
  4009: { name: "unavailable", action: "reconnect", next: "none" },
  4500: { name: "auth_timeout", action: "stop", next: "reload" },
  4501: { name: "unauthenticated", action: "stop", next: "login" },
  4503: { name: "bad_messages", action: "stop", next: "reload" },
  4504: { name: "replaced", action: "stop", next: "here" },
  4505: { name: "too_many_connections", action: "stop", next: "reload" },
  4506: { name: "signed_out", action: "stop", next: "login" },
  4507: { name: "forbidden", action: "stop", next: "home" },
  4508: { name: "ended", action: "stop", next: "home" },
  4509: { name: "not_found", action: "stop", next: "home" },
  4510: { name: "no_such_endpoint", action: "stop", next: "reload" },
});

/**
 * @param {number} code as seen in the browser's close event, 1005 and 1006 included
 * @returns {CloseRule}
 */
export function closeRule(code) {
  const known = CLOSE_CODES[code];
  if (known) return known;
  if (code >= 4500 && code <= 4999) return { name: "unknown", action: "stop", next: "reload" };
  return { name: "unknown", action: "resume", next: "none" };
}
