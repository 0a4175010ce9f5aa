"""Whether a source supports a claim: the classifier and the exact checks, window by window.

The rule (`decide`): a claim is supported when one window holds it, by the classifier's threshold
and without an exact finding; a name that is missing counts less than a sure classifier. Otherwise
it is contradicted when, in some window, an exact finding has a rival or the classifier says so;
else it is not found. A claim stitched together from two windows is held by neither.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from skerry.guardrails.answer import Evidence
from skerry.guardrails.entailment import Label
from skerry.guardrails.grounding.exact import Exact, ExactKind, Passage, exact_findings
from skerry.guardrails.grounding.inputs import asked
from skerry.guardrails.grounding.model import CrossEncoder, Outcome
from skerry.guardrails.grounding.windows import MOST, Window, beside, copied, windows

Span = tuple[int, int]

_NOT_HELD = 0.5
_SURE = 0.9
_UNREAD = Outcome(0.0, 0.0, 0.0, (), ())
"""Of a window that the exact checks have decided."""


@dataclass(frozen=True, slots=True)
class Grounding:
    """What a source says of a claim.

    `score` is the classifier's probability, in [0, 1], that the claim is supported by the window
    `source[window[0]:window[1]]`, `likely` the largest one of all windows. `exact` is what the
    exact checks miss there; `not_held` are the parts of the claim that the classifier doubts.
    """

    label: Label
    score: float
    likely: float
    window: Span
    exact: tuple[Exact, ...] = ()
    not_held: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class Asked:
    """A claim, as the model reads it, and the passages that may only speak against it."""

    claim: str
    read: str
    elsewhere: Sequence[str]
    question: str


@dataclass(frozen=True, slots=True)
class Seen:
    """One window with what was found of the claim there."""

    window: Window
    outcome: Outcome
    exact: tuple[Exact, ...]


def decide(seen: Sequence[Seen], threshold: float) -> tuple[Label, Seen]:
    """The label, and the window that it rests on. `seen` is best first and not empty. Pure."""
    least = _least(seen, threshold)
    holding = [one for one in seen if _holds(one, least)]
    if holding:
        return Label.SUPPORTED, max(holding, key=lambda one: one.outcome.supported)
    nearest = max(seen, key=lambda one: (one.outcome.supported, -len(one.exact)))
    against = next((one for one in seen if _contradicts(one)), None)
    return (Label.NOT_FOUND, nearest) if against is None else (Label.CONTRADICTED, against)


def _least(seen: Sequence[Seen], threshold: float) -> float:
    """The probability that counts: where the nearest window has a rival of what is claimed, the
    others must be sure of it."""
    rival = any(found.contradicts for found in seen[0].exact)
    return max(threshold, _SURE) if rival else threshold


def _holds(one: Seen, threshold: float) -> bool:
    """A missing name alone is outweighed by a classifier that is sure: it may be said otherwise.
    Not so a name in the place of another one."""
    hard = any(found.contradicts or found.kind is not ExactKind.NAME for found in one.exact)
    least = _SURE if one.exact else threshold
    return one.outcome.supported >= least and not hard


def _contradicts(one: Seen) -> bool:
    """An exact finding with a rival speaks for itself; else the classifier, where it is sure."""
    likely = one.outcome.contradicted > one.outcome.not_found
    return likely or any(finding.contradicts for finding in one.exact)


class GroundingChecker:
    """Checks claims against sources. Threads can share it."""

    def __init__(self, model: CrossEncoder, most: int = MOST) -> None:
        self._model = model
        self._most = most

    @classmethod
    def load(
        cls, folder: Path | None = None, threads: int = 1, *, sha256: str | None = None
    ) -> GroundingChecker:
        """With the model in `folder`, or the one that comes with the package.

        `sha256` is the digest of its manifest, where a bundle says it.

        Raises:
            GuardrailError: a file is missing, truncated, was changed or cannot be loaded.
        """
        return cls(CrossEncoder.load(folder, threads, sha256=sha256))

    def check(
        self,
        claim: str,
        evidence: Evidence | str,
        question: str = "",
        elsewhere: Sequence[str] = (),
    ) -> Grounding:
        """What `evidence` says of `claim`, a sentence without citation marks.

        A sentence or table row of it, word for word, is supported with a score of 1, unread.

        `question` is what the claim answers: a claim such as "Every day." needs it. `elsewhere`
        are other passages, which may speak against the claim but never for it.
        """
        source = Evidence(1, evidence) if isinstance(evidence, str) else evidence
        return self._check(claim, source, question, elsewhere)

    def _check(
        self,
        claim: str,
        source: Evidence,
        question: str,
        elsewhere: Sequence[str],
        *,
        brief: bool = False,
    ) -> Grounding:
        """`brief`: the label is all that is wanted, so nothing more is read than it takes."""
        if copy := copied(claim, source.text):
            return Grounding(Label.SUPPORTED, 1.0, 1.0, (copy.start, copy.end))
        near = windows(f"{question} {claim}", source.text, self._most)
        if not near or not any(character.isalnum() for character in claim):
            return Grounding(Label.NOT_FOUND, 0.0, 0.0, (0, 0))
        read = asked(claim, question)
        seen = self._look(
            Asked(claim, read, elsewhere, question), near, source.context, brief=brief
        )
        label, on = decide(seen, self._model.threshold)
        return Grounding(
            label,
            score=on.outcome.supported,
            likely=max(one.outcome.supported for one in seen),
            window=(on.window.start, on.window.end),
            exact=on.exact,
            not_held=_doubted(on.outcome, len(read) - len(claim)),
        )

    def _look(
        self, asked_: Asked, near: Sequence[Window], context: str, *, brief: bool
    ) -> list[Seen]:
        """The windows in turn, until one holds the claim."""
        seen: list[Seen] = []
        for window in near:
            passage = Passage(window.text, context)
            exact = exact_findings(asked_.claim, passage, asked_.elsewhere, asked_.question)
            decided = brief and any(one.contradicts for one in exact)
            outcome = _UNREAD if decided else self._outcome(asked_.read, context, window)
            seen.append(Seen(window, outcome, exact))
            if _holds(seen[-1], _least(seen, self._model.threshold)):
                break
        return seen

    def _outcome(self, read: str, context: str, window: Window) -> Outcome:
        return self._model.outcome(read, beside(context, window.text))

    def check_all(
        self, claim: str, sources: Sequence[Evidence], question: str = ""
    ) -> list[Grounding]:
        """What each source says of the claim, in their order.

        The nearest windows of the others are looked at too, for what they say against it.
        """
        return self._check_all(claim, sources, question)

    def labels(self, claim: str, sources: Sequence[Evidence], question: str = "") -> list[Label]:
        """The labels alone of what `check_all` gives, sooner."""
        return [one.label for one in self._check_all(claim, sources, question, brief=True)]

    def _check_all(
        self, claim: str, sources: Sequence[Evidence], question: str, *, brief: bool = False
    ) -> list[Grounding]:
        near = [windows(f"{question} {claim}", one.text, 1) for one in sources]
        texts = [found[0].text if found else "" for found in near]
        return [
            self._check(claim, one, question, [*texts[:i], *texts[i + 1 :]], brief=brief)
            for i, one in enumerate(sources)
        ]


def overall(found: Sequence[Grounding]) -> Label:
    """The label over all sources: supported by one, or contradicted by one, or not found."""
    labels = {one.label for one in found}
    order = (Label.SUPPORTED, Label.CONTRADICTED)
    return next((label for label in order if label in labels), Label.NOT_FOUND)


def _doubted(outcome: Outcome, shift: int) -> tuple[Span, ...]:
    """Neighbouring tokens of the claim that are not held, as spans; the question's left out."""
    spans: list[Span] = []
    for score, (start, end) in zip(outcome.not_held, outcome.spans, strict=True):
        first, last = start - shift, end - shift
        if score < _NOT_HELD or first < 0:
            continue
        if spans and first - spans[-1][1] <= 1:
            spans[-1] = (spans[-1][0], last)
        else:
            spans.append((first, last))
    return tuple(spans)
