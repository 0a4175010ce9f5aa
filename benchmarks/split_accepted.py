"""How often the device guesses right: greedy answers of the target to more prompts than the grid
has, without a network."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import mean

from benchmarks.contract import Figure, Options
from benchmarks.split_cases import FAMILIES, chosen, previews, recorded
from benchmarks.split_drafting import Drafters
from skerry.cloud.engines.base import Verifier


@dataclass(frozen=True, slots=True)
class Accepted:
    """The share of the tokens of one answer that was guessed right; no idea counts as wrong."""

    family: str
    source: str
    share: float


def accepted(
    verifier: Verifier, options: Options, make: Drafters, *, each: int, tokens: int
) -> list[Accepted]:
    """Of `each` prompts of every family, `tokens` long at most."""
    prompts = chosen(options, each, drawn=False)
    cases = asyncio.run(recorded(verifier, prompts, previews(prompts, tokens), make))
    return [
        Accepted(prompt.family, prompt.source, case.guesses.acceptance)
        for prompt, case in zip(prompts, cases, strict=True)
    ]


def figures(found: Sequence[Accepted]) -> dict[str, Figure]:
    by_family = {family: _mean(one for one in found if one.family == family) for family in FAMILIES}
    by_source = defaultdict[str, list[Accepted]](list)
    for one in found:
        by_source[one.source].append(one)
    families = ", ".join(f"{family} {share:.2f}" for family, share in by_family.items())
    sources = ", ".join(
        f"{len(some)} prompts of {source} {_mean(some):.2f}" for source, some in by_source.items()
    )
    grounded = [one for one in found if one.family == "grounded_qa"]
    return {
        "acceptance_mean": Figure(
            mean(by_family.values()), "share", "higher", 0.65,
            note=f"greedy; tokens that are guessed right, no idea counts as wrong: {families}; "
            f"{sources}",
        ),
        "acceptance_grounded_qa": Figure(
            by_family["grounded_qa"], "share", "higher", 0.80, note=f"{len(grounded)} prompts"
        ),
    }  # fmt: skip


def _mean(some: Iterable[Accepted]) -> float:
    return mean(one.share for one in some)
