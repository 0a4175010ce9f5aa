"""Whether and how far the device drafts ahead."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from skerry.edge.split.controller import Controller, Measured


@dataclass(frozen=True)
class Case:
    """Times in seconds; `right` and `wrong` guesses were judged in this generation."""

    name: str
    rtt: float
    step: float
    draft: float
    right: int
    wrong: int
    pays: bool
    waits: bool = False


CASES = [
    Case("near cloud, good guesses", 0.01, 0.04, 0.008, 80, 20, pays=True),
    Case("far cloud, good guesses", 0.1, 0.04, 0.008, 80, 20, pays=True),
    Case("far and fast cloud, poor guesses", 0.2, 0.02, 0.008, 40, 60, pays=False),
    Case("a pass is faster than a guess", 0.01, 0.006, 0.008, 90, 10, pays=False),
    Case("a pass is faster than a guess, and waits", 0.01, 0.006, 0.008, 90, 10, True, waits=True),
    Case("nothing is ever right", 0.05, 0.04, 0.008, 0, 400, pays=False),
    Case("nothing is known yet", 0.2, 0.02, 0.03, 3, 7, pays=True),
]


def controller(case: Case) -> Controller:
    measured = Measured()
    measured.rtt_s.add(case.rtt)
    measured.pass_s.add(case.step)
    measured.draft_s.add(case.draft)
    made = Controller(measured, most=32, waits=case.waits)
    made.judge(case.right, case.wrong)
    return made


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_it_drafts_where_hints_catch_up(case: Case) -> None:
    made = controller(case)
    assert made.pays is case.pays
    assert (made.plan().depth > 0) is case.pays


def test_better_guesses_go_deeper() -> None:
    """How deep is a matter of the guesses at hand, whatever the class's were like."""
    made = controller(Case("", 0.05, 0.04, 0.008, 60, 40, True))
    assert made.plan().depth == 32
    depths = []
    for odds in (0.3, 0.6, 0.8, 0.95):
        reach, depth = 1.0, 0
        while made.worth_guessing(reach):
            reach, depth = reach * odds, depth + 1
        depths.append(depth)
    assert depths == sorted(depths)
    assert 2 <= depths[0] < depths[-1]


def test_a_longer_way_wants_longer_alternatives() -> None:
    near, far = (
        controller(Case("", rtt, 0.04, 0.008, 80, 20, True)).plan().branch for rtt in (0.01, 0.2)
    )
    assert 0 < near < far <= 8


def test_a_new_generation_tries_again() -> None:
    """What did not pay before may pay now: a generation gives up by its own verdicts."""
    made = controller(CASES[2])
    assert not made.pays
    again = Controller(made.measured, most=32)
    assert again.pays


@pytest.mark.parametrize(
    ("rtt", "step", "right", "waits"),
    [
        (0.01, 0.08, 80, True),
        (0.01, 0.02, 80, False),
        (0.01, 0.08, 20, False),
        (0.05, 0.08, 95, False),
    ],
    ids=["near and right", "near and fast", "near and wrong", "far"],
)
def test_the_cloud_waits_where_that_is_faster(
    rtt: float, step: float, right: int, waits: bool
) -> None:
    made = controller(Case("", rtt, step, 0.004, right, 100 - right, True))
    assert (made.patience_s > 0) is waits
    if waits:
        assert rtt < made.patience_s < step


def test_nobody_is_waited_for_before_anything_is_measured() -> None:
    assert Controller(Measured(), most=32).patience_s == 0


def test_old_verdicts_fade() -> None:
    measured = Measured()
    measured.judge(0, 10_000)
    for _ in range(10):
        measured.judge(50, 0)
    assert measured.acceptance > 0.8
