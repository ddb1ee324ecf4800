/**
 * Markdown as elements. What a book, a model or another person wrote may try anything: a parser makes tokens of it, each
 * token becomes an element of a short list, and its text goes in as text. HTML in it stays text, pictures are told by
 * their words, and a link that does not lead to the web is its words alone.
 *
 * @typedef {{type: string, tag: string, nesting: number, level: number, content: string, hidden: boolean,
 *   map: [number, number] | null, children: Token[] | null, attrGet: (name: string) => string | null}} Token of markdown-it
 *
 * @typedef {object} MarkdownOptions
 * @property {number} [headings] the level of its first heading on this page, 3 unless said otherwise
 * @property {(number: number) => Node | null} [cite] what stands for “[2]”; null leaves it as it is
 */
import { outwardLink, safeAddress } from "./links.js";

/** Longer ones are shown as they were written: nobody waits for a page that reads a book at once. */
const MAX_CHARACTERS = 400_000;
/** Deeper nesting means nothing to a reader, and costs a browser much. */
const MAX_NESTING = 20;
const LAST_HEADING = 6;
const CITATION = /\[(\d{1,3})\]/g;
const HAN = /[\p{Script=Han}，。、；：！？）」』”]/u;

/** What opens and closes, as elements. @type {Record<string, string>} */
const PAIRED = {
  paragraph: "p",
  blockquote: "blockquote",
  bullet_list: "ul",
  ordered_list: "ol",
  list_item: "li",
  thead: "thead",
  tbody: "tbody",
  tr: "tr",
  th: "th",
  td: "td",
  em: "em",
  strong: "strong",
  s: "s",
};

// By an address that no bundler or checker follows: the file is fetched when the package is built.
const PARSER = new URL("../../vendor/markdown-it/markdown-it.mjs", import.meta.url).href;
const { default: MarkdownIt } = await import(PARSER);
const parser = new MarkdownIt({ html: false, linkify: true, maxNesting: MAX_NESTING });
// What is no link for us is its words alone, and not the brackets around them; see `linkOf`.
parser.validateLink = () => true;
// “server.py” is no address.
parser.linkify.set({ fuzzyLink: false, fuzzyEmail: false, fuzzyIP: false });

/**
 * @param {string} text
 * @param {MarkdownOptions} [options]
 * @returns {DocumentFragment}
 */
export function markdown(text, options = {}) {
  const whole = document.createDocumentFragment();
  for (const { nodes } of blocksOf(text, options)) whole.append(...nodes());
  return whole;
}

/** A text that grows while it is read: what has not changed stays the same element, keeps its selection, and is not read out again. */
export class GrowingMarkdown {
  #root;
  #options;
  /** @type {{key: string, nodes: Node[]}[]} */
  #drawn = [];

  /**
   * @param {HTMLElement} root whose contents it is
   * @param {MarkdownOptions} [options]
   */
  constructor(root, options = {}) {
    this.#root = root;
    this.#options = options;
  }

