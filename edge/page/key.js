// The API key: taken from the address once, kept by this tab alone.

const NAME = "skerry.key";

/** Moves `#key=…` from the address into the tab's storage, so that no history keeps it. */
export function takeKeyFromAddress() {
  const given = new URLSearchParams(location.hash.slice(1)).get("key");
  if (given === null) return;
  keepKey(given);
  history.replaceState(null, "", location.pathname + location.search);
}

export function keepKey(key) {
  sessionStorage.setItem(NAME, key.trim());
}

/** The key, or an empty string. */
export function currentKey() {
  return sessionStorage.getItem(NAME) ?? "";
}
