/**
 * The beginning of a reply as it stands in a list: its words, without the marks of Markdown and the numbers of sources.
 *
 * @param {string} text
 * @returns {string}
 */
export function previewOf(text) {
  return text
    .replace(/\s*\[\d+\]/gu, "")
    .replace(/[>*`#[\]]|(?<![\p{L}\p{N}_])_+|_+(?![\p{L}\p{N}_])/gu, ""); // a name may have a _ inside
}
