"""What travels between devices, publishers and a cloud that holds collections. Pure.

A device sends the signs and sizes of a vector as int8 codes and gets passages back; a publisher
sends parts of documents with the vectors of their passages. Every struct is checked as it is read.
Times are Unix seconds.
"""

from __future__ import annotations

import binascii
import hashlib
import math
from base64 import b64decode, b64encode
from collections.abc import Sequence
from typing import Annotated, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from skerry.cloud.errors import RequestError

Codes = NDArray[np.int8]
Floats = NDArray[np.float32]

MOST_PASSAGES = 20
"""That one search gives back."""
MOST_IN_PART = 256
"""Passages in a part: a document with more of them travels in several."""
MOST_AT_ONCE = 1_000
"""Parts in one request."""
MOST_PARTS = 50_000
"""In one collection."""
MOST_CHARACTERS = 16_000
"""Of a passage."""
MOST_DIMENSIONS = 4_096
MOST_ANSWER_BYTES = 1 << 20

Short = Annotated[str, msgspec.Meta(max_length=1_000)]
Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,63}\Z")]
Encoder = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Digest = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=MOST_CHARACTERS)]
Offset = Annotated[int, msgspec.Meta(ge=0, lt=1 << 40)]
Dimensions = Annotated[int, msgspec.Meta(ge=1, le=MOST_DIMENSIONS)]


class BadCollection(RequestError):
    """What was sent for a collection, or back, is not what it should be."""

    code = "bad_collection"


