// What follows a finished answer: its sources, its receipt, and a way to take it along.

import { announce } from "./announce.js";
import { el, icon } from "./dom.js";
import { receiptView } from "./receipt.js";
import { sourceLine } from "./sources.js";
import * as words from "./words.js";

const SAID_MS = 2000;
const NO_RECEIPT = "The receipt of this answer is no longer kept.";
const NOT_SURE = "Not sure that this answers the question: look at the sources.";
const UNFOUNDED = "No document was read: these are a model's own words, and unchecked.";
const CUT_OFF = "The answer was cut off: it had its longest length, or its time was up.";

/** The elements; `body` holds the answer, `openSource(citation, opener)` opens a document. */
export function ending(reply, body, openSource) {
  const cut = reply.finish === "length" && el("p", { class: "aside" }, CUT_OFF);
  const own = reply.receipt && words.isUnfounded(reply.receipt) && el("p", { class: "aside" }, UNFOUNDED);
  const doubt = reply.receipt && words.isDoubtful(reply.receipt) && el("p", { class: "aside" }, NOT_SURE);
  const receipt = reply.receipt ? receiptView(reply.receipt) : el("p", { class: "aside" }, NO_RECEIPT);
  const last = el("div", { class: "ending" }, receipt, copyButton(reply, body));
  return [cut, own, doubt, sources(reply.citations, openSource), last].filter(Boolean);
}

function sources(citations, openSource) {
  if (!citations.length) return null;
  const lines = citations.map((one) => sourceLine(one, (opener) => openSource(one, opener)));
  return el("ul", { class: "sources", "aria-label": "Sources" }, lines);
}

function copyButton(reply, body) {
  const label = el("span", {}, "Copy");
  const copy = async () => {
    label.textContent = (await copied(asText(reply), body)) ? "Copied" : "Press Ctrl+C";
    announce(label.textContent);
    setTimeout(() => { label.textContent = "Copy"; }, SAID_MS);
  };
  return el("button", { class: "quiet", type: "button", click: copy }, icon("copy"), label);
}

/** The answer with its sources, as plain text. */
function asText({ answer, citations }) {
  const lines = citations.map((one) => `[${one.mark}] ${one.title}${versionOf(one)}`);
  return [answer, lines.join("\n")].filter(Boolean).join("\n\n");
}

function versionOf({ version }) {
  return version ? `, version ${version}` : "";
}

/** Whether the clipboard took it; selects `element` where there is no clipboard. */
async function copied(text, element) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch (error) {
    if (!(error instanceof DOMException || error instanceof TypeError)) throw error;
    getSelection().selectAllChildren(element);
    return false;
  }
}
