"""What would leave the device, byte for byte, before it does.

Builds the body of a chat completion request and reads it back for a person to see. Redaction is
done before; sending is left to the tier.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from skerry.edge.engines.base import Message, Sampling
from skerry.edge.errors import InputError


@dataclass(frozen=True, slots=True)
class OutgoingMessage:
    """One message as it leaves. `text` is its content; whatever else it holds follows as JSON."""

    role: str
    text: str


@dataclass(frozen=True, slots=True)
class Preview:
    """Exactly what one request sends: `body` to `url`, with headers of the given names.

    `redactions` is how many identifiers were replaced beforehand. Header values are left out,
    as some are secret; none of them depends on the request.
    """

    url: str
    destination: str
    body: bytes = field(repr=False)
    header_names: tuple[str, ...] = ()
    redactions: int = 0

    @property
    def size_bytes(self) -> int:
        return len(self.body)

    @property
    def model(self) -> str:
        return str(self._request["model"])

    @property
    def seed(self) -> int | None:
        """The seed that the server is told; None lets it draw one."""
        seed: int | None = self._request.get("seed")
        return seed

    @property
    def messages(self) -> tuple[OutgoingMessage, ...]:
        """The messages, read back from `body`."""
        return tuple(outgoing(message) for message in self._request["messages"])

    @property
    def digest(self) -> str:
        """SHA-256, hexadecimal, of where and what: an approval of it covers nothing else."""
        return hashlib.sha256(b"\0".join((self.url.encode(), self.body))).hexdigest()

    @property
    def _request(self) -> dict[str, Any]:
        request: dict[str, Any] = json.loads(self.body)
        return request


def encode_request(
    messages: Sequence[Message],
    *,
    model: str,
    sampling: Sampling,
    max_tokens: int,
    stop: Sequence[str] = (),
    reasoning: bool = False,
) -> bytes:
    """The JSON body of a streamed chat completion, in UTF-8; the same input gives the same bytes.

    `top_k`, `min_p` and `repeat_penalty` are no part of that API and do not travel. A reasoning
    request says `max_completion_tokens` and no sampling, as reasoning models refuse the rest.
    (https://platform.openai.com/docs/api-reference/chat/create)

    Raises:
        InputError: no message, or one that is not JSON or not Unicode text.
    """
    if not messages:
        raise InputError("there is no message to send", hint="pass at least one message")
    limits = {"max_completion_tokens": max_tokens} if reasoning else {"max_tokens": max_tokens}
    request = {
        "model": model,
        "messages": [dict(message) for message in messages],
        "stream": True,
        "stream_options": {"include_usage": True},
        **limits,
        **({} if reasoning else _sampling(sampling)),
        **({"stop": list(stop)} if stop else {}),
    }
    return _to_json(request)


def _sampling(sampling: Sampling) -> dict[str, float]:
    given: dict[str, float] = {"temperature": sampling.temperature, "top_p": sampling.top_p}
    optional: dict[str, float | None] = {
        "frequency_penalty": sampling.frequency_penalty or None,
        "presence_penalty": sampling.presence_penalty or None,
        "seed": sampling.seed,
    }
    return given | {name: value for name, value in optional.items() if value is not None}


def _to_json(request: Mapping[str, object]) -> bytes:
    try:
        text = json.dumps(request, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        return text.encode()
    except UnicodeEncodeError as error:
        raise InputError(
            f"a message holds a lone surrogate ({error.object[error.start]!a})",
            hint="decode the text as UTF-8 first",
        ) from None
    except (TypeError, ValueError, RecursionError) as error:
        raise InputError(
            f"a message cannot be written as JSON: {error}",
            hint="messages hold strings, numbers, lists and mappings only",
        ) from None


def outgoing(message: Mapping[str, Any]) -> OutgoingMessage:
    """A message as a person is shown it."""
    rest = {name: value for name, value in message.items() if name not in ("role", "content")}
    parts = [
        _text(message.get("content")),
        *([json.dumps(rest, ensure_ascii=False)] if rest else []),
    ]
    return OutgoingMessage(str(message.get("role", "")), "\n".join(part for part in parts if part))


def _text(content: object) -> str:
    if content is None or isinstance(content, str):
        return content or ""
    return json.dumps(content, ensure_ascii=False)
