"""Where sentences end, in a whole text and in one that is still arriving.

Rules over punctuation, abbreviations and line starts, in linear time; it knows no language model.
What is then done with a sentence is left to the gate and to the chunker.
"""

from __future__ import annotations

import re
from enum import Enum

LONGEST = 2000
"""Code points after which a run without an end is cut, at white space where there is some."""

_CANDIDATE = re.compile(
    r"(?<![.!?…])(?P<latin>[.!?…]++)[\"'”’)\]»*_]*+(?=[\s\[]|\Z)"
    r"|(?P<full>[。！？｡؟۔।]+)[」』”’）]*"
    r"|\n"
)
_SPACE = re.compile(r"\s*")
_OPENING = "\"'“‘([«*_"
_OPENERS = re.compile(f"[{re.escape(_OPENING)}]*")
_MARK = re.compile(r"[ \t]*\[\d{1,3}(?:[ ,;–-]{1,3}\d{1,3}){0,5}\]")
_MARK_BEGUN = re.compile(r"[ \t]*(?:\[[\d ,;–-]{0,40})?")
_LINE_START = re.compile(r"[-*•‣◦+][ \t]|\d{1,3}[.)][ \t]|#{1,6}[ \t]|[|>]|```")
_LINE_START_BEGUN = re.compile(r"[-*•‣◦+]|\d{1,3}[.)]?|#{1,6}|`{1,2}")
_ENUMERATOR = re.compile(r"\W*(?:\d{1,3}|[^\W\d_])")
_INITIAL_AFTER_NAME = re.compile(r"\b(?:Drs?|Mrs?|Ms|Prof|Rev|Sr|Sir|[A-Z])\.?\s+[A-Z]$", re.ASCII)
_LOOK_BACK = 48

_NEVER_LAST = frozenset(
    "dr drs mr mrs ms prof rev st e.g i.e eg ie cf vs viz approx incl excl dept".split()
)
_BEFORE_NUMBER = frozenset(
    "no nos fig figs p pp vol sec ch eq ref refs para ca c tel ext art ver v".split()
)


class _Verdict(Enum):
    NO = "no sentence ends here"
    WAIT = "more text decides"


def sentences(text: str) -> list[tuple[int, int]]:
    """Spans `(start, end)` of the sentences of `text`, in code points.

    Spans are in order, do not overlap, have no white space at their ends, and leave out nothing but
    white space. A citation mark such as ` [2]` after a full stop belongs to the sentence
    before it. List items, headings and table rows are sentences of their own.
    """
    spans = []
    start = 0
    while start < len(text):
        end, _ = _end(text[start : start + LONGEST], 0, final=start + LONGEST >= len(text))
        assert end is not None  # a full or final window always has an end
        spans.append(_trimmed(text, start, start + end))
        start += end
    return [(start, end) for start, end in spans if start < end]


class SentenceBuffer:
    """Releases sentences of a text as it arrives.

    The strings that `feed` and `flush` give concatenate to exactly what was fed. They do not
    depend on how the text was cut into feeds, and without their outer white space they are
    the spans of `sentences`. Not thread-safe.
    """

    def __init__(self) -> None:
        self._text = ""
        self._decided = 0

    def feed(self, text: str) -> list[str]:
        """Takes the next part of the text; gives the sentences that are now certain to be whole."""
        self._text += text
        return self._release(final=False)

    def flush(self) -> list[str]:
        """Gives what is left, as at the end of the text. The buffer is then empty, as when new."""
        return self._release(final=True)

    def _release(self, *, final: bool) -> list[str]:
        released = []
        start = 0
        while start < len(self._text):
            window = self._text[start : start + LONGEST]
            last = final and start + LONGEST >= len(self._text)
            end, self._decided = _end(window, self._decided, final=last)
            if end is None:
                break
            released.append(window[:end])
            start += end
        self._text = self._text[start:]
        return released


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    part = text[start:end]
    return end - len(part.lstrip()), start + len(part.rstrip())


