"""The texts that a teacher has written, and what its layers made of them, in a folder.

`texts.jsonl` has a line for each text; `hidden.f16` the hidden states, [tokens, taps, width] one
text after another. Both are only added to; what was cut off at the end is left out.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from skerry.export.distill.errors import DistillError

Hidden = NDArray[np.float16]
TEXTS, HIDDEN = "texts.jsonl", "hidden.f16"
_HELD_OUT = 25  # one text of so many is not learnt from
_CUT_OFF = 4096  # tokens of a text that was being written when it stopped


@dataclass(frozen=True, slots=True)
class Text:
    """Tokens, of which those from `start` on are the teacher's answer, at temperature `warmth`."""

    family: str
    tokens: list[int]
    start: int
    warmth: float


class CorpusWriter:
    """Adds texts to a folder; goes on where an earlier one stopped."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        _mend(folder / TEXTS)
        self.before = Corpus(folder, taps=1, width=1).tokens
        self._texts: IO[str] = (folder / TEXTS).open("a", encoding="utf-8")
        self._hidden: IO[bytes] = (folder / HIDDEN).open("r+b" if self.before else "wb")

    def add(self, text: Text, hidden: Hidden) -> None:
        """hidden: [tokens, taps, width]."""
        self._hidden.seek(self.before * hidden[0].nbytes)
        self._hidden.write(hidden.tobytes())
        self._hidden.flush()
        self._texts.write(json.dumps(asdict(text)) + "\n")
        self._texts.flush()
        self.before += len(text.tokens)

    def close(self) -> None:
        self._texts.close()
        self._hidden.close()


class Corpus:
    """What is in such a folder."""

    def __init__(self, folder: Path, *, taps: int, width: int) -> None:
        self.texts = list(_read(folder / TEXTS))
        self.starts = np.cumsum([0, *(len(text.tokens) for text in self.texts)])
        self._file, self._shape = folder / HIDDEN, (taps, width)

    @property
    def tokens(self) -> int:
        return int(self.starts[-1])

    def check(self) -> None:
        """Raises DistillError: the states are of other layers, or of another teacher."""
        row = math.prod(self._shape) * np.dtype(np.float16).itemsize
        held = self._file.stat().st_size // row if self._file.exists() else 0
        if not self.tokens <= held <= self.tokens + _CUT_OFF:
            raise DistillError(
                f"'{self._file}' does not hold this student's states of {self.tokens:,} tokens",
                hint="train with the --layers that the texts were written for, or write them anew",
            )

    def hidden(self, index: int) -> Hidden:
        """[tokens, taps, width] of one text."""
        taps, width = self._shape
        start, end = (int(one) for one in self.starts[index : index + 2])
        made: Hidden = np.fromfile(
            self._file, np.float16, (end - start) * taps * width, offset=start * taps * width * 2
        )
        return made.reshape(end - start, taps, width)

    def learnt(self) -> list[int]:
        """The indices of texts to learn from."""
        return [i for i in range(len(self.texts)) if i % _HELD_OUT]

    def held_out(self) -> list[int]:
        """The indices of greedy texts that are not learnt from."""
        every = range(0, len(self.texts), _HELD_OUT)
        return [i for i in every if self.texts[i].warmth == 0]


def _mend(file: Path) -> None:
    """Takes away a last line that was cut off."""
    if file.exists():
        whole = file.read_bytes()
        with file.open("r+b") as opened:
            opened.truncate(whole.rfind(b"\n") + 1)


def _read(file: Path) -> Iterator[Text]:
    for line in file.read_text("utf-8").split("\n") if file.exists() else ():
        if line.endswith("}"):
            fields: dict[str, Any] = json.loads(line)
            yield Text(**fields)