  /** @param {string} text all of it so far */
  show(text) {
    const blocks = blocksOf(text, this.#options);
    const same = blocks.findIndex(({ key }, at) => this.#drawn[at]?.key !== key);
    const kept = same < 0 ? Math.min(blocks.length, this.#drawn.length) : same;
    for (const { nodes } of this.#drawn.splice(kept)) for (const node of nodes) node.parentNode?.removeChild(node);
    for (const { key, nodes } of blocks.slice(kept)) {
      const made = nodes();
      this.#root.append(...made);
      this.#drawn.push({ key, nodes: made });
    }
  }

  /** Forgets what was drawn: the next `show` draws all of it, with other citations. */
  forget() {
    this.#drawn = [];
    this.#root.replaceChildren();
  }
}

/**
 * @param {string} text
 * @param {MarkdownOptions} options
 * @returns {{key: string, nodes: () => Node[]}[]} the blocks that stand beside each other; equal keys, equal looks
 */
function blocksOf(text, options) {
  if (text.length > MAX_CHARACTERS) return [{ key: text, nodes: () => [plain(text)] }];
  const env = {};
  /** @type {Token[]} */
  const tokens = parser.parse(text, env);
  const lines = text.split("\n");
  const references = JSON.stringify(env);
  const blocks = [];
  for (let begin = 0; begin < tokens.length; ) {
    let end = begin + 1;
    while (end < tokens.length && !(tokens[end - 1].level === 0 && tokens[end - 1].nesting < 1)) end += 1;
    const block = tokens.slice(begin, end);
    const [first, last] = block[0].map ?? [0, lines.length];
    const key = `${block[0].type}\n${references}\n${lines.slice(first, last).join("\n")}`;
    blocks.push({ key, nodes: () => draw(block, options) });
    begin = end;
  }
  return blocks;
}

/** @param {string} text */
function plain(text) {
  const element = document.createElement("p");
  element.className = "markdown-plain";
  element.textContent = text;
  return element;
}

/**
 * @param {Token[]} tokens
 * @param {MarkdownOptions} options
 * @returns {Node[]}
 */
function draw(tokens, options) {
  const whole = document.createDocumentFragment();
  /** @type {(Node & ParentNode)[]} */
  const open = [whole];
  for (const [at, token] of tokens.entries()) {
    const parent = /** @type {Node & ParentNode} */ (open.at(-1));
    if (token.hidden) continue; // the paragraphs of a list whose entries stand close together
    if (token.nesting > 0) open.push(opened(token, parent, options));
    else if (token.nesting < 0) open.pop();
    else if (token.type === "inline") parent.append(...draw(token.children ?? [], options));
    else parent.append(...single(token, options, tokens[at - 1], tokens[at + 1]));
  }
  return [...whole.childNodes];
}

/**
 * @param {Token} token that opens something
 * @param {Node & ParentNode} parent
 * @param {MarkdownOptions} options
 * @returns {Node & ParentNode} where what it holds belongs
 */
function opened(token, parent, options) {
  const kind = token.type.replace(/_open$/, "");
  const element = kind === "link" ? linkOf(token.attrGet("href")) : elementOf(kind, token, options);
  if (!element) return parent; // its words stand for it
  if (kind === "table") {
    const frame = document.createElement("div");
    frame.className = "markdown-wide";
    frame.tabIndex = 0; // whoever has no mouse scrolls it with the arrow keys
    frame.append(element);
    parent.append(frame);
  } else parent.append(element);
  return element;
}

/**
 * @param {string} kind
 * @param {Token} token
 * @param {MarkdownOptions} options
 * @returns {HTMLElement | null}
 */
function elementOf(kind, token, { headings = 3 }) {
  if (kind === "table") return document.createElement("table");
  if (kind === "heading") {
    const level = Math.min(LAST_HEADING, Number(token.tag.slice(1)) + headings - 1);
    return document.createElement(`h${level}`);
  }
  const tag = PAIRED[kind];
  if (!tag) return null;
  const element = document.createElement(tag);
  const start = token.attrGet("start");
  if (element instanceof HTMLOListElement && start) element.start = Number(start);
  const side = /text-align:(\w+)/.exec(token.attrGet("style") ?? "")?.[1];
  if (side) element.dataset.align = side;
  return element;
}

/** @param {string | null} href */
function linkOf(href) {
  const address = safeAddress(href ?? "");
  return address === null ? null : outwardLink(address);
}

/**
 * @param {Token} token that stands for itself
 * @param {MarkdownOptions} options
 * @param {Token | undefined} before
 * @param {Token | undefined} after
 * @returns {(Node | string)[]}
 */
function single(token, options, before, after) {
  switch (token.type) {
    case "code_inline":
      return [filled("code", token.content)];
    case "fence":
    case "code_block": {
      const block = document.createElement("pre");
      block.tabIndex = 0;
      block.append(filled("code", token.content.replace(/\n$/, "")));
      return [block];
    }
    case "hr":
      return [document.createElement("hr")];
    case "hardbreak":
      return [document.createElement("br")];
    case "softbreak":
      // Between two Chinese characters stands no space.
      return [HAN.test(before?.content.at(-1) ?? "") && HAN.test(after?.content[0] ?? "") ? "" : " "];
    default:
      return cited(token.content, options); // text; the words of a picture
  }
}

/**
 * @param {string} tag
 * @param {string} text
 */
function filled(tag, text) {
  const element = document.createElement(tag);
  element.textContent = text;
  return element;
}

/**
 * @param {string} text
 * @param {MarkdownOptions} options
 * @returns {(Node | string)[]} with what stands for its citations
 */
function cited(text, { cite }) {
  if (!cite) return [text];
  /** @type {(Node | string)[]} */
  const parts = [];
  let end = 0;
  for (const match of text.matchAll(CITATION)) {
    const mark = cite(Number(match[1]));
    if (!mark) continue;
    parts.push(text.slice(end, match.index), mark);
    end = match.index + match[0].length;
  }
  return [...parts, text.slice(end)];
}
