"""Sends a person to a person, with the nearest that the documents say, word for word.

What a model must not answer is not judged by one either: what plainly takes up the question is
quoted as it is, and anything else with a warning.
"""

from __future__ import annotations

from collections.abc import Sequence

from skerry.edge.events import TextReleased
from skerry.edge.quoting import Reading
from skerry.edge.tiers import REFERRED, Outcome, TierRun, Work, decline
from skerry.guardrails import voice
from skerry.guardrails.answer import Evidence
from skerry.guardrails.gate import NEAREST, fixed
from skerry.guardrails.passages import Quotation
from skerry.guardrails.wanted import ASKING
from skerry.guardrails.words import content_stems

SELF_HARM = (
    "This sounds very hard, and nobody has to carry it alone. Please talk to somebody now: a "
    "person you trust, a doctor or a crisis line. A person here will read what you wrote."
)
_LONGEST = 700  # characters of a paragraph
_MOST = 0.5
_SAID_OF_NEED = content_stems("now happen matter please somebody someone anybody help")


def refer(work: Work, notice: str) -> TierRun:
    """Sends the person to a person, with what the documents say about it.

    Who may harm themselves is spoken to kindly, and no document is quoted.
    """
    if work.self_harm:
        return (yield from decline(f"{SELF_HARM} {notice}"))
    text = f"{REFERRED} {notice}"
    found = _quotation(work)
    if found is None:
        return (yield from decline(text))
    marks = tuple(one.mark for one in (found, *found.more))
    text = f"{text}\n\n{told(found)}"
    yield TextReleased(text)
    return Outcome(fixed(text, marks=marks))


def takes_up_most(question: str, found: Quotation, evidence: Sequence[Evidence]) -> bool:
    """Whether a quotation, under its title and headings, has most content words of the question."""
    asked = content_stems(question) - ASKING - _SAID_OF_NEED
    context = "\n".join(one.context for one in evidence if one.mark == found.mark)
    said = content_stems("\n".join((context, found.text, *(one.text for one in found.more))))
    return not asked or len(asked & said) > _MOST * len(asked)


def _quotation(work: Work) -> Quotation | None:
    """What to quote: what takes up the question, else the nearest in meaning."""
    return plainly_on(work) or nearest(work)


def plainly_on(work: Work) -> Quotation | None:
    """What the documents say that fits the question and has most of its words; None if nothing."""
    found = work.quotation()
    if found and takes_up_most(work.query, found, work.evidence()):
        return found
    return None


def nearest(work: Work) -> Quotation | None:
    """The paragraph that the nearest passage is in, or that alone where the paragraph is long; None
    if all are far."""
    reader = work.judge.reader
    best = reader.nearest() if isinstance(reader, Reading) else None
    if best is None:
        return None
    around = (one for one in best.source.text.split("\n\n") if best.passage.text in one)
    paragraph = "" if best.passage.header else next(around, "").strip()
    text = paragraph if 0 < len(paragraph) <= _LONGEST else best.passage.spoken
    return Quotation(text, best.source.mark, fits=False)


def told(found: Quotation) -> str:
    """A quotation with its marks, in quotation marks after a warning where it may not fit."""
    if not found.fits:
        return f"{NEAREST} {voice.quoted(voice.plainly(found.text))} [{found.mark}]"
    parts = (found, *found.more)
    return "\n".join(f"{voice.apart(one.text)} [{one.mark}]" for one in parts)
