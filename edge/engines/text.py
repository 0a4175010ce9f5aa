"""Text that goes into an engine and text that comes out of it: cleaning, UTF-8, stop strings.

Pure; every engine uses it. Tokenising is the engine's own.
"""

from __future__ import annotations

import codecs
from collections.abc import Sequence

REPLACEMENT = "\ufffd"


def clean_text(text: str) -> str:
    """`text` as well-formed Unicode: surrogate pairs joined, lone surrogates and NUL replaced.

    Half an emoji or a NUL from a broken document should not cost the user the answer, so both
    become U+FFFD, as CommonMark (2.3, insecure characters) does with NUL. Other text is untouched.
    """
    if not text.isascii() and not _encodable(text):
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text.replace("\x00", REPLACEMENT)


def _encodable(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


class TextStream:
    """Turns the bytes of tokens into text that may be shown, and stops at a stop string.

    Held back: the bytes of an unfinished UTF-8 character, and the longest tail that a stop string
    begins with. The stop string that ends first wins; what was shown does not
    depend on how the bytes were cut. Invalid bytes become U+FFFD.
    """

    def __init__(self, stop: Sequence[str] = ()) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._stop = tuple(stop)
        self._held = ""
        self.decoded = 0
        """Code points decoded so far."""
        self.shown = 0
        """Code points given out so far."""
        self.stopped = False
        """Whether a stop string was met; nothing more is shown then."""

    def feed(self, data: bytes) -> str:
        """Takes the bytes of one token; returns the text that may now be shown."""
        text = self._decoder.decode(data)
        self.decoded += len(text)
        if not self._stop:
            self.shown += len(text)
            return text
        return self._release(self._held + text)

    def finish(self) -> str:
        """The rest of the text; an unfinished UTF-8 character at the end is dropped."""
        rest, self._held = self._held, ""
        self.shown += len(rest)
        return rest

    def _release(self, text: str) -> str:
        cut = self._stop_at(text)
        self.stopped = cut is not None
        if cut is None:
            cut = len(text) - self._tail(text)
            self._held = text[cut:]
        else:
            self._held = ""
        self.shown += cut
        return text[:cut]

    def _stop_at(self, text: str) -> int | None:
        """Where the stop string that ends first begins; of those, the longest."""
        found = [(at + len(stop), at) for stop in self._stop if (at := text.find(stop)) >= 0]
        return min(found)[1] if found else None

    def _tail(self, text: str) -> int:
        """Length of the longest end of `text` that is a beginning of a stop string."""
        longest = min(len(text), max(map(len, self._stop)) - 1)
        for size in range(longest, 0, -1):
            if any(stop.startswith(text[-size:]) for stop in self._stop):
                return size
        return 0
