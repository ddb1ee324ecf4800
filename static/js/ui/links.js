/**
 * Addresses in what people write become links, and nothing else of it becomes anything: only http and https, opened
 * without telling the other page where one came from, or giving it a hand on this one.
 */

/** Up to the next space, or what does not belong into an address. */
const ADDRESS = /https?:\/\/[^\s<>"“”]+/gi;
/** What ends a sentence does not belong to the address before it. */
const AFTER = /[.,;:!?'’…。，；：！？]+$/u;

/**
 * @param {string} text
 * @returns {{text: string, href: string | null}[]} all of it, piece by piece
 */
export function pieces(text) {
  const found = [];
  let end = 0;
  for (const match of text.matchAll(ADDRESS)) {
    const address = trimmed(match[0]);
    const href = safeAddress(address);
    if (!href) continue;
    if (match.index > end) found.push({ text: text.slice(end, match.index), href: null });
    found.push({ text: address, href });
    end = match.index + address.length;
  }
  if (end < text.length) found.push({ text: text.slice(end), href: null });
  return found;
}

/**
 * @param {string} text
 * @returns {(string | HTMLAnchorElement)[]} to be appended: text as text, addresses as links
 */
export function linked(text) {
  return pieces(text).map(({ text, href }) => {
    if (href === null) return text;
    const link = outwardLink(href);
    link.textContent = text;
    return link;
  });
}

/** @param {string} href that is safe @returns {HTMLAnchorElement} without its words */
export function outwardLink(href) {
  const link = document.createElement("a");
  link.href = href;
  link.target = "_blank";
  link.rel = "noopener noreferrer";
  return link;
}

/** @param {string} address @returns {string} without what belongs to the sentence, a bracket that was opened before, say */
function trimmed(address) {
  let rest = address.replace(AFTER, "");
  for (const [open, close] of ["()", "[]", "{}", "（）"]) {
    while (rest.endsWith(close) && rest.split(close).length > rest.split(open).length) {
      rest = rest.slice(0, -1).replace(AFTER, "");
    }
  }
  return rest;
}

/** @param {string} address @returns {string | null} null for what is no address of the web */
export function safeAddress(address) {
  try {
    const { protocol, href, username, password } = new URL(address);
    // A name before an @ makes an address look like another one.
    return (protocol === "http:" || protocol === "https:") && !username && !password ? href : null;
  } catch {
    return null;
  }
}
