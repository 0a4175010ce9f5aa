// How a source and a document are named wherever they appear.

import { el } from "./dom.js";
import * as words from "./words.js";

/** The state of a document as a badge; what is in force needs none unless `always`. */
export function badge(state, { always = false } = {}) {
  if (state === "in_force" && !always) return null;
  return el("span", { class: `badge ${state}` }, words.documentState(state));
}

/** Whether the place that was cited cannot be opened here: it is gone, or in a cloud collection. */
export function isGone(citation) {
  return citation.document === null;
}

/** A line of the list of sources below an answer; what counts no longer says so. */
export function sourceLine(citation, open) {
  const attributes = isGone(citation)
    ? { class: citation.collection ? "source" : "source gone" }
    : { class: "source", type: "button", click: (event) => open(event.currentTarget) };
  return el("li", {}, el(isGone(citation) ? "div" : "button", attributes, names(citation)));
}

function names(citation) {
  const path = citation.heading.filter((name) => name !== citation.title).join(" › ");
  return [
    el("span", { class: "number" }, String(citation.mark)),
    el(
      "span",
      { class: "names" },
      el("span", { class: "source-title" }, citation.title),
      path && el("span", { class: "path" }, path),
      citation.version && el("span", { class: "path" }, `version ${citation.version}`),
      citation.collection &&
        el("span", { class: "path" }, `cloud collection ${citation.collection}`),
      citation.state && badge(citation.state),
    ),
  ];
}

/** Since when, or until when, a document counts. One that had expired when it came has no beginning. */
export function dates(document) {
  const from = `from ${words.day(document.valid_from)}`;
  if (document.state === "superseded") return `${from} to ${words.day(document.superseded_at)}`;
  if (document.expires_at === null) return from;
  const to = `to ${words.day(document.expires_at - 1)}`; // the last second in force
  return document.expires_at <= document.valid_from ? to : `${from} ${to}`;
}

/** The name of the file or feed, without the folders above it. */
export function place(source) {
  return source.split(/[/\\]/).at(-1) || source;
}
