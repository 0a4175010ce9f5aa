"""A server of the completions API over a simulated target, for tests: the HTTP contract is real,
the model is a hash. Each dialect tells token ids in its own way."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

from skerry.cloud.hints.choice import Row, candidates
from skerry.cloud.hints.choice import Sampling as Chosen
from tests.cloud.simulated import END, SIZE, logits
from tests.cloud.talking import piece

MODEL = "simulated"


@dataclass
class Fake:
    """What it is like, and what it was asked. `broken` answers in place of everything, `refusal`
    of completions. `talks`: it has routes for chats and texts, and
    `has_system`: its chat template knows that role."""

    owner: str = "vllm"
    key: str = ""
    context: int = 512
    seeded: bool = True
    ids: bool = True
    broken: tuple[int, bytes] | None = None
    refusal: tuple[int, bytes] | None = None
    hold: threading.Event = field(default_factory=threading.Event)
    held: threading.Event = field(default_factory=threading.Event)
    slow: bool = False
    cut: bool = False
    sample: tuple[int, ...] = (1,) * 7
    talks: bool = True
    has_system: bool = True
    spelled: int = 0
    asked: list[dict[str, Any]] = field(default_factory=list)


def completed(body: dict[str, Any], fake: Fake) -> dict[str, Any]:
    """The answer to a request for completions."""
    prompts = body["prompt"]
    prompts = prompts if isinstance(prompts[0], list) else [prompts]
    choices = []
    for index, prompt in enumerate(prompts):
        token = _chosen(prompt, body, fake)
        stop = "stop" if token == END else "length"
        choices.append({"index": index, "text": "?", "finish_reason": stop} | _ids(token, fake))
    return {"object": "text_completion", "choices": choices[::-1]}


def _chosen(prompt: list[int], body: dict[str, Any], fake: Fake) -> int:
    row = _biased(logits(prompt), body.get("logit_bias") or {})
    if not body["temperature"]:
        return int(row.argmax())
    filters = {name: body.get(name, 0) for name in ("top_k", "min_p")}
    sampling = Chosen(temperature=body["temperature"], top_p=body["top_p"], **filters)
    ids, scaled = candidates(row, sampling)
    random = np.random.default_rng(body["seed"] if fake.seeded else None)
    return int(ids[(scaled + random.gumbel(size=SIZE)[ids]).argmax()])


def _biased(row: Row, bias: Any) -> Row:
    changed = row.copy()
    for token, by in bias if isinstance(bias, list) else bias.items():
        changed[int(token)] += by
    return changed


def _ids(token: int, fake: Fake) -> dict[str, Any]:
    if not fake.ids:
        return {"logprobs": {"tokens": ["?"]}}
    if fake.owner == "sglang":
        return {"token_ids": [token]}
    if fake.owner == "llamacpp":
        return {"logprobs": {"content": [{"id": token, "token": "?"}]}}
    return {"logprobs": {"tokens": [f"token_id:{token}"], "token_logprobs": [-0.5]}}


Answered = tuple[dict[str, Any], tuple[int, bytes] | None]


def text_route(path: str, body: dict[str, Any], fake: Fake) -> Answered | None:
    """What the routes for chats and texts answer, as vLLM has them, or as llama-server; None: it is
    none of them."""
    route = path.rpartition("/")[2]
    if route == "tokenize" and "messages" not in body:
        special = body.get("parse_special")
        return {"tokens": tokens_of(body["content"]) if special else fake.sample}, None
    if route not in {"tokenize", "detokenize", "apply-template"}:
        return None
    whole = fake.owner == "vllm"
    if (
        not fake.talks
        or fake.owner not in {"vllm", "llamacpp"}
        or _OWN[route] not in {"", fake.owner}
    ):
        return {}, (404, b"{}")
    if route == "detokenize":
        fake.spelled += 1
        said = b"".join(map(piece, body["tokens"])).decode("utf-8", "replace")
        return {"prompt" if whole else "content": said}, None
    roles = [one["role"] for one in body["messages"]]
    if "system" in roles[1 if fake.has_system else 0 :]:
        return {}, (400 if whole else 500, b'{"error": "no such role"}')
    said = "".join(f"<|{one['role']}|> {one['content']} <|end|> " for one in body["messages"])
    said += "<|assistant|>"
    return {"tokens": tokens_of(said)} if whole else {"prompt": said}, None


_OWN = {"tokenize": "vllm", "apply-template": "llamacpp", "detokenize": ""}
"""Whose the routes are, where they take a chat."""


def tokens_of(text: str) -> list[int]:
    """A token for each word."""
    return [1 + sum(map(ord, word)) % (SIZE - 1) for word in text.split()]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # one packet for an answer
    fake: Fake

    def do_GET(self) -> None:
        if not self.path.endswith("/models"):
            self._answer({}, (404, b"{}"))
            return
        model = {"id": MODEL, "owned_by": self.fake.owner, "max_model_len": self.fake.context}
        self._answer({"object": "list", "data": [model]})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if (said := text_route(self.path, body, self.fake)) is not None:
            self._answer(*said)
            return
        self.fake.asked.append(body)
        if self.fake.slow:
            self.fake.held.set()
            self.fake.hold.wait()
        self._answer(completed(body, self.fake), self.fake.refusal)

    def _answer(self, said: dict[str, Any], instead: tuple[int, bytes] | None = None) -> None:
        whole = (200, json.dumps(said).encode())
        status, data = self.fake.broken or instead or whole
        if self.fake.key and self.headers["authorization"] != f"Bearer {self.fake.key}":
            status, data = 401, b'{"error": "Unauthorized"}'
        self.send_response(status)
        self.send_header("content-length", str(len(data) + self.fake.cut))
        self.end_headers()
        self.wfile.write(data)
        self.close_connection |= self.fake.cut

    def log_message(self, *_: object) -> None:
        """Says nothing."""


_TEMPLATE = (
    "{% for one in messages %}{% if one.content == 'REFUSE' %}{{ raise_exception('no') }}"
    "{% endif %}{{ one.role }} {{ one.content }} {% endfor %}"
)


def tokenizer_json(folder: Path, size: int = SIZE, *, unknown: str = "w1") -> Path:
    """A tokenizer of `size` tokens that ends answers with `END`; English is `unknown` to it."""
    words = {"[END]": END} | {f"w{token}": token for token in range(1, size)}
    tokenizer = Tokenizer(WordLevel(words, unk_token=unknown))
    tokenizer.pre_tokenizer = Whitespace()
    path = folder / "tokenizer.json"
    tokenizer.save(str(path))
    config = {
        "eos_token": "[END]",
        "tokenizer_class": "PreTrainedTokenizerFast",
        "chat_template": _TEMPLATE,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    return path


@contextmanager
def faked(fake: Fake) -> Iterator[str]:
    """The base URL."""
    handler = type("Handler", (_Handler,), {"fake": fake})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        fake.hold.set()
        server.shutdown()
        thread.join()
        server.server_close()
