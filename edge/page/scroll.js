// Keeps the newest text in sight while a person is at the end; leaves them alone when they read
// further up.

const NEAR = 80;

export class Scroll {
  #following = true;

  constructor(element) {
    this.element = element;
    element.addEventListener("scroll", () => this.#look(), { passive: true });
    new MutationObserver(() => this.#keep()).observe(element, { childList: true, subtree: true });
  }

  /** Goes to the end, and stays there. */
  follow() {
    this.#following = true;
    this.#keep();
  }

  /** Does `work`, which adds something further up, and stays at what was read. */
  async keepPlace(work) {
    const { element } = this;
    const below = element.scrollHeight - element.scrollTop;
    await work();
    this.#following = false;
    element.scrollTop = element.scrollHeight - below;
  }

  #look() {
    const { scrollHeight, scrollTop, clientHeight } = this.element;
    this.#following = scrollHeight - scrollTop - clientHeight < NEAR;
  }

  #keep() {
    if (this.#following) this.element.scrollTop = this.element.scrollHeight;
  }
}
