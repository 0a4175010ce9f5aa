// Cuts the text of an answer into blocks. Pure; what they look like is for prose.js.
//
// A block is {kind, …}: paragraph {text}, heading {text}, list {ordered, start, items},
// table {head, rows}, code {text}. Only what models and documents often write is known; the rest stays text.

const FENCE = /^\s*```/;
const HEADING = /^#{1,6}\s+(.*)$/;
const BULLET = /^\s*[-*•]\s+(.*)$/;
const NUMBERED = /^\s*(\d{1,3})[.)]\s+(.*)$/;
const ROW = /^\s*\|(.*)\|\s*$/;
const RULE = /^[\s|:-]+$/;

/** The blocks of `text`, in order; an unclosed code block ends with the text. */
export function blocks(text) {
  const reading = { lines: text.split("\n"), at: 0, found: [] };
  while (reading.at < reading.lines.length) readBlock(reading);
  return reading.found;
}

function readBlock(reading) {
  const line = reading.lines[reading.at];
  if (!line.trim()) reading.at += 1;
  else if (FENCE.test(line)) readCode(reading);
  else if (HEADING.test(line)) readHeading(reading);
  else if (BULLET.test(line)) readList(reading, BULLET, false);
  else if (NUMBERED.test(line)) readList(reading, NUMBERED, true);
  else if (ROW.test(line)) readTable(reading);
  else readParagraph(reading);
}

/** The lines from here on for which `belongs` holds; moves past them. */
function take(reading, belongs) {
  const start = reading.at;
  while (reading.at < reading.lines.length && belongs(reading.lines[reading.at])) reading.at += 1;
  return reading.lines.slice(start, reading.at);
}

function readCode(reading) {
  reading.at += 1;
  const lines = take(reading, (line) => !FENCE.test(line));
  reading.at += 1;
  reading.found.push({ kind: "code", text: lines.join("\n") });
}

function readHeading(reading) {
  reading.found.push({ kind: "heading", text: HEADING.exec(reading.lines[reading.at])[1] });
  reading.at += 1;
}

function readList(reading, pattern, ordered) {
  const matches = take(reading, (line) => pattern.test(line)).map((line) => pattern.exec(line));
  const start = ordered ? Number(matches[0][1]) : 1;
  reading.found.push({ kind: "list", ordered, start, items: matches.map((found) => found.at(-1)) });
}

/** `head` is the row above a rule, empty where there is none. */
function readTable(reading) {
  const lines = take(reading, (line) => ROW.test(line));
  const headed = lines.length > 1 && RULE.test(lines[1]);
  const rows = lines.filter((line) => !RULE.test(line)).map(cells);
  const head = headed && rows.length ? rows.shift() : [];
  if (head.length || rows.length) reading.found.push({ kind: "table", head, rows });
}

/** The cells of a row `| a | b |`. */
export function cells(line) {
  return ROW.exec(line)[1].split("|").map((cell) => cell.trim());
}

/** Attributes of a cell: one with a word that is too long for a column breaks it. */
export function breaking(cell) {
  return /\S{19}/.test(cell) ? { class: "long" } : {};
}

function readParagraph(reading) {
  const lines = take(reading, (line) => line.trim() && !startsBlock(line));
  reading.found.push({ kind: "paragraph", text: lines.join("\n") });
}

function startsBlock(line) {
  return [FENCE, HEADING, BULLET, NUMBERED, ROW].some((pattern) => pattern.test(line));
}

/**
 * The pieces of a line of prose: {kind, text}, kind one of text, code, strong, mark. A mark is
 * `[1]` or `[1, 2]`, one piece a number.
 */
export function pieces(text) {
  const pattern = /`([^`\n]+)`|\*\*([^*\n]+)\*\*|\[(\d{1,3}(?:\s?,\s?\d{1,3}){0,9})\]/g;
  const found = [];
  let at = 0;
  for (const match of text.matchAll(pattern)) {
    if (match.index > at) found.push({ kind: "text", text: text.slice(at, match.index) });
    found.push(...piece(match));
    at = match.index + match[0].length;
  }
  if (at < text.length) found.push({ kind: "text", text: text.slice(at) });
  return found;
}

function piece([, code, strong, marks]) {
  if (code !== undefined) return [{ kind: "code", text: code }];
  if (strong !== undefined) return [{ kind: "strong", text: strong }];
  return marks.split(",").map((number) => ({ kind: "mark", text: number.trim() }));
}
