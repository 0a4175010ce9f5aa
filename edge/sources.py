"""Looks at what would go with a request before anything is decided on it or made of it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from skerry.edge.screening import screen_chunk
from skerry.guardrails.findings import Finding, FindingKind, Place
from skerry.guardrails.networks import INSTALLED, Networks

if TYPE_CHECKING:
    from skerry.edge.index.types import Chunk, Hit
    from skerry.edge.session import Turn
    from skerry.guardrails.injection.meaning import Encode

    Look = Callable[[str, Encode | None], tuple[Finding, ...]]


def screen_sources(
    hits: Sequence[Hit],
    findings: Sequence[Finding],
    injection_score: float,
    encode: Encode | None = None,
    known: Mapping[int, tuple[Finding, ...]] | None = None,
    *,
    networks: Networks = INSTALLED,
) -> tuple[list[Hit], tuple[Finding, ...]]:
    """The hits that may be used, and `findings` with those of all hits after them.

    A source that gives orders to the model (an injection finding of at least
    `injection_score`) is left out; its finding stays, so that the receipt says why, and of what.
    `encode` is `screening.encoding`'s. `known` is what was found already, by the id of a chunk
    (`Index.screened`); the others are screened now, by `networks`.
    """
    kept: list[Hit] = []
    found = list(findings)
    before = known or {}
    look = partial(screen_chunk, networks=networks)
    for hit in hits:
        about = _placed(hit.chunk, before.get(hit.chunk.id), encode, look)
        found += about
        if not any(gives_orders(finding, injection_score) for finding in about):
            kept.append(hit)
    return kept, tuple(found)


def labels_of(hits: Iterable[Hit], turns: Iterable[Turn], held: frozenset[str]) -> frozenset[str]:
    """The access labels of all that would go with a request: its sources and earlier turns.

    A turn whose labels nobody noted may be made of anything that its reader may see: it has all
    the labels that are `held` by the caller.
    """
    said = (held if turn.labels is None else turn.labels for turn in turns)
    return frozenset().union(*(hit.chunk.labels for hit in hits), *said)


def findings_in(
    text: str, name: str, encode: Encode | None = None, look: Look = screen_chunk
) -> tuple[Finding, ...]:
    """The findings in all that the model would see of a chunk: its text, and its `name_of`.

    Raises what `look` does.
    """
    return (*look(text, encode), *look(name, encode))


def name_of(title: str, heading: Iterable[str]) -> str:
    """What a chunk is called, as it is screened: title and headings, a line each."""
    return "\n".join((title, *heading))


def _placed(
    chunk: Chunk, known: tuple[Finding, ...] | None, encode: Encode | None, look: Look
) -> tuple[Finding, ...]:
    """What was or is found in a chunk, with its place."""
    if known is None:
        known = findings_in(chunk.text, name_of(chunk.title, chunk.heading), encode, look)
    place = Place(chunk.id, chunk.title, chunk.source, tuple(chunk.heading))
    return tuple(replace(finding, place=place) for finding in known)


def gives_orders(finding: Finding, injection_score: float) -> bool:
    """Whether a finding is of an order to the model that counts from `injection_score`."""
    return finding.kind is FindingKind.INJECTION and not finding.score < injection_score
