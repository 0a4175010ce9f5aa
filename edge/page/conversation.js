// Asks, and carries an answer through: approval, a key that is missing, stop, and another try.

import * as api from "./api.js";
import { askToSend } from "./dialogs.js";
import { Turn } from "./turn.js";

const NEW = "new";

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

  async ask(question) {
    const actions = { openSource: this.openSource, retry: () => this.#again(turn) };
    const turn = new Turn(question, actions);
    this.root.append(turn.root);
    await this.#carry(turn);
  }

  stop() {
    this.#running?.abort();
  }

  /** Forgets the conversation here; the device keeps what it was told to keep. */
  reset() {
    this.stop();
    this.#session = NEW;
    this.root.replaceChildren();
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

  /** Nothing leaves unless a person approved exactly that: a preview that changed is shown again. */
  async #answer(turn, signal) {
    let permission = {};
    for (let held = await this.#stream(turn, permission, signal); held; ) {
      turn.hold();
      const yes = await askToSend(held.preview);
      permission = yes ? { approved_preview: held.digest } : { consent: "never" };
      turn.begin();
      held = await this.#stream(turn, permission, signal);
    }
  }

  /** Shows the events of one attempt; gives the preview that it ended at, if any. */
  async #stream(turn, permission, signal) {
    const about = { session: this.#session, offline: this.isOffline(), hold: true };
    const body = { question: turn.question, ...about, ...permission };
    let last = null;
    for await (const event of api.ask(body, signal)) {
      last = event;
      if (event.event === "session") this.#session = event.session;
      else turn.take(event);
    }
    if (last?.event === "approval_needed") return last;
    if (last?.event !== "finished") throw new api.Fault(api.BROKEN);
    return null;
  }

  #fail(turn, error, signal) {
    if (signal.aborted) return turn.stopped();
    if (!(error instanceof api.Fault)) throw error;
    if (error.code === "session_not_found") this.#session = NEW;
    return turn.failed(error.message);
  }
}