def _end(window: str, decided: int, *, final: bool) -> tuple[int | None, int]:
    """Where the sentence that begins `window` ends, its trailing white space included.

    `window` has at most LONGEST code points; a window that long is decided by itself, so that
    the result never depends on how much more of the text has arrived. `decided` is how far
    earlier calls have looked in vain. Gives (end or None, how far it has looked now).
    """
    full = len(window) == LONGEST
    for candidate in _CANDIDATE.finditer(window, decided):
        verdict = _judge(window, candidate, final=final or full)
        if verdict is _Verdict.WAIT:
            return None, candidate.start()
        if isinstance(verdict, int):
            return verdict, 0
    if full:
        return _forced(window), 0
    return (len(window), 0) if final else (None, len(window))


def _forced(window: str) -> int:
    """Where a run without an end is cut: after its last white space, or at its length."""
    if window[-1].isspace():
        return len(window)
    last_word = window.rsplit(None, 1)[-1]
    return len(window) - len(last_word) or len(window)


def _judge(window: str, candidate: re.Match[str], *, final: bool) -> int | _Verdict:
    """Whether a sentence ends at `candidate`: its end, or a verdict. `final`: nothing follows."""
    if candidate.end() == len(window) and not final:
        return _Verdict.WAIT
    after = candidate.end()
    if candidate["latin"] or candidate["full"]:
        marked = _after_marks(window, after, final=final)
        if marked is None:
            return _Verdict.WAIT
        after = marked
    else:
        after = candidate.start()
    return _judge_gap(window, candidate, after, final=final)


def _after_marks(window: str, at: int, *, final: bool) -> int | None:
    """Past the citation marks at `at`; None if more text may make or extend one."""
    while found := _MARK.match(window, at):
        at = found.end()
    begun = _MARK_BEGUN.match(window, at)
    assert begun is not None  # the pattern matches the empty string
    return None if begun.end() == len(window) and not final else at


def _judge_gap(window: str, candidate: re.Match[str], after: int, *, final: bool) -> int | _Verdict:
    """Judges by the white space from `after` on and by what follows it."""
    space = _SPACE.match(window, after)
    assert space is not None  # the pattern matches the empty string
    following = space.end()
    if following == len(window):
        return following if final else _Verdict.WAIT
    breaks = space.group().count("\n")
    if breaks > 1 or (breaks and window.lstrip().startswith(("#", "|"))):
        return following
    if breaks:
        begins = _begins_line(window, following, final=final)
        if begins is not _Verdict.NO:
            return begins
    if candidate["full"]:
        return following
    if not candidate["latin"] or following == after:
        return _Verdict.NO
    return _judge_words(window, candidate, following, final=final)


def _begins_line(window: str, at: int, *, final: bool) -> int | _Verdict:
    """`at` if a list item, heading, quotation, table row or code fence begins there."""
    if _LINE_START.match(window, at):
        return at
    if not final and _LINE_START_BEGUN.fullmatch(window, at):
        return _Verdict.WAIT
    return _Verdict.NO


def _judge_words(
    window: str, candidate: re.Match[str], following: int, *, final: bool
) -> int | _Verdict:
    """Judges Latin punctuation by the word before it and the first letter after it."""
    openers = _OPENERS.match(window, following)
    assert openers is not None  # the pattern matches the empty string
    first = window[openers.end() : openers.end() + 1]
    if not first:
        return following if final else _Verdict.WAIT
    if first.islower():
        return _Verdict.NO
    if candidate["latin"] == "." and _abbreviates(window, candidate.start(), first):
        return _Verdict.NO
    return following


def _abbreviates(window: str, stop: int, first: str) -> bool:
    """Whether the full stop at `stop` is part of an abbreviation, an initial or a list number."""
    if stop < _LOOK_BACK and _ENUMERATOR.fullmatch(window, 0, stop):
        return True
    tail = window[max(0, stop - _LOOK_BACK) : stop]
    word = "" if tail[-1:].isspace() else (tail.split() or [""])[-1].lstrip(_OPENING).lower()
    if word in _NEVER_LAST or (len(word) == 1 and _INITIAL_AFTER_NAME.search(tail)):
        return True
    return first.isdigit() and (word in _BEFORE_NUMBER or "." in word.strip("."))
