"""Parts of collections, small ones with vectors that are easy to think of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from skerry.cloud.collections.wire import (
    Codes,
    Governed,
    Part,
    Passage,
    Publish,
    Search,
    digest_of,
    search_of,
    written_part,
)

ENCODER = "minilm-test@1"
DIMENSIONS = 8
NOW = 1_800_000_000.0


def axis(number: int, dimensions: int = DIMENSIONS) -> Codes:
    """The codes of a vector that points along one axis."""
    codes = np.zeros(dimensions, np.int8)
    codes[number] = 127
    return codes


def asked(number: int, passages: int = 4) -> Search:
    return search_of(ENCODER, axis(number).astype(np.float32), passages)


@dataclass(frozen=True)
class Sent:
    digest: str
    body: bytes
    part: Part


def part(
    name: str,
    *axes: int,
    encoder: str = ENCODER,
    valid_from: float = 0.0,
    expires_at: float | None = None,
    superseded_at: float | None = None,
) -> Sent:
    """A document `name` with a passage for each axis."""
    document = Governed(name, f"{name}.md", "2", valid_from, expires_at, superseded_at)
    passages = tuple(Passage(f"{name} says {one}", (name,), one, one + 5) for one in axes)
    vectors = b"".join(axis(one).tobytes() for one in axes)
    made = Part(encoder, DIMENSIONS, document, passages, vectors)
    body = written_part(made)
    return Sent(digest_of(body), body, made)


def publish(*sent: Sent, encoder: str = ENCODER) -> Publish:
    return Publish(encoder, DIMENSIONS, tuple(one.digest for one in sent))
