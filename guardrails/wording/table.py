"""The table of word vectors: which row a word has. How it is made is a training recipe's business.

A word is known by the CRC-32 of its lower-case letters, so that no list of words need be loaded.
Words that are not in it share rows by their digest, after the rows of known ones.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from skerry.guardrails.errors import GuardrailError
from skerry.guardrails.once import Once
from skerry.guardrails.weights import Weights
from skerry.guardrails.wording.arrays import arrays

DEFAULT_FOLDER = Path(__file__).parent / "weights"
MANIFEST = "table.json"
TABLE = "table.npz"
_LEET = str.maketrans("013457@$!8", "oieastasib")


@dataclass(frozen=True, slots=True)
class WordTable:
    """`vectors`, float32 [rows, dimensions]: one row a known word, then those that others share."""

    vectors: NDArray[np.float32] = field(repr=False)
    _rows: dict[int, int] = field(repr=False)

    @classmethod
    def load(cls, folder: Path = DEFAULT_FOLDER, *, sha256: str | None = None) -> WordTable:
        """The table in `folder`, or the one that comes with the package.

        `sha256` is the digest of its manifest, where a bundle says it.

        Raises:
            GuardrailError: a file is missing, truncated, was changed or is no table.
        """
        found = arrays(Weights.read(folder, MANIFEST, sha256=sha256), TABLE)
        try:
            digests, codes, scale = found["digests"], found["codes"], found["scale"]
            vectors = codes.astype(np.float32) * scale.astype(np.float32)
            rows = {int(digest): row for row, digest in enumerate(digests.tolist())}
        except (KeyError, ValueError, TypeError) as error:
            what = f"'{folder / TABLE}' is not a table of word vectors: {error!r}"
            raise GuardrailError(what, hint="Reinstall skerry.") from error
        return cls(vectors, rows)

    def row(self, word: str) -> tuple[int, bool]:
        """The row of a word in lower case, and whether the word is known."""
        found = self._rows.get(zlib.crc32(word.encode("utf-8", "surrogatepass")))
        if found is None and not word.isalpha():
            plain = word.translate(_LEET)
            found = self._rows.get(zlib.crc32(plain.encode("utf-8", "surrogatepass")))
        return (self._shared_row(word), False) if found is None else (found, True)

    def _shared_row(self, word: str) -> int:
        known = len(self._rows)
        digest = zlib.crc32(b"?" + word.encode("utf-8", "surrogatepass"))
        return known + digest % (len(self.vectors) - known)


shared: Once[WordTable] = Once(WordTable.load)
"""The table that comes with the package, loaded once.

Raises:
    GuardrailError: it cannot be loaded.
"""
