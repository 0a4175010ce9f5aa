// The documents of the device: the list with what counts, and one of them at the cited place.

import * as api from "./api.js";
import { announce } from "./announce.js";
import { byId, el } from "./dom.js";
import { inline } from "./prose.js";
import { sheet } from "./sheet.js";
import { badge, dates, place } from "./sources.js";
import * as words from "./words.js";

const ORDER = ["in_force", "pending", "expired", "superseded"];

export class Documents {
  #wanted = 0;

  /** `withKey(work)` does work again once a missing key was given. */
  constructor(withKey) {
    this.withKey = withKey;
    this.found = [];
    byId("back").addEventListener("click", () => this.list().then(() => byId("panel-title").focus()));
  }

  /** Reads the list anew and shows it. */
  async list() {
    await this.#show("Documents", null, async () => {
      this.found = await this.withKey(api.documents);
      return this.found.length ? groups(this.found, (one) => this.open(one.id)) : empty();
    });
  }

  /** Shows a document; `span` {start, end}, in code points, is highlighted and scrolled to. */
  async open(id, span = null) {
    const again = () => this.open(id, span);
    await this.#show("Document", again, async () => {
      const { document, text } = await this.withKey(() => api.documentText(id));
      byId("panel-title").textContent = document.title;
      return [head(document), sheet(text, span)];
    });
    byId("cited")?.scrollIntoView({ block: "center" });
    byId("panel-title").focus({ preventScroll: true });
  }

  /** Shows what `load` gives, unless something else was asked for meanwhile. */
  async #show(title, inDocument, load) {
    const mine = ++this.#wanted;
    byId("back").hidden = !inDocument;
    byId("panel-title").textContent = title;
    const content = await load().catch((error) => fault(error, () => (inDocument ?? (() => this.list()))()));
    if (mine !== this.#wanted) return;
    byId("panel-body").replaceChildren(...[content].flat());
    byId("panel-body").scrollTop = 0;
  }
}

/** How many documents count, in words. */
export function holdings(found) {
  if (!found.length) return "There are no documents yet: skerry index add FOLDER takes some in.";
  const many = (state) => found.filter((one) => one.state === state).length;
  const parts = ORDER.filter(many).map((state) => `${many(state)} ${words.documentState(state).toLowerCase()}`);
  return `${words.count(found.length, "document")}: ${parts.join(", ")}.`;
}

function groups(found, open) {
  const named = (state) => found.filter((one) => one.state === state).sort(byTitle);
  return ORDER.filter((state) => named(state).length).map((state) =>
    el(
      "section",
      { class: "group" },
      el("h3", {}, words.documentState(state), el("span", { class: "many" }, String(named(state).length))),
      el("ul", {}, named(state).map((one) => entry(one, open))),
    ),
  );
}

function byTitle(one, other) {
  return one.title.localeCompare(other.title);
}

function entry(document, open) {
  return el(
    "li",
    {},
    el(
      "button",
      { class: `document ${document.state}`, type: "button", click: () => open(document) },
      el("span", { class: "document-title" }, document.title),
      badge(document.state),
      el("span", { class: "document-facts" }, facts(document)),
    ),
  );
}

function facts(document) {
  const version = document.version && `version ${document.version}`;
  return [version, dates(document), document.domain].filter(Boolean).join(" · ");
}

function head(document) {
  return el(
    "div",
    { class: "document-head" },
    badge(document.state, { always: true }),
    el("p", {}, facts(document)),
    el("p", { class: "path", title: document.source }, place(document.source)),
    warning(document),
  );
}

function warning({ state }) {
  const texts = {
    superseded: "A newer version has replaced this one. Answers do not use it.",
    expired: "This no longer counts. Answers do not use it.",
    pending: "This does not count yet. Answers do not use it.",
  };
  return texts[state] ? el("p", { class: "warning" }, texts[state]) : null;
}

function empty() {
  const command = el("code", {}, "skerry index add FOLDER");
  return el("p", { class: "empty" }, "There are no documents yet. ", command, " takes some in.");
}

/** Why there is nothing to show, and a way to try again. */
export function fault(error, retry) {
  if (!(error instanceof api.Fault)) throw error;
  announce(error.message);
  const again = el("button", { type: "button", click: retry }, "Try again");
  return el("div", { class: "fault" }, el("p", {}, inline(error.message)), again);
}
