"""Screens a text for identifiers, secrets, injected instructions and clinical red flags.

Findings only: nothing is edited here. `screen` looks for patterns, in well under a millisecond;
`screen_sentences` also for orders and signs of danger in other words, with small networks;
`screen_whole` for names as well, with a small model, in a few. All read a plain copy of the text
(`normal`), so that no odd space, look-alike letter or invisible character hides anything; spans
are the text's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from skerry.guardrails.beside import Beside, beside
from skerry.guardrails.columns import Cell, cells, outside
from skerry.guardrails.errors import ScreenOverflow
from skerry.guardrails.events import EVENTS
from skerry.guardrails.findings import Finding, FindingKind, Where
from skerry.guardrails.identifiers import IDENTIFIERS
from skerry.guardrails.machines import MACHINES
from skerry.guardrails.networks import INSTALLED, Networks
from skerry.guardrails.normal import Normal, normalise
from skerry.guardrails.papers import PAPERS
from skerry.guardrails.phrases import PHRASES
from skerry.guardrails.recogniser import LEAST_SCORE, Recogniser, Views
from skerry.guardrails.secrets import SECRETS

if TYPE_CHECKING:
    from skerry.guardrails.injection.meaning import Encode
    from skerry.guardrails.names.naming import Name
    from skerry.guardrails.wording.signs import Least

MAX_CHARACTERS = 1_000_000
RECOGNISERS: tuple[Recogniser, ...] = (
    *IDENTIFIERS,
    *PAPERS,
    *MACHINES,
    *EVENTS,
    *SECRETS,
    *PHRASES,
)


def screen(text: str, where: Where = Where.INPUT) -> tuple[Finding, ...]:
    """The findings in `text` by patterns, by position; PII that overlaps is made one.

    Raises:
        ScreenOverflow: the text is longer than `MAX_CHARACTERS`.
    """
    normal = _normal(text)
    return tuple(_without_overlap(_by_patterns(normal, where, lambda _: ())))


def screen_sentences(
    text: str,
    where: Where = Where.INPUT,
    encode: Encode | None = None,
    least: Least | None = None,
    networks: Networks = INSTALLED,
) -> tuple[Finding, ...]:
    """The findings in `text` by patterns, and sentences that are orders or signs of danger.

    For what a person asks, and for documents. `encode` gives vectors of the runtime's encoder, and
    makes it surer of orders. `least` are the scores from which a sentence is a finding (None: 0.8).
    `networks` are what looks.

    Raises:
        ScreenOverflow: the text is longer than `MAX_CHARACTERS`.
        GuardrailError: a network cannot be loaded; what was to be screened must not pass.
    """
    return _with_sentences(text, where, lambda _: (), encode, least, networks=networks)


def screen_written(
    text: str, where: Where = Where.CHUNK, networks: Networks = INSTALLED
) -> tuple[Finding, ...]:
    """What `screen` finds in a document, and what is surely a name in it.

    For documents that may leave the device.

    Raises:
        ScreenOverflow: the text is longer than `MAX_CHARACTERS`.
        GuardrailError: the classifier cannot be loaded.
    """
    from skerry.guardrails.names import find_written

    look = partial(find_written, networks=networks)
    return tuple(_without_overlap(_by_patterns(_normal(text), where, look)))


def screen_whole(
    text: str,
    where: Where = Where.INPUT,
    encode: Encode | None = None,
    networks: Networks = INSTALLED,
) -> tuple[Finding, ...]:
    """What `screen_sentences` finds, and names of people, places and organisations.

    For all that may leave the device.

    Raises:
        ScreenOverflow: the text is longer than `MAX_CHARACTERS`.
        GuardrailError: a network cannot be loaded; what was to be screened must not leave the
            device.
    """
    from skerry.guardrails.names import find

    return _with_sentences(text, where, partial(find, networks=networks), encode, networks=networks)


def _with_sentences(
    text: str,
    where: Where,
    find: Callable[[str], Iterable[Name]],
    encode: Encode | None,
    least: Least | None = None,
    *,
    networks: Networks,
) -> tuple[Finding, ...]:
    from skerry.guardrails.wording import findings

    normal = _normal(text)
    found = _by_patterns(normal, where, find)
    found += findings.findings(normal, where, found, encode, least, networks=networks)
    return tuple(_without_overlap(found))


def _normal(text: str) -> Normal:
    if len(text) > MAX_CHARACTERS:
        raise ScreenOverflow(
            f"the text has {len(text):,} characters; at most {MAX_CHARACTERS:,} are screened",
            hint="send it in parts",
        )
    return normalise(text)


def _by_patterns(
    normal: Normal, where: Where, find: Callable[[str], Iterable[Name]]
) -> list[Finding]:
    views = Views.of(normal)
    able = [one for one in RECOGNISERS if one.may_find(views)]
    found = [finding for one in able for finding in _find(one, views, normal, where)]
    known = list(cells(views.lowered))
    found += [_in_a_column(one, normal, where) for one in known]
    names = outside(find(normal.text), known)
    found += [_named(one, normal, where) for one in names]
    found += [_beside(one, normal, where) for one in beside(names, views.lowered)]
    return found


def _find(one: Recogniser, views: Views, normal: Normal, where: Where) -> Iterator[Finding]:
    rule = f"pattern:{one.label}"
    for span in one.spans(views):
        score = one.score_at(views, span[0])
        if score >= LEAST_SCORE:
            yield Finding(one.kind, one.label, *normal.original(*span), score, where, rule)


def _named(one: Name, normal: Normal, where: Where) -> Finding:
    start, end = normal.original(one.start, one.end)
    return Finding(FindingKind.PII, one.label, start, end, one.score, where, "model:names")


def _in_a_column(one: Cell, normal: Normal, where: Where) -> Finding:
    start, end = normal.original(*one[:2])
    return Finding(FindingKind.PII, one[2], start, end, 0.8, where, "pattern:column")


def _beside(one: Beside, normal: Normal, where: Where) -> Finding:
    start, end = normal.original(*one[:2])
    return Finding(FindingKind.PII, one[2], start, end, 0.7, where, "model:beside")


def _without_overlap(findings: list[Finding]) -> list[Finding]:
    """Joins PII that overlaps, under the label of the surest; other kinds are all kept."""
    groups: list[list[Finding]] = []
    latest: list[Finding] = []  # PII, which ends at `end`
    end = 0
    for finding in sorted(findings, key=lambda f: (f.start, f.start - f.end, -f.score)):
        if finding.kind is not FindingKind.PII:
            groups.append([finding])
        elif finding.start < end:
            latest.append(finding)
            end = max(end, finding.end)
        else:
            latest, end = [finding], finding.end
            groups.append(latest)
    return [_joined(group) for group in groups]


def _joined(group: list[Finding]) -> Finding:
    if len(group) == 1:
        return group[0]
    surest = max(group, key=lambda finding: finding.score)
    return replace(surest, start=group[0].start, end=max(finding.end for finding in group))
