"""Answers in a form: held back until their values are checked, and tried twice at most."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from skerry.edge.engines.base import Engine, FinishReason, Generation, Piece, Usage
from skerry.edge.errors import ContextOverflow
from skerry.edge.events import TextReleased
from skerry.edge.tiers import Outcome, TierRun, Work
from skerry.guardrails.answer import Answer
from skerry.guardrails.forms import Grounds, Invented, judged
from skerry.guardrails.gate import OpenGate

_MOST_TOLD = 5


def fill(work: Work, engine: Engine, *, strict: bool) -> TierRun:
    """Answers in a form with a model on this device.

    Args:
        work: what is asked, with a grammar.
        engine: the model.
        strict: every value must be in a source or in what was asked. The model is told once which
            are not; if there are still some, the answer is withheld.
    """
    grounds = grounds_of(work)
    draft = _draft(engine, work.generation)
    told: Sequence[Invented] = ()
    if strict and draft.whole and (told := grounds.invented(draft.text)):
        with suppress(ContextOverflow):
            draft = _again(engine, work.generation, draft, told)
    answer = _screened(work, draft)
    if answer is None:
        answer = judged(draft.text, grounds, strict=strict, whole=draft.whole, before=told)
    yield TextReleased(answer.text)
    return Outcome(answer, draft.finish, draft.usage, engine.info)


def grounds_of(work: Work) -> Grounds:
    """What the values may be taken from: the sources, and what the person wrote."""
    asked = [str(one["content"]) for one in work.prompt.messages if one["role"] == "user"]
    return Grounds(work.evidence(), asked, work.generation.grammar or "")


@dataclass(frozen=True, slots=True)
class _Draft:
    text: str
    finish: FinishReason
    usage: Usage | None

    @property
    def whole(self) -> bool:
        return self.finish is FinishReason.STOP


def _draft(engine: Engine, wanted: Generation) -> _Draft:
    pieces = list(engine.generate(wanted))
    last = pieces[-1] if pieces else Piece("")
    text = "".join(piece.text for piece in pieces)
    return _Draft(text, last.finish or FinishReason.CANCELLED, last.usage)


def _again(engine: Engine, wanted: Generation, first: _Draft, told: Sequence[Invented]) -> _Draft:
    """A second draft; its usage says what both took."""
    listed = ", ".join(f"{one.path} ({one.value})" for one in told[:_MOST_TOLD])
    complaint = (
        f"These values are not in the sources: {listed}. "
        "Answer again, with values from the sources alone."
    )
    messages = (
        *(wanted.messages or ()),
        {"role": "assistant", "content": first.text},
        {"role": "user", "content": complaint},
    )
    second = _draft(engine, replace(wanted, messages=messages))
    return replace(second, usage=_together(first.usage, second.usage))


def _together(first: Usage | None, second: Usage | None) -> Usage | None:
    if first is None or second is None:
        return second or first
    return replace(
        second,
        prompt_tokens=first.prompt_tokens + second.prompt_tokens,
        cached_tokens=first.cached_tokens + second.cached_tokens,
        completion_tokens=first.completion_tokens + second.completion_tokens,
    )


def _screened(work: Work, draft: _Draft) -> Answer | None:
    """What is said in place of a draft with something dangerous; None where there is nothing."""
    gate = OpenGate(screen=work.screen)
    shown = gate.feed(draft.text)
    rest, answer = gate.finish()
    return None if shown + rest == draft.text else answer
