// Reads server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html) whose
// data is JSON. EventSource cannot send a POST or a key, so the body of a fetch is read instead.

/** The events of a stream of bytes, as parsed objects. Comments and `[DONE]` are left out. */
export async function* readEvents(stream) {
  let rest = "";
  for await (const text of chunks(stream)) {
    const frames = (rest + text).split(/\r?\n\r?\n/);
    rest = frames.pop();
    for (const frame of frames) yield* parsed(frame);
  }
}

async function* chunks(stream) {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  try {
    for (let read = await reader.read(); !read.done; read = await reader.read()) yield read.value;
  } finally {
    await reader.cancel().catch(() => {}); // a reader whose stream broke has nothing to cancel
  }
}

function* parsed(frame) {
  const data = frame
    .split(/\r?\n/)
    .filter((line) => line.startsWith("data:"))
    .map((line) => line.slice(5).trimStart())
    .join("\n");
  if (data && data !== "[DONE]") yield JSON.parse(data);
}
