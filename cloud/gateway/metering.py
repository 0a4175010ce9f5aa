"""Reads from answers what they used, while they pass.

Where an upstream does not tell, the gateway counts itself: a token for each event of a stream, and
one for every four bytes of a prompt.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import msgspec

BYTES_PER_TOKEN = 4
_MOST_KEPT = 1 << 20
_END = 4_096
_MOST_EVENT = 1 << 20
_MOST_TOKENS = 1_000_000_000  # of one answer, whatever a server says


class Usage(msgspec.Struct, frozen=True):
    prompt_tokens: int = 0
    completion_tokens: int = 0


class _Answer(msgspec.Struct, frozen=True):
    usage: Usage | None = None


class _Event(msgspec.Struct, frozen=True):
    usage: Usage | None = None
    choices: list[msgspec.Raw] = []


_answer = msgspec.json.Decoder(_Answer)
_event = msgspec.json.Decoder(_Event)


@dataclass(frozen=True, slots=True)
class Tokens:
    """What an answer used. `estimated` of them were counted here."""

    prompt: int
    completion: int
    estimated: int


class Meter(Protocol):
    def feed(self, chunk: bytes) -> bytes:
        """What of the answer is to go on to the client now."""
        ...

    def rest(self) -> bytes:
        """What was still held at the end."""
        ...

    def tokens(self, prompt_bytes: int) -> Tokens: ...


class JsonMeter:
    """Of an answer in one piece. Of one over 1 MiB only the end is kept, where usage stands."""

    def __init__(self) -> None:
        self._kept = bytearray()
        self._length = 0

    def feed(self, chunk: bytes) -> bytes:
        self._length += len(chunk)
        self._kept += chunk
        if self._length > _MOST_KEPT:
            del self._kept[:-_END]
        return chunk

    def rest(self) -> bytes:
        return b""

    def tokens(self, prompt_bytes: int) -> Tokens:
        usage = _usage_of(bytes(self._kept), whole=self._length <= _MOST_KEPT)
        return _counted(usage, prompt_bytes, self._length // BYTES_PER_TOKEN)


def _usage_of(answer: bytes, *, whole: bool) -> Usage | None:
    """`whole`: all of it is there, not only its end."""
    if not whole:
        answer = b"{" + answer[max(0, answer.rfind(b'"usage"')) :]
    try:
        return _answer.decode(answer).usage
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


class StreamMeter:
    """Of server-sent events. `drops` the event that has nothing but usage: the client did not ask
    for it, the gateway did."""

    def __init__(self, *, drops: bool) -> None:
        self._drops = drops
        self._held = b""
        self._events = 0
        self._usage: Usage | None = None

    def feed(self, chunk: bytes) -> bytes:
        """Whole events; one that is not whole yet is held, up to 1 MiB of it."""
        data = self._held + chunk
        end = max(data.rfind(b"\n\n") + 2, data.rfind(b"\r\n\r\n") + 4)
        if end < 4:
            end = 0 if len(data) <= _MOST_EVENT else len(data)
        whole, self._held = data[:end], data[end:]
        return self._read(whole) if whole else b""

    def rest(self) -> bytes:
        held, self._held = self._held, b""
        return self._read(held) if held else b""

    def tokens(self, prompt_bytes: int) -> Tokens:
        return _counted(self._usage, prompt_bytes, self._events)

    def _read(self, events: bytes) -> bytes:
        if b'"usage"' not in events:
            self._events += events.count(b"data:") - events.count(b"data: [DONE]")
            return events
        gap = b"\r\n\r\n" if b"\r\n\r\n" in events else b"\n\n"
        return gap.join(one for one in events.split(gap) if self._passes(one))

    def _passes(self, event: bytes) -> bool:
        _, found, data = event.partition(b"data:")
        if not found or data.strip() == b"[DONE]":
            return True
        try:
            read = _event.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return True
        self._usage = read.usage or self._usage
        self._events += bool(read.choices)
        return bool(read.choices) or read.usage is None or not self._drops


def meter(content_type: str, *, drops: bool) -> Meter:
    streams = content_type.partition(";")[0].strip() == "text/event-stream"
    return StreamMeter(drops=drops) if streams else JsonMeter()


def _counted(usage: Usage | None, prompt_bytes: int, completion: int) -> Tokens:
    if usage is not None:
        counts = (usage.prompt_tokens, usage.completion_tokens)
        prompt, completion = (min(max(0, count), _MOST_TOKENS) for count in counts)
        return Tokens(prompt, completion, 0)
    prompt = -(-prompt_bytes // BYTES_PER_TOKEN)
    return Tokens(prompt, completion, prompt + completion)