class Struct(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A value of the wire; unknown fields are refused."""


class Search(Struct, frozen=True):
    """What leaves a device: the encoder's id, int8 codes in base64, and how many passages."""

    encoder: Encoder
    vector: Annotated[str, msgspec.Meta(max_length=MOST_DIMENSIONS * 4 // 3 + 4)]
    passages: Annotated[int, msgspec.Meta(ge=1, le=MOST_PASSAGES)] = 4

    def codes(self) -> Codes:
        """Raises BadCollection: it is no vector, or one of zeros, which is near to nothing."""
        try:
            found = np.frombuffer(b64decode(self.vector, validate=True), np.int8)
        except (binascii.Error, ValueError):
            raise BadCollection("the vector is not int8 codes in base64") from None
        if not found.any():
            raise BadCollection("the vector is empty, or has only zeros")
        return found


class Governed(Struct, frozen=True):
    """What a document is called and when it is in force, as a citation tells it.

    `source` is its path below the folder that was published. It is in force from `valid_from` until
    the earlier of `expires_at` and `superseded_at`.
    """

    title: Short
    source: Short
    version: Short
    valid_from: float
    expires_at: float | None = None
    superseded_at: float | None = None
    domain: Short = ""

    def __post_init__(self) -> None:
        times = (self.valid_from, self.expires_at, self.superseded_at)
        if not all(math.isfinite(one) for one in times if one is not None):
            raise ValueError("a time is not a number of seconds")

    @property
    def ends(self) -> float:
        """Infinite for never."""
        ends = (self.expires_at, self.superseded_at)
        return min((one for one in ends if one is not None), default=math.inf)

    def in_force(self, at: float) -> bool:
        return self.valid_from <= at < self.ends


class Passage(Struct, frozen=True):
    """A piece of a document; `start` and `end` are its offsets there, in code points."""

    text: Text
    heading: Annotated[tuple[Short, ...], msgspec.Meta(max_length=32)] = ()
    start: Offset = 0
    end: Offset = 0


class Part(Struct, frozen=True):
    """Some passages of one document, with int8 codes [passages, dimensions] as bytes."""

    encoder: Encoder
    dimensions: Dimensions
    document: Governed
    passages: Annotated[tuple[Passage, ...], msgspec.Meta(min_length=1, max_length=MOST_IN_PART)]
    vectors: bytes

    def __post_init__(self) -> None:
        if len(self.vectors) != len(self.passages) * self.dimensions:
            raise ValueError("the vectors are not one of each passage")
        codes = np.frombuffer(self.vectors, np.int8).reshape(len(self.passages), self.dimensions)
        if not codes.any(axis=1).all():
            raise ValueError("a vector has only zeros")


class Bodies(Struct, frozen=True):
    """Parts as they are written, so that each has its digest."""

    parts: Annotated[tuple[bytes, ...], msgspec.Meta(min_length=1, max_length=MOST_AT_ONCE)]


class Wanted(Struct, frozen=True):
    """Digests of parts, of which a publisher asks which are missing."""

    parts: Annotated[tuple[Digest, ...], msgspec.Meta(max_length=MOST_PARTS)]


class Publish(Struct, frozen=True):
    """All that a collection is to have from now on: parts that were sent before, by digest."""

    encoder: Encoder
    dimensions: Dimensions
    parts: Annotated[tuple[Digest, ...], msgspec.Meta(min_length=1, max_length=MOST_PARTS)]


class Missing(Struct, frozen=True):
    missing: tuple[Digest, ...]


class Info(msgspec.Struct, frozen=True):
    """A collection as it is listed; `digest` is of its encoder and all its parts."""

    name: Name
    encoder: Encoder
    dimensions: Dimensions
    documents: int
    passages: int
    digest: Digest
    published_at: float


class Listed(msgspec.Struct, frozen=True):
    """Fields that a later version adds are skipped."""

    data: Annotated[tuple[Info, ...], msgspec.Meta(max_length=1_000)]


class Found(msgspec.Struct, frozen=True):
    """A passage that is near the vector, best first; `similarity` is the cosine, of the codes."""

    document: Governed
    passage: Passage
    similarity: float


class Answer(msgspec.Struct, frozen=True):
    """`digest` names the version of the collection that was searched."""

    collection: Name
    encoder: Encoder
    digest: Digest
    found: Annotated[tuple[Found, ...], msgspec.Meta(max_length=MOST_PASSAGES)]


Kind = TypeVar("Kind", bound=msgspec.Struct)


def read(body: bytes, kind: type[Kind]) -> Kind:
    """A struct from JSON.

    Raises:
        BadCollection: it is none.
    """
    return _read(msgspec.json.decode, body, kind)


def read_parts(body: bytes) -> dict[str, Part]:
    """Parts by their digests, from MessagePack. Raises BadCollection: one is none."""
    bodies = _read(msgspec.msgpack.decode, body, Bodies).parts
    return {digest_of(one): _read(msgspec.msgpack.decode, one, Part) for one in bodies}


def _read(decode: object, body: bytes, kind: type[Kind]) -> Kind:
    try:
        found: Kind = decode(body, type=kind)  # type: ignore[operator]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadCollection(f"what was sent cannot be read: {error}") from None
    return found


def written(one: msgspec.Struct) -> bytes:
    """JSON; the same struct gives the same bytes."""
    return msgspec.json.encode(one)


def written_part(part: Part) -> bytes:
    """MessagePack; the same part gives the same bytes."""
    return msgspec.msgpack.encode(part)


def written_parts(bodies: Sequence[bytes]) -> bytes:
    """What carries several parts, each as `written_part` wrote it."""
    return msgspec.msgpack.encode(Bodies(tuple(bodies)))


def digest_of(body: bytes) -> str:
    """SHA-256, in hex."""
    return hashlib.sha256(body).hexdigest()


def quantised(vectors: Floats) -> Codes:
    """int8 codes of vectors, float32 [n, dimensions]: each is scaled to 127 at its largest.

    The length is lost, which a cosine does not need.

    Raises:
        BadCollection: a vector has only zeros, or what is no number.
    """
    largest = np.abs(vectors).max(axis=1, keepdims=True, initial=0.0)
    if not (np.isfinite(largest).all() and (largest > 0).all()):
        raise BadCollection("a vector has only zeros, or what is no number")
    codes: Codes = np.rint(vectors * (127 / largest)).astype(np.int8)
    return codes


def search_of(encoder: str, vector: Floats, passages: int) -> Search:
    """What asks for the passages nearest to `vector`, float32 [dimensions]."""
    codes = quantised(vector[None, :])[0]
    return Search(encoder, b64encode(codes.tobytes()).decode("ascii"), passages)


def version_of(encoder: str, parts: Sequence[str]) -> str:
    """The digest of a collection that has these parts."""
    return digest_of("\n".join((encoder, *sorted(parts))).encode())
