// The side panel: beside the conversation where there is room, above it where there is not. Above,
// the rest of the page is inert, so that the focus stays inside, and goes back where it was. When the
// window gets too narrow the panel gives way to the conversation, unless somebody is in it.

import { byId } from "./dom.js";

const BESIDE = matchMedia("(min-width: 1080px)");

export class Panel {
  #opener = null;
  #gaveWay = !BESIDE.matches;

  constructor() {
    byId("close-panel").addEventListener("click", () => this.close());
    byId("veil").addEventListener("click", () => this.close());
    BESIDE.addEventListener("change", () => this.#fit());
    this.isOpen = BESIDE.matches;
    this.#arrange();
  }

  open(opener) {
    this.#opener = opener;
    this.isOpen = true;
    this.#arrange();
    byId("panel-title").focus({ preventScroll: true });
  }

  close() {
    if (!this.isOpen) return;
    this.isOpen = this.#gaveWay = false;
    this.#arrange();
    const back = this.#opener?.isConnected ? this.#opener : byId("question");
    back.focus();
  }

  /** Whether it covers the conversation, so that Escape means it first. */
  get covers() {
    return this.isOpen && !BESIDE.matches;
  }

  /** Gives way where it would cover the conversation now, and comes back where it has room. */
  #fit() {
    if (BESIDE.matches) {
      this.isOpen ||= this.#gaveWay;
    } else if (!byId("panel").contains(document.activeElement)) {
      this.#gaveWay = this.isOpen;
      this.isOpen = false;
    }
    this.#arrange();
  }

  #arrange() {
    const { covers } = this;
    byId("panel").hidden = !this.isOpen;
    byId("veil").hidden = !covers;
    byId("room").inert = covers;
    document.body.classList.toggle("with-panel", this.isOpen && !covers);
    byId("open-documents").setAttribute("aria-expanded", String(this.isOpen));
  }
}
