"""Adds what devices did to a rollout's counts and tallies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from skerry.sync.rollouts.evidence import OTHERS, Tally
from skerry.sync.rollouts.rollout import Counts, Observed, Outcome, Rollout


def counted(rollout: Rollout, seen: Observed) -> Rollout:
    """The rollout with `seen` added. Retries count in their stage, never as evidence: that a device
    which failed fails again says nothing new of the version."""
    counts = list(rollout.counts)
    for told, again in ((seen.offered, False), (seen.retold, True)):
        for stage, number in told.items():
            one = counts[stage]
            counts[stage] = replace(
                one,
                offered=one.offered + number,
                again=max(0, one.again - number) if again else one.again,
            )
    tallies = dict(rollout.tallies)
    for outcome in seen.outcomes:
        counts[outcome.stage] = _settled(counts[outcome.stage], outcome)
        if not outcome.again:
            name = outcome.profile if outcome.profile in rollout.sizes else OTHERS
            tallies[name] = _tallied(tallies.get(name, Tally()), outcome)
    return replace(rollout, counts=tuple(counts), tallies=tallies)


def _settled(counts: Counts, outcome: Outcome) -> Counts:
    if outcome.succeeded:
        return replace(counts, succeeded=counts.succeeded + 1)
    before = counts.succeeded - outcome.late
    return replace(counts, failed=counts.failed + 1, succeeded=max(0, before))


def _tallied(tally: Tally, outcome: Outcome) -> Tally:
    """A late failure turns a device that settled well into one that failed: the count of settled
    ones stays. What is counted so far is never more than what will be, so the test stays valid."""
    return Tally(
        tally.settled + (not outcome.late),
        tally.failed + (not outcome.succeeded),
        _marked(tally.worse, outcome.marks, 1),
        _marked(tally.better, outcome.marks, -1),
    )


def _marked(
    before: Mapping[str, int] | None, marks: Mapping[str, int], which: int
) -> Mapping[str, int] | None:
    fitting = [name for name, mark in marks.items() if mark == which]
    if not fitting:
        return before
    found = dict(before or {})
    for name in fitting:
        found[name] = found.get(name, 0) + 1
    return found
