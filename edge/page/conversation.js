// Asks, and carries an answer through: approval, a key that is missing, stop, and another try.

import * as api from "./api.js";
import { askToConfirm, askToSend } from "./dialogs.js";
import { el } from "./dom.js";
import { NEW, remember } from "./memory.js";
import { Turn } from "./turn.js";
import * as words from "./words.js";

const WAITING = {
  approval_needed: "Waiting for your decision; nothing has left this device",
  confirmation_needed: "Waiting for your decision; nothing was done",
};

export class Conversation {
  #session = NEW;
  #running = null;

  /**
   * `isOffline()` says whether to stay off the network, `openSource` opens a citation,
   * `withKey(work)` does work again once a missing key was given, `onChange(busy)` hears when an
   * answer begins or ends.
   */
  constructor(root, { isOffline, openSource, withKey, onChange }) {
    this.root = root;
    this.isOffline = isOffline;
    this.openSource = openSource;
    this.withKey = withKey;
    this.onChange = onChange;
  }

  get busy() {
    return this.#running !== null;
  }

  /** How many questions it shows. */
  get length() {
    return this.root.querySelectorAll(".turn").length;
  }

  async ask(question) {
    const turn = this.#turn(question);
    this.root.append(turn.root);
    await this.#carry(turn);
  }

  /** Goes on in the conversation `id`; shows the `last` turns of it, and gives what it read. */
  async resume(id, last) {
    const found = await this.withKey(() => api.conversation(id, last));
    this.stop();
    this.#enter(id);
    this.root.replaceChildren(...this.#restored(found.said));
    return found;
  }

  stop() {
    this.#running?.abort();
  }

  /** Forgets the conversation here; the device keeps what it was told to keep. */
  reset() {
    this.stop();
    this.#enter(NEW);
    this.root.replaceChildren();
  }

  #enter(id) {
    this.#session = id;
    remember(id);
  }

  #turn(question) {
    const actions = { openSource: this.openSource, retry: () => this.#again(turn) };
    const turn = new Turn(question, actions);
    return turn;
  }

  /** The elements of turns that the device kept, under the days on which they were said. */
  #restored(said) {
    return exchanges(said).flatMap(({ question, answers }, at, every) => {
      const turn = this.#turn(question.text);
      if (answers.length) turn.restore(...answers);
      else turn.unanswered();
      const day = words.day(question.at);
      const same = at > 0 && words.day(every[at - 1].question.at) === day;
      return same ? [turn.root] : [el("p", { class: "day" }, day), turn.root];
    });
  }

  async #again(turn) {
    if (this.busy) return;
    turn.begin();
    await this.#carry(turn);
  }

  async #carry(turn) {
    const running = new AbortController();
    this.#running = running;
    this.onChange(true);
    try {
      await this.withKey(() => this.#answer(turn, running.signal));
    } catch (error) {
      this.#fail(turn, error, running.signal);
    } finally {
      if (this.#running === running) this.#running = null;
      this.onChange(this.busy);
    }
  }

  /** Nothing leaves and nothing is done unless a person agreed to exactly that: what changed is shown again. */
  async #answer(turn, signal) {
    let permission = {};
    for (let held = await this.#stream(turn, permission, signal); held; ) {
      turn.hold(WAITING[held.event]);
      permission = { ...permission, ...(await decision(held)) };
      turn.begin();
      held = await this.#stream(turn, permission, signal);
    }
  }

  /** Shows the events of one attempt; gives what it ended at to wait for a person, if it did. */
  async #stream(turn, permission, signal) {
    const about = { session: this.#session, offline: this.isOffline(), hold: true };
    const body = { question: turn.question, ...about, ...permission };
    let last = null;
    for await (const event of api.ask(body, signal)) {
      last = event;
      if (event.event === "session") this.#enter(event.session);
      else turn.take(event);
    }
    if (last?.event in WAITING) return last;
    if (last?.event !== "finished") throw new api.Fault(api.BROKEN);
    return null;
  }

  #fail(turn, error, signal) {
    if (signal.aborted) return turn.stopped();
    if (!(error instanceof api.Fault)) throw error;
    if (error.code === "session_not_found") this.#enter(NEW);
    return turn.failed(error.message);
  }
}

/** What a person decides about what an answer waits for, as fields of the next request. */
async function decision({ event, digest, preview, confirmation }) {
  if (event === "approval_needed") {
    return (await askToSend(preview)) ? { approved_preview: digest } : { consent: "never" };
  }
  return (await askToConfirm(confirmation.text)) ? { confirmed_call: confirmation.digest } : { hold: false };
}

/** Questions with their answers: mostly one; a person may have added another. */
function exchanges(said) {
  const found = [];
  for (const turn of said) {
    if (turn.role === "user") found.push({ question: turn, answers: [] });
    else if (turn.role === "assistant") questionOf(turn, found)?.answers.push(turn);
  }
  return found;
}

/** What `answer` belongs to, by its receipt: two tabs may have asked at once. */
function questionOf({ receipt }, found) {
  const same = found.filter(({ question }) => question.digest === receipt?.question.digest);
  return (
    same.find(({ answers }) => answers.some((one) => one.receipt?.id === receipt.id)) ??
    same.find(({ answers }) => !answers.length) ??
    found.at(-1)
  );
}
