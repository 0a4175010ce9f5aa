// The field where questions are written, with send and stop.

import { byId } from "./dom.js";

const TALLEST = 240;

export class Composer {
  /** `ask(question)` and `stop()` are called when a person wants that. */
  constructor({ ask, stop }) {
    this.field = byId("question");
    this.ask = ask;
    this.busy = false;
    byId("composer").addEventListener("submit", (event) => this.#submit(event));
    byId("stop").addEventListener("click", stop);
    this.field.addEventListener("keydown", (event) => this.#key(event));
    this.field.addEventListener("input", () => this.#fit());
    this.#fit();
  }

  focus() {
    this.field.focus();
  }

  /** Stop takes the place of send, with the focus that was there. */
  setBusy(busy) {
    this.busy = busy;
    const [shown, hidden] = busy ? [byId("stop"), byId("send")] : [byId("send"), byId("stop")];
    const moves = document.activeElement === hidden;
    shown.hidden = false;
    hidden.hidden = true;
    if (moves) this.focus();
    this.#fit();
  }

  #key(event) {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    byId("composer").requestSubmit();
  }

  #submit(event) {
    event.preventDefault();
    const question = this.field.value.trim();
    if (!question || this.busy) return;
    this.field.value = "";
    this.#fit();
    this.ask(question);
  }

  /** As tall as its text, up to a limit. */
  #fit() {
    const { field } = this;
    field.style.height = "auto";
    field.style.height = `${Math.min(field.scrollHeight, TALLEST)}px`;
    byId("send").disabled = !field.value.trim();
  }
}
