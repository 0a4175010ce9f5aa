// Which conversation this tab is in. Only its id is kept in the browser; what was said is read back
// from the device, with the key.

const NAME = "skerry.conversation";
export const NEW = "new";

/** This tab's conversation; in a fresh tab the one that was open last in this browser. */
export function remembered() {
  return sessionStorage.getItem(NAME) ?? localStorage.getItem(NAME) ?? NEW;
}

/** `id` is a conversation of the device, or NEW. */
export function remember(id) {
  sessionStorage.setItem(NAME, id);
  localStorage.setItem(NAME, id);
}
