// What a person is asked: for the key, whether something may leave the device or be done, and
// whether to delete a conversation.
// Native modal dialogs keep the focus inside and give it back.

import { byId, el } from "./dom.js";
import { inline } from "./prose.js";
import * as words from "./words.js";

/** The key that a person gives; null when they close the dialog. `why` says what is wrong. */
export async function askForKey(why) {
  const field = byId("key");
  byId("key-why").replaceChildren(...inline(why));
  field.value = "";
  const given = await answerOf(byId("key-dialog"), field);
  return given && field.value.trim() ? field.value : null;
}

/** Whether a person approves exactly `preview`. Closing the dialog is no. */
export function askToSend(preview) {
  byId("approval-what").textContent = outline(preview);
  byId("approval-body").replaceChildren(...preview.messages.map(message));
  return answerOf(byId("approval-dialog"), byId("keep"));
}

/** Whether a person wants done exactly what `what` says. */
export function askToConfirm(what) {
  byId("confirmation-what").textContent = what;
  return answerOf(byId("confirmation-dialog"), byId("leave-it"));
}

/** Whether a person wants to delete the conversation that began with `opening`. */
export function askToForget(opening) {
  byId("forget-what").textContent = `“${opening}”`;
  return answerOf(byId("forget-dialog"), byId("keep-conversation"));
}

function outline({ destination, model, size_bytes, redactions }) {
  const size = words.bytes(size_bytes);
  const replaced = words.count(redactions, "identifier was", "identifiers were");
  return [
    `${size} would go to ${destination}, for the model ${model}. Nothing has been sent yet.`,
    redactions > 0 && `${replaced} replaced.`,
  ].filter(Boolean).join(" ");
}

function message({ role, text }) {
  return el("section", { class: "message" }, el("h3", {}, role), el("p", {}, text));
}

/** Shows `dialog`; true when its form is submitted, false when it is closed in another way. */
function answerOf(dialog, focus) {
  const form = dialog.querySelector("form");
  return new Promise((resolve) => {
    const submit = (event) => {
      event.preventDefault();
      dialog.close("yes");
    };
    const close = () => {
      form.removeEventListener("submit", submit);
      resolve(dialog.returnValue === "yes");
    };
    dialog.returnValue = "";
    form.addEventListener("submit", submit);
    dialog.addEventListener("close", close, { once: true });
    dialog.showModal();
    focus.focus();
  });
}

/** The buttons that close a dialog without a yes. */
export function wireDialogs() {
  byId("keep").addEventListener("click", () => byId("approval-dialog").close(""));
  byId("leave-it").addEventListener("click", () => byId("confirmation-dialog").close(""));
  byId("keep-conversation").addEventListener("click", () => byId("forget-dialog").close(""));
}
