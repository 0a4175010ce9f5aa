// The server's page API (docs/server.md). Every failure comes out as a Fault.

import { currentKey } from "./key.js";
import { readEvents } from "./sse.js";

/** What went wrong, in the server's words. `status` is 0 when there was no answer at all. */
export class Fault extends Error {
  constructor(message, { status = 0, code = "" } = {}) {
    super(message);
    this.status = status;
    this.code = code;
  }

  get wantsKey() {
    return this.status === 401;
  }

  get isGone() {
    return this.status === 404;
  }
}

const UNREACHABLE = "The runtime does not answer. Is `skerry serve` still running?";
const NO_KEY = "Nothing can be shown without the key of this server.";
export const BROKEN = "The answer broke off: the connection to the runtime was lost.";

export async function state() {
  return json("api/state");
}

export async function documents() {
  return (await json("api/documents")).documents;
}

/** The document and its extracted text. */
export async function documentText(id) {
  return json(`api/documents/${encodeURIComponent(id)}/text`);
}

/** Whether conversations are `stored`, and the newest as `sessions`, last used first. */
export async function conversations(limit) {
  return json(`api/sessions?limit=${limit}`);
}

/** A conversation with the `last` turns as `said`. */
export async function conversation(id, last) {
  return json(`api/sessions/${encodeURIComponent(id)}?last=${last}`);
}

/** Deletes a conversation for good; one that is gone already is as good. */
export async function forget(id) {
  try {
    await call(`api/sessions/${encodeURIComponent(id)}`, { method: "DELETE" });
  } catch (error) {
    if (!error.isGone) throw error;
  }
}

/** The events of an answer; `body` as in POST /api/ask. Aborting `signal` stops the runtime. */
export async function* ask(body, signal) {
  const response = await call("api/ask", { method: "POST", body: JSON.stringify(body), signal });
  try {
    for await (const event of readEvents(response.body)) {
      if (event.error) throw faultOf(event.error, response.status);
      yield event;
    }
  } catch (error) {
    throw error instanceof TypeError ? new Fault(BROKEN) : error;
  }
}

async function json(path) {
  return (await call(path)).json();
}

async function call(path, options = {}) {
  const response = await reach(path, options);
  if (!response.ok) throw await refusal(response);
  return response;
}

async function reach(path, options) {
  try {
    return await fetch(path, { ...options, headers: headers(), cache: "no-store" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Fault(UNREACHABLE);
  }
}

function headers() {
  const key = currentKey();
  const json = { "content-type": "application/json" };
  return key ? { ...json, authorization: `Bearer ${key}` } : json;
}

async function refusal(response) {
  const body = await response.json().catch(() => ({}));
  return faultOf(body.error ?? {}, response.status);
}

function faultOf(error, status) {
  if (status === 401) return new Fault(NO_KEY, { status, code: error.code });
  const message = error.message ?? `The runtime answered with status ${status}.`;
  return new Fault(message, { status, code: error.code ?? "" });
}
