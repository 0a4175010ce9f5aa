// Lays out the extracted text of a document, with one span of it highlighted.

import { breaking, cells } from "./blocks.js";
import { el } from "./dom.js";

const ROW = /^\|.*\|$/;
const ITEM = /^\s*(\d{1,3}[.)]|[-*•])\s/;
const PUNCTUATED = /[.!?:;,]$/;
const HEADING_LENGTH = 80;

/**
 * The text as elements. `span` is {start, end} in code points, as in a citation, or null. What it
 * covers is in `<mark>` elements; the first has the id `cited`.
 */
export function sheet(text, span) {
  const cited = span && { start: utf16(text, span.start), end: utf16(text, span.end) };
  const laid = paragraphs(text).map((paragraph) => layout(paragraph, cited));
  const root = el("div", { class: "sheet" }, laid);
  root.querySelector("mark")?.setAttribute("id", "cited");
  return root;
}

/** Where the code point number `offset` begins in the UTF-16 of JavaScript. */
export function utf16(text, offset) {
  let at = 0;
  for (let point = 0; point < offset && at < text.length; point += 1) {
    at += text.codePointAt(at) > 0xffff ? 2 : 1;
  }
  return at;
}

/** The paragraphs of `text` with their places: {text, start}. */
function paragraphs(text) {
  return [...text.matchAll(/(?:[^\n]+\n?)+/g)].map((match) => ({
    text: match[0].replace(/\n$/, ""),
    start: match.index,
  }));
}

function layout({ text, start }, cited) {
  const lines = linesOf(text, start);
  if (lines.every((line) => ROW.test(line.text.trim()))) return table(lines, cited);
  const name = looksLikeHeading(lines) ? { class: "head" } : {};
  return el("p", name, lines.map((line) => lineOf(line, cited)));
}

/** The sign before an item stands by itself, so that the lines of its text are under each other. */
function lineOf(line, cited) {
  const sign = ITEM.exec(line.text)?.[0].length ?? 0;
  if (!sign) return el("span", { class: "line" }, marked(line, cited));
  const [before, after] = [line.text.slice(0, sign), line.text.slice(sign)];
  return el(
    "span",
    { class: "line item" },
    el("span", { class: "sign" }, marked({ text: before, start: line.start }, cited)),
    el("span", {}, marked({ text: after, start: line.start + sign }, cited)),
  );
}

function linesOf(text, start) {
  let at = start;
  return text.split("\n").map((line) => {
    const found = { text: line, start: at };
    at += line.length + 1;
    return found;
  });
}

/** Extracted text has no headings of its own: a short line alone, without a full stop, is shown as one. */
function looksLikeHeading(lines) {
  const [{ text }] = lines;
  return lines.length === 1 && text.length <= HEADING_LENGTH && !PUNCTUATED.test(text) && !ITEM.test(text);
}

function table(lines, cited) {
  const rows = lines.map((line) => el("tr", {}, rowCells(line, cited)));
  return el("div", { class: "wide-content" }, el("table", {}, el("tbody", {}, rows)));
}

/** A cell is highlighted where its row is: a span never ends inside a row. */
function rowCells(line, cited) {
  const whole = cited && line.start < cited.end && line.start + line.text.length > cited.start;
  return cells(line.text).map((cell) => el("td", breaking(cell), whole ? el("mark", {}, cell) : cell));
}

/** The line as text, with what the span covers in a `<mark>`. */
function marked({ text, start }, cited) {
  if (!cited) return [text];
  const from = Math.min(Math.max(cited.start - start, 0), text.length);
  const to = Math.min(Math.max(cited.end - start, 0), text.length);
  if (from >= to) return [text];
  return [text.slice(0, from), el("mark", {}, text.slice(from, to)), text.slice(to)].filter(Boolean);
}
