// The earlier conversations of this device, on the page where a new one begins.

import { announce } from "./announce.js";
import * as api from "./api.js";
import { askToForget } from "./dialogs.js";
import { byId, el, icon } from "./dom.js";
import { inline } from "./prose.js";
import * as words from "./words.js";

const FEW = 5;
const MANY = 100;
const NOT_STORED = "Conversations are not stored here: they end when the server stops.";

export class Earlier {
  #limit = FEW;

  /** `withKey(work)` does work again once a key was given; `open(id)` goes on in a conversation. */
  constructor({ withKey, open }) {
    this.withKey = withKey;
    this.open = open;
    byId("earlier-more").addEventListener("click", () => this.#showMore());
  }

  /** Reads the list anew and shows it; says whether conversations outlive the server. */
  async list() {
    const { stored, sessions } = await this.withKey(() => api.conversations(this.#limit + 1));
    const shown = sessions.slice(0, this.#limit);
    byId("earlier").hidden = !shown.length;
    byId("earlier-list").replaceChildren(...shown.map((one) => this.#entry(one)));
    byId("earlier-more").hidden = sessions.length <= this.#limit || this.#limit === MANY;
    byId("not-stored").textContent = stored ? "" : NOT_STORED;
    return stored;
  }

  async #showMore() {
    const known = byId("earlier-list").childElementCount;
    this.#limit = MANY;
    await this.#tried(() => this.list());
    byId("earlier-list").children[known]?.querySelector("button").focus();
  }

  #entry({ id, opening, updated_at, turns }) {
    const facts = `${words.moment(updated_at)} · ${words.count(Math.ceil(turns / 2), "question")}`;
    const name = opening || "Without words";
    const open = el(
      "button",
      { class: "conversation-entry", type: "button", click: () => this.#tried(() => this.open(id)) },
      el("span", { class: "opening" }, name),
      el("span", { class: "facts" }, facts),
    );
    const forget = el(
      "button",
      { class: "quiet", type: "button", "aria-label": `Delete: ${name}`, title: "Delete", click: () => this.#forget(id, name) },
      icon("delete"),
    );
    return el("li", {}, open, forget);
  }

  async #forget(id, name) {
    const at = [...byId("earlier-list").children].findIndex((one) => one.contains(document.activeElement));
    if (!(await askToForget(name))) return;
    await this.#tried(async () => {
      await this.withKey(() => api.forget(id));
      await this.list();
    });
    announce("Deleted");
    const rest = byId("earlier-list").children;
    (rest[Math.min(at, rest.length - 1)]?.querySelector("button") ?? byId("question")).focus();
  }

  /** Does `work`; what goes wrong is said where the list is. */
  async #tried(work) {
    try {
      byId("earlier-fault").replaceChildren();
      await work();
    } catch (error) {
      if (!(error instanceof api.Fault)) throw error;
      byId("earlier-fault").replaceChildren(...inline(error.message));
      announce(error.message);
    }
  }
}
