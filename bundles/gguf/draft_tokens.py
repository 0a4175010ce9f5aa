"""The tokens of a draft model that says only the frequent ones of its target's vocabulary.

The vocabulary is half of so small a model (Goel et al. 2025, arXiv:2506.22694, cut it in the same
way): what it saves there it has in layers. A token that it cannot say it reads as the nearest one
that it can. Both maps are text in the model's GGUF file: little-endian integers of 32 bits,
deflated, in base64.
"""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skerry.bundles.gguf.errors import GgufInvalid

Ids = NDArray[np.int32]

_SAID, _READ_AS = "skerry.draft.said", "skerry.draft.read_as"
_VOCABULARY = "skerry.draft.vocabulary"
_MOST_BYTES = 4 * 2**20


@dataclass(frozen=True, slots=True)
class DraftTokens:
    """`said` [draft tokens]: the target's id of each, ascending; `read_as` [target tokens]: the
    draft's id for each; `vocabulary`: the digest of the target's tokens."""

    said: Ids
    read_as: Ids
    vocabulary: bytes

    def facts(self) -> dict[str, str]:
        """As key-values of a GGUF file."""
        return {
            _SAID: _packed(self.said),
            _READ_AS: _packed(self.read_as),
            _VOCABULARY: self.vocabulary.hex(),
        }

    def widened(self, row: NDArray[np.float32]) -> NDArray[np.float32]:
        """Logits [draft tokens] as logits [target tokens]: what is never said has none."""
        whole = np.full(len(self.read_as), -np.inf, np.float32)
        whole[self.said] = row
        return whole


def all_of(size: int, vocabulary: bytes = b"") -> DraftTokens:
    """The maps of a model that has all of its target's `size` tokens."""
    every = np.arange(size, dtype=np.int32)
    return DraftTokens(every, every, vocabulary)


def draft_tokens(facts: Mapping[str, object], size: int) -> DraftTokens | None:
    """The maps in the key-values of a GGUF file that has `size` tokens; None: it has none.

    Raises:
        GgufInvalid: they are damaged, or fit another model.
    """
    if _SAID not in facts:
        return None
    try:
        made = DraftTokens(
            _unpacked(facts[_SAID]),
            _unpacked(facts[_READ_AS]),
            bytes.fromhex(str(facts[_VOCABULARY])),
        )
    except (KeyError, ValueError, binascii.Error, zlib.error) as error:
        raise _invalid("its token maps are damaged") from error
    if not _fits(made, size):
        raise _invalid("its token maps do not fit its tokens")
    return made


def _fits(tokens: DraftTokens, size: int) -> bool:
    said, read_as = tokens.said, tokens.read_as
    if len(said) != size or not 0 < size <= len(read_as):
        return False
    ascending = bool((np.diff(said) > 0).all()) and said[0] >= 0 and said[-1] < len(read_as)
    inside = read_as.min() >= 0 and read_as.max() < size
    return ascending and bool(inside) and np.array_equal(read_as[said], np.arange(size))


def _packed(ids: Ids) -> str:
    return base64.b64encode(zlib.compress(ids.astype("<i4").tobytes(), 9)).decode()


def _unpacked(text: object) -> Ids:
    packed = base64.b64decode(str(text), validate=True)
    unpacking = zlib.decompressobj()
    found = np.frombuffer(unpacking.decompress(packed, _MOST_BYTES), "<i4").astype(np.int32)
    if not unpacking.eof:
        raise ValueError("too long")
    return found


def _invalid(what: str) -> GgufInvalid:
    return GgufInvalid(f"the draft model cannot be used: {what}", hint="export it again")
