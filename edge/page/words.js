// What the runtime's names are called on this page.

const CLASSES = {
  lookup: "A fact to look up",
  retrieval_question: "A question about the documents",
  extraction: "Facts to take out of a text",
  tool_workflow: "A task for a tool",
  reasoning: "Several steps of thought",
  safety_escalation: "A matter for a person",
  unsupported: "Not a kind of request that is answered here",
};

const PLACES = {
  rules: "Quoted from a source, without a model",
  device: "By the model on this device",
  split: "By this device together with the cloud",
  cloud: "By the cloud",
  cloud_reasoning: "By a reasoning model in the cloud",
  human: "Passed on to a person",
  refuse: "Declined",
};

const HEADLINES = {
  rules: "Quoted on this device",
  device: "Answered on this device",
  split: "Answered together with the cloud",
  cloud: "Answered by the cloud",
  cloud_reasoning: "Answered by the cloud",
  human: "Needs a person",
  refuse: "Declined",
};

const VERDICTS = {
  released: "Released: every sentence passed",
  repaired: "Repaired: what the sources do not support was left out",
  withheld: "Withheld: nothing of it could be released",
};

const STEPS = {
  load: "Load what is needed",
  screen: "Screen the question",
  encode: "Read its meaning",
  route: "Tell what kind it is",
  retrieve: "Search the documents",
  screen_sources: "Screen the sources",
  decide: "Decide where",
  assemble: "Put the prompt together",
  gate: "Check the answer",
  record: "Write the receipt",
};

const STATES = {
  in_force: "In force",
  pending: "Not yet in force",
  expired: "Expired",
  superseded: "Superseded",
  gone: "No longer here",
};

const SENT = { question: "the question", history: "earlier turns", instructions: "instructions" };

const DOUBTFUL = 0.35; // as in edge/receipts/words.py

/** What the runtime says by the way, as a sentence. */
export function sentence(text) {
  return `${text.charAt(0).toUpperCase()}${text.slice(1).replace(/\.$/, "")}.`;
}

/** A word for `name`; a name that this page does not know stays readable. */
function say(words, name) {
  return Object.hasOwn(words, name) ? words[name] : String(name ?? "").replaceAll("_", " ");
}

export const requestClass = (name) => say(CLASSES, name);
export const place = (tier) => say(PLACES, tier);
export const headline = (tier) => say(HEADLINES, tier);
export const documentState = (name) => say(STATES, name);

/** The gate's verdict: with what happened, or else what it means. */
export function verdict(name, details) {
  const happened = details.join("; ");
  return happened ? `${sentence(name).slice(0, -1)}: ${happened}` : say(VERDICTS, name);
}

export function step(name) {
  const [kind, tier] = String(name).split(":");
  return kind === "answer" ? `Answer (${say({}, tier)})` : say(STEPS, name);
}

/** A part that was sent: `question`, `chunks:[1,2]`. */
export function sent(part) {
  const chunks = /^chunks:\[(.*)\]$/.exec(part);
  return chunks ? `sources ${chunks[1].replaceAll(",", ", ")}` : say(SENT, part);
}

export function milliseconds(ms) {
  if (ms >= 10_000) return `${(ms / 1000).toFixed(0)} s`;
  if (ms >= 1000) return `${(ms / 1000).toFixed(1)} s`;
  return ms >= 10 ? `${Math.round(ms)} ms` : `${ms.toFixed(1)} ms`;
}

export function bytes(count) {
  return count === 1 ? "1 byte" : `${count.toLocaleString("en")} bytes`;
}

export function count(number, one, many = `${one}s`) {
  return `${number} ${number === 1 ? one : many}`;
}

/** A day and a time, from Unix seconds; of today only the time. */
export function moment(seconds, now = new Date()) {
  const at = new Date(seconds * 1000);
  const time = at.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
  return at.toDateString() === now.toDateString() ? `today, ${time}` : `${day(seconds)}, ${time}`;
}

/** A day, from Unix seconds. */
export function day(seconds) {
  const format = { day: "numeric", month: "short", year: "numeric" };
  return new Date(seconds * 1000).toLocaleDateString("en-GB", format);
}

/** Whether a model on this device answered a question without any document. */
export function isUnfounded({ route, answered_by: tier, model, chunks }) {
  const asks = ["lookup", "retrieval_question", "reasoning"].includes(route.request_class);
  return asks && tier === "device" && Boolean(model) && chunks.length === 0;
}

/** Whether the answer's confidence is so low that its reader should know. */
export function isDoubtful({ answer_confidence: confidence }) {
  return confidence !== null && confidence !== undefined && confidence < DOUBTFUL;
}
