// How the runtime stands, in words. Pure.

/** One line for the head of the page. */
export function stateLine({ model, profile, offline }) {
  return [model, profile && `${profile} profile`, offline && "offline"].filter(Boolean).join(" · ");
}

/** What may become of a question, below the field where it is written. */
export function promise(standing, switchedOff) {
  const kept = standing.stored === false ? " Conversations are not stored." : "";
  return leaving(standing, switchedOff) + kept;
}

function leaving({ consent, cloud, offline }, switchedOff) {
  if (offline) return "The runtime is offline: everything stays on this device.";
  if (switchedOff) return "Offline: everything stays on this device.";
  if (!cloud.configured || consent === "never") return "Everything stays on this device.";
  if (consent === "granted") return `Policy may send a question to ${cloud.model}.`;
  return "Before anything leaves this device, you see it and decide.";
}
