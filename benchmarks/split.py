"""Split inference: hints against plain streaming, synchronous rounds and pipelined drafts, over a
grid of links and passes, over real sockets through the simulated link.

The target is the default model (greedy, and at a temperature). It answers once, and a recorded
target says that again at the pace of a larger one, so that a machine of two cores can be device and
cloud: drafts are verified by value, so the tokens are the same. `identical_token_rate` comes from
the model itself. A time is from connecting to the last token. Peers are written for this benchmark
(`split_device.py`), with the same drafter, cloud and sockets.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from benchmarks.contract import Figure, Options
from benchmarks.split_accepted import Accepted, accepted
from benchmarks.split_cases import chosen, previews, real_target, recorded
from benchmarks.split_drafting import drafters
from benchmarks.split_figures import KEYS, figures
from benchmarks.split_grid import FULL, QUICK, Grid, measured
from benchmarks.split_real import identical

__all__ = ["KEYS", "run"]


@dataclass(frozen=True, slots=True)
class Result:
    """`same` is the share of tokens that the real target, with drafts, said as it did alone."""

    grid: Grid
    drafter: str
    same: float
    accepted: list[Accepted]

    @property
    def figures(self) -> dict[str, Figure]:
        return figures(self.grid, self.drafter, self.same, self.accepted)


def run(options: Options) -> dict[str, Figure]:
    return whole(options).figures


def whole(options: Options) -> Result:
    """Everything that was measured; `split_plots` draws it."""
    plan = QUICK if options.quick else FULL
    prompts = chosen(options, plan.each)
    shown = previews(prompts, plan.tokens)
    with drafters() as (name, make):
        with real_target() as verifier:
            cases = asyncio.run(recorded(verifier, prompts, shown, make))
            found = accepted(verifier, options, make, each=plan.judged, tokens=plan.tokens)
            facts = verifier.facts
        same = identical(cases, make)
        return Result(measured(cases, facts, plan, make, options.seed), name, same, found)
