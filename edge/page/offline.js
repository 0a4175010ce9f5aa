// The switch that keeps questions off the network; a runtime that is offline holds it on.

const NAME = "skerry.offline";

export class OfflineSwitch {
  #forced = false;

  /** `onChange()` is called when a person turns it. */
  constructor(button, onChange) {
    this.button = button;
    this.wanted = sessionStorage.getItem(NAME) === "yes";
    button.addEventListener("click", () => {
      if (this.#forced) return;
      this.wanted = !this.wanted;
      sessionStorage.setItem(NAME, this.wanted ? "yes" : "no");
      this.#show();
      onChange();
    });
    this.#show();
  }

  get on() {
    return this.#forced || this.wanted;
  }

  /** `forced`: the runtime itself is offline, so that there is nothing to choose. */
  force(forced) {
    this.#forced = forced;
    this.#show();
  }

  #show() {
    this.button.setAttribute("aria-checked", String(this.on));
    this.button.setAttribute("aria-disabled", String(this.#forced));
    this.button.title = this.#forced
      ? "The runtime itself is offline; its settings decide that."
      : "While this is on, no question goes to the network, whatever policy says.";
  }
}
