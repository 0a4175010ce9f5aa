// Shows the text of an answer as it grows. Blocks that did not change keep their elements, so that
// a selection, a focus or a reading position in them is kept.

import { blocks, breaking, pieces } from "./blocks.js";
import { el } from "./dom.js";

/** Text with its code and emphasis as elements; `makeMark(number)` as for Prose. */
export function inline(text, makeMark = () => null) {
  return pieces(text).map(({ kind, text: piece }) => {
    if (kind === "mark") return makeMark(Number(piece)) ?? `[${piece}]`;
    return kind === "text" ? piece : el(kind, {}, piece);
  });
}

/** Shows growing text in `root`; `makeMark(number)` gives the element of a citation, or null. */
export class Prose {
  constructor(root, makeMark) {
    this.root = root;
    this.makeMark = makeMark;
    this.shown = [];
  }

  show(text) {
    const wanted = blocks(text);
    const keys = wanted.map((block) => JSON.stringify(block));
    let same = 0;
    while (same < keys.length && keys[same] === this.shown[same]) same += 1;
    [...this.root.children].slice(same).forEach((child) => child.remove());
    this.root.append(...wanted.slice(same).map((block) => this.#block(block)));
    this.shown = keys;
  }

  #block(block) {
    if (block.kind === "code") return el("pre", {}, el("code", {}, block.text));
    if (block.kind === "heading") return el("h3", {}, this.#inline(block.text));
    if (block.kind === "table") return this.#table(block);
    if (block.kind === "list") return this.#list(block);
    return el("p", {}, this.#inline(block.text));
  }

  #list({ ordered, start, items }) {
    const attributes = ordered && start !== 1 ? { start } : {};
    const lines = items.map((item) => el("li", {}, this.#inline(item)));
    return el(ordered ? "ol" : "ul", attributes, lines);
  }

  #table({ head, rows }) {
    const row = (cells, name, attributes) =>
      el("tr", {}, cells.map((cell) => el(name, { ...attributes, ...breaking(cell) }, this.#inline(cell))));
    const above = head.length > 0 && el("thead", {}, row(head, "th", { scope: "col" }));
    const body = el("tbody", {}, rows.map((cells) => row(cells, "td", {})));
    return el("div", { class: "wide-content" }, el("table", {}, above, body));
  }

  #inline(text) {
    return inline(text, this.makeMark);
  }
}
