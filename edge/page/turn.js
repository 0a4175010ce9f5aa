// One question and what came of it. Shows what it is told; asks nothing by itself.

import { Reader, announce } from "./announce.js";
import { el } from "./dom.js";
import { ending } from "./ending.js";
import { Prose, inline } from "./prose.js";
import { inOneLine } from "./receipt.js";
import { isGone } from "./sources.js";
import * as words from "./words.js";

const NO_DOCUMENTS = "There are no documents yet: skerry index add FOLDER takes some in.";
const STOPPED = "Stopped. This is not the whole answer.";

export class Turn {
  #sources = new Map();
  #text = "";
  #drawing = 0;
  #reader = new Reader();

  /** `openSource(citation, opener)` opens a document at the cited place; `retry()` asks again. */
  constructor(question, { openSource, retry }) {
    this.question = question;
    this.openSource = openSource;
    this.retry = retry;
    this.body = el("div", { class: "answer", "aria-busy": "true" });
    this.note = el("p", { class: "aside", hidden: true });
    this.status = el("p", { class: "status working" });
    this.after = el("div", { class: "after" });
    this.root = el(
      "article",
      { class: "turn" },
      el("h2", { class: "question" }, question),
      this.note,
      this.body,
      this.status,
      this.after,
    );
    this.prose = new Prose(this.body, (mark) => this.#mark(mark));
    this.begin();
  }

  /** Empties the answer, for the first or another attempt. */
  begin() {
    this.after.replaceChildren();
    this.note.hidden = true;
    this.#restart("Reading the question");
  }

  /** Shows one event of `skerry.event/1`. */
  take(event) {
    if (event.event === "route") this.#say(`${words.place(event.tier)} …`);
    else if (event.event === "sources") this.#found(event);
    else if (event.event === "text") this.#add(event.text);
    else if (event.event === "tier_failed") this.#voided(event);
    else if (event.event === "finished") this.#finish(event);
  }

  /** Shows an answer that was given earlier, and says nothing; `more` are what was added to it. */
  restore({ text, citations, receipt }, ...more) {
    const finish = receipt?.finish;
    this.#text = text;
    this.#take(citations);
    this.#end(finish === "cancelled" ? STOPPED : "");
    this.after.append(...ending({ answer: text, citations, receipt, finish }, this.body, this.openSource));
    this.after.append(...more.map((one) => this.#addition(one)));
  }

  #addition({ text, at }) {
    const body = el("div", { class: "answer" });
    new Prose(body, (mark) => this.#mark(mark)).show(text);
    return el("div", { class: "addition" }, el("p", { class: "aside" }, `Added ${words.moment(at)}`), body);
  }

  /** There is a question, and no answer to it was kept. */
  unanswered() {
    this.#end("No answer to this was kept.");
  }

  /** Waits for a person to decide. */
  hold(why) {
    this.#say(why);
  }

  stopped() {
    this.#end(STOPPED);
    announce("Stopped");
  }

  failed(message) {
    this.#end("");
    const again = el("button", { type: "button", click: () => this.retry() }, "Try again");
    this.after.replaceChildren(el("div", { class: "fault", role: "alert" }, el("p", {}, inline(message)), again));
  }

  #restart(status) {
    this.#text = "";
    this.#reader.drop();
    this.body.setAttribute("aria-busy", "true");
    this.#draw();
    this.#say(status);
  }

  #say(status) {
    this.status.textContent = status;
    this.status.hidden = !status;
    this.status.classList.add("working");
  }

  #found({ sources, read_as: readAs, no_documents: none }) {
    this.#take(sources);
    this.note.textContent = [none && NO_DOCUMENTS, readAs && `Read as: ${readAs}`].filter(Boolean).join(" ");
    this.note.hidden = !this.note.textContent;
  }

  #take(sources) {
    for (const source of sources) this.#sources.set(source.mark, source);
  }

  #add(text) {
    this.#text += text;
    this.#reader.feed(text);
    this.#drawing ||= requestAnimationFrame(() => this.#draw());
  }

  #draw() {
    cancelAnimationFrame(this.#drawing);
    this.#drawing = 0;
    this.prose.show(this.#text);
  }

  #voided({ tier, next, why }) {
    this.#restart(`${words.place(next)} …`);
    const line = `${words.place(tier)}: that failed. ${words.sentence(why)}`;
    this.after.replaceChildren(el("p", { class: "aside" }, line));
    announce(line);
  }

  #finish(reply) {
    this.#text = reply.answer;
    this.#reader.finish();
    this.#take(reply.citations);
    this.#end("");
    this.after.replaceChildren(...ending(reply, this.body, this.openSource));
    announce(inOneLine(reply.receipt));
  }

  #end(status) {
    this.#draw();
    this.body.setAttribute("aria-busy", "false");
    this.#say(status);
    this.status.classList.remove("working");
  }

  #mark(number) {
    const source = this.#sources.get(number);
    if (!source || isGone(source)) return null;
    const label = `Source ${number}: ${source.title}`;
    const open = (event) => this.openSource(source, event.currentTarget);
    const attributes = { class: "mark", type: "button", "aria-label": label, title: source.title };
    return el("button", { ...attributes, click: open }, String(number));
  }
}
