// Tells a screen reader what happens: each sentence once, never the whole text again.

import { byId, el } from "./dom.js";

const MOST_LINES = 40;
const SENTENCE = /^[\s\S]*?[.!?](?=\s)/;

export function announce(text) {
  const log = byId("announcer");
  log.append(el("p", {}, text));
  while (log.childElementCount > MOST_LINES) log.firstElementChild.remove();
}

/** Announces growing text a sentence at a time. */
export class Reader {
  #rest = "";

  feed(text) {
    this.#rest += text;
    for (let found = SENTENCE.exec(this.#rest); found; found = SENTENCE.exec(this.#rest)) {
      announce(found[0].trim());
      this.#rest = this.#rest.slice(found[0].length);
    }
  }

  finish() {
    if (this.#rest.trim()) announce(this.#rest.trim());
    this.#rest = "";
  }

  /** What was not announced yet is void. */
  drop() {
    this.#rest = "";
  }
}
