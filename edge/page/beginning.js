// Where the page begins: in the conversation that this tab was in, or with a welcome and the
// earlier conversations of this device.

import { announce } from "./announce.js";
import * as api from "./api.js";
import { byId } from "./dom.js";
import { Earlier } from "./earlier.js";
import { NEW, remember, remembered } from "./memory.js";
import * as words from "./words.js";

const TURNS = 100;
const MOST_TURNS = 2000;
const LOST = "The conversation that was here is no longer kept on this device.";

export class Beginning {
  #ready = Promise.resolve();
  #last = TURNS;

  /**
   * `onStored(stored)` hears whether conversations outlive the server, `refuse(error)` of what the
   * runtime did not give.
   */
  constructor({ conversation, scroll, withKey, onStored, refuse }) {
    this.conversation = conversation;
    this.scroll = scroll;
    this.onStored = onStored;
    this.earlier = new Earlier({ withKey, open: (id) => this.#goOn(id) });
    byId("further-back").addEventListener("click", () => this.#furtherBack().catch(refuse));
    this.#welcome(remembered() === NEW);
  }

  /** Shows what belongs here. Raises a Fault where the runtime does not give it. */
  open() {
    this.#ready = remembered() === NEW ? this.#list() : this.#resume();
    return this.#ready;
  }

  /** Begins a new conversation. */
  async anew() {
    this.conversation.reset();
    byId("further-back").hidden = true;
    this.#welcome(true);
    await this.#list();
  }

  /** Makes room for a question; waits until what was said before is there. */
  async asked() {
    await this.#ready.catch(() => {}); // it is told where it happened
    this.#welcome(false);
  }

  #welcome(shown) {
    byId("welcome").hidden = !shown;
    byId("lost").textContent = "";
  }

  async #list() {
    this.onStored(await this.earlier.list());
  }

  async #resume() {
    try {
      await this.#show(remembered(), TURNS);
    } catch (error) {
      if (!(error instanceof api.Fault && error.isGone)) throw error;
      remember(NEW);
      this.#welcome(true);
      byId("lost").textContent = LOST;
      announce(LOST);
      await this.#list();
    }
  }

  async #goOn(id) {
    remember(id);
    await this.open();
    byId("question").focus();
  }

  /** Shows the last turns of a conversation, the newest in sight. */
  async #show(id, last) {
    const found = await this.conversation.resume(id, last);
    this.#last = last;
    this.#welcome(!found.said.length);
    byId("further-back").hidden = found.said.length >= found.turns || last >= MOST_TURNS;
    this.onStored(found.stored);
    this.scroll.follow();
    if (found.said.length) announce(`This conversation goes on; ${words.count(this.conversation.length, "question")} before`);
  }

  async #furtherBack() {
    await this.scroll.keepPlace(() => this.#show(remembered(), Math.min(4 * this.#last, MOST_TURNS)));
    byId("conversation").focus({ preventScroll: true });
  }
}
