"""Orders in documents that speak of whoever answers, or of answers: "a good assistant replies",
"answers about the fee shall name", "whichever model reads this".

A text is read as the signs that stand in it (`answering_words`), a letter each, with a stop after
each sentence; an order is a wording of signs. What people are told to say to people ("When a caller
asks, say that …") is no order to a model: one speaks of a machine, of answers whoever gives them,
or of hiding where an answer is from, and says what is to be answered, not how. Own rules; for
documents only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from skerry.guardrails.injection.answering_words import CORE, SIGN
from skerry.guardrails.wording.signs import Sign

ANSWERING = "answer_order"
"""The label of a sentence that says what whoever answers is to say."""
_SCORE = 0.9
_STOP = "."
_MOST = 24  # signs of a sentence; behind them another begins
_LONGEST = 800  # characters of a sentence, as well
_BREAK = re.compile(
    r"(?<=[.!?])[\"'”’)\]*_]{0,4}\s|\n\s{0,40}\n|\n(?=[ \t]{0,40}[-*#|>\[<{`\d•])|\||\",\s"
)

_SPACE = re.compile(r"\s+")

_ANY = r"[^.]{0,23}"
_PLAIN = r"[^.X]{0,23}"  # nothing clerical or technical between
_NEAR = r".{0,12}"  # in the next sentences, too
_ABOUT = r"[^.XQ]{0,23}"  # nor any words quoted
_THAT = r"S[^.FDQR]{0,9}"  # says; not of itself
_ORDERS = re.compile(
    "|".join(
        (
            "G",
            rf"(?:B|M{_ANY}Z){_ANY}(?:[DC]{_ANY}[SLR]|S{_ANY}[NQHW])",
            rf"M{_ABOUT}D{_ANY}(?:{_THAT}[TW]|L{_ANY}[WOH]|H)",
            rf"[MA]{_ANY}C{_NEAR}(?:S|DR|RQ)",
            rf"M{_ANY}a{_ANY}Q",
            rf"O{_ANY}D{_ANY}L{_ANY}[AMU]",
            rf"A{_PLAIN}D{_PLAIN}{_THAT}T{_ANY}[UEKHW]|[UEKHW]{_ANY}A{_PLAIN}D{_PLAIN}{_THAT}T",
            rf"A{_PLAIN}D{_PLAIN}SUT",
            r"R[^.XQS]{0,9}D[^.XQT]{0,6}S[^.XFR]{0,6}[TQNW]",
            rf"R{_PLAIN}[bH]",
            rf"DTR{_PLAIN}S{_PLAIN}Q",
            rf"E{_PLAIN}S[^.XF]{{0,23}}[TQNW]|[SQ]{_ANY}N{_ANY}E{_ANY}H|E{_ANY}W|W{_ANY}E",
            rf"K{_ANY}w",
            rf"a{_PLAIN}Q|S{_PLAIN}N{_ANY}a",
            rf"Y{_NEAR}(?:y|D{_ANY}S|{_THAT}T)",
            rf"[NS]{_ANY}H|H{_ANY}O|h",
            rf"z{_PLAIN}(?:S{_ANY}[TQN]|[LH])",
            rf"B{_ANY}L",
            rf"[RMAUB]{_PLAIN}W|W{_PLAIN}[RMAUBw]",
            rf"g{_ANY}K{_NEAR}pQ",
            rf"[MAg]{_NEAR}(?:[Kp]|[SR]Q){_NEAR}I|R{_ANY}Q{_NEAR}I{_ANY}E|I{_NEAR}[MA]Q",
        )
    )
)


def find(text: str) -> list[Sign]:
    """The sentences of `text`, a plain copy in lower case, that say what an answer is to be.

    In time linear in the text: a sentence has few signs, and a wording looks no farther than some
    dozens of them.
    """
    if CORE.search(text) is None:
        return []
    signs, places, spans = _read(text)
    found: list[Sign] = []
    for one in _ORDERS.finditer(signs):
        first, last = places[one.start()], places[one.end() - 1]
        found.append(Sign(spans[first][0], spans[last][1], ANSWERING, _SCORE))
    return found


def _read(text: str) -> tuple[str, list[int], list[tuple[int, int]]]:
    """The signs of a text; the number of the sentence of each; the spans of sentences."""
    signs: list[str] = []
    places: list[int] = []
    spans: list[tuple[int, int]] = []
    for start, end in _sentences(text):
        seen = [str(one.lastgroup) for one in SIGN.finditer(_SPACE.sub(" ", text[start:end]))]
        for at in range(0, max(1, len(seen)), _MOST):
            part = [*seen[at : at + _MOST], _STOP]
            signs += part
            places += [len(spans)] * len(part)
        spans.append((start, end))
    return "".join(signs), places, spans


def _sentences(text: str) -> Iterator[tuple[int, int]]:
    """Where sentences, lines and cells begin and end; without the spaces around them."""
    cuts = [(one.start(), one.end()) for one in _BREAK.finditer(text)]
    start = 0
    for end, following in [*cuts, (len(text), len(text))]:
        for at in range(start, end, _LONGEST):
            upto = min(end, at + _LONGEST)
            if part := text[at:upto].strip():
                first = at + text[at:upto].index(part[0])
                yield first, first + len(part)
        start = following
