"""The benchmark of split inference on a tiny grid: real sockets, a made-up answer."""

from __future__ import annotations

import json
from pathlib import Path

import click
import pytest

from benchmarks.contract import Options
from benchmarks.split_accepted import Accepted
from benchmarks.split_cases import FAMILIES, OWN, SPEC_BENCH, Case, chosen
from benchmarks.split_drafting import Guesses, Replayed, drafters, guessed, replayer
from benchmarks.split_figures import KEYS, figures
from benchmarks.split_grid import HINTS, PIPELINED, PLAIN, THRIFT, Grid, Plan, measured, sync
from benchmarks.split_plots import draw
from benchmarks.split_theory import Guess as Kind
from skerry.cloud.engines.base import TargetFacts
from skerry.cloud.hints.choice import Sampling
from skerry.cloud.hints.frames import VERSION, Choosing, Open, written
from skerry.cloud.simulate.recorded import Recording
from skerry.edge.split.drafter import Guess
from skerry.edge.split.lookup import PromptLookup
from skerry.edge.split.preview import SplitPreview

FACTS = TargetFacts("made up", b"v" * 32, 64, frozenset({0}), 4_096, 32)
PLAN = Plan(1, 1, 20, (4, 8), (5,), (2, 4), 8, (4, 5))


def case(family: str, number: int) -> Case:
    """An answer that copies its prompt, but for one token."""
    prompt = (*range(1, 21), 40 + number)
    answer = (1, 2, 3, 4, 5, 50, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19)
    recording = Recording(prompt, Sampling(), (*answer, 20))
    return Case(family, preview(prompt), recording, guessed(PromptLookup(), prompt, answer))


def preview(prompt: tuple[int, ...]) -> SplitPreview:
    opening = Open(VERSION, "", FACTS.vocabulary, prompt, Choosing(), max_tokens=20)
    return SplitPreview(
        url="", destination="", body=written(opening), header_names=(), redactions=0,
        opening=opening, told=(),
    )  # fmt: skip


def copying(_: SplitPreview) -> PromptLookup:
    return PromptLookup()


@pytest.fixture(scope="module")
def grid() -> Grid:
    cases = [case(family, i) for i, family in enumerate(FAMILIES)]
    return measured(cases, FACTS, PLAN, copying, seed=0)


def test_every_protocol_gives_the_answer_of_the_target(grid: Grid) -> None:
    protocols = {PLAIN, HINTS, PIPELINED, sync(2), sync(4), THRIFT}
    assert {name for _, _, name in grid.answers} == protocols
    for (_, number, _), one in grid.answers.items():
        assert one.tokens == grid.cases[number].guesses.answer
        assert sum(count for _, count in one.frames) == len(one.tokens)
        assert one.taken <= one.drafted
        assert one.data > len(one.tokens)


def test_drafts_save_passes_and_plain_streaming_has_none(grid: Grid) -> None:
    for (_, _, name), one in grid.answers.items():
        if name == PLAIN:
            assert one.passes == len(one.tokens)
            assert one.drafted == 0
        elif name not in {HINTS, THRIFT}:  # whose drafts may be too late on a busy machine
            assert one.passes < len(one.tokens)


def test_times_are_no_shorter_than_the_link_and_the_passes(grid: Grid) -> None:
    for (far, _, name), one in grid.answers.items():
        rtt, pace = far
        if name == PLAIN:
            assert one.took_s * 1e3 >= 3 * rtt + pace * len(one.tokens) - 1


def test_the_figures_are_those_that_it_names(grid: Grid) -> None:
    judged = [Accepted(family, OWN, 0.6) for family in FAMILIES[1:]]
    judged += [Accepted(FAMILIES[0], OWN, 0.2), Accepted(FAMILIES[0], SPEC_BENCH, 0.4)]
    found = figures(grid, "lookup", 1.0, judged)
    assert tuple(sorted(found)) == tuple(sorted(KEYS))
    assert all(one.value is not None for one in found.values())
    assert found["acceptance_mean"].value == pytest.approx(0.525)
    assert "1 prompts of Spec-Bench 0.40" in found["acceptance_mean"].note
    assert found["acceptance_grounded_qa"].value == pytest.approx(0.6)
    assert "lookup" in found["min_speedup"].note
    json.dumps([one.as_json() for one in found.values()])


def test_the_pictures_are_drawn(grid: Grid, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    files = draw(grid, tmp_path)
    assert [one.stem for one in files] == ["split-speedup", "split-passes", "split-timeline"]
    assert all(one.read_bytes().startswith(b"\x89PNG") for one in files)


KNOWN = (Guess(1, 0.9), Guess(2, 0.9), Guess(7, 0.5, 3), None)
GUESSES = Guesses((9, 9), (1, 2, 3, 4), KNOWN, (0.0, 0.1, 0.2, 0.3))


@pytest.mark.parametrize(
    ("sequence", "most", "drafted"),
    [
        ([9, 9], 4, [1, 2, 7, 0]),
        ([9, 9], 2, [1, 2]),
        ([9, 9, 1, 2], 3, [7, 0, 0]),
        ([9, 9, 1, 2, 7], 2, [0, 0]),
        ([9, 9, 1, 2, 3], 2, []),
        ([9, 9, 1, 2, 3, 4], 2, []),
    ],
)
def test_recorded_guesses_are_replayed(sequence: list[int], most: int, drafted: list[int]) -> None:
    assert [one.token for one in Replayed(GUESSES).draft(sequence, most)] == drafted


def test_what_follows_a_correction_is_replayed_where_it_is_right() -> None:
    known = (*KNOWN[:3], Guess(4, 0.9))
    replayed = Replayed(Guesses((9, 9), (1, 2, 3, 4), known, (0.0,) * 4))
    assert replayed.branch([9, 9, 1, 2], 3, 2) == [3, 4]
    assert replayed.branch([9, 9, 1, 2], 8, 2) == [8, 0]


def test_guesses_are_counted_by_what_they_are() -> None:
    assert GUESSES.kinds == [Kind.RIGHT, Kind.RIGHT, Kind.WRONG, Kind.NONE]
    assert GUESSES.acceptance == 0.5
    assert GUESSES.silence == 0.25
    assert GUESSES.draft_ms == pytest.approx(0.15)


def test_only_a_drafter_that_costs_something_is_replayed() -> None:
    slow = Guesses((9,), (1,), (Guess(1, 0.9),), (8.0,))
    assert isinstance(replayer(copying, preview((9,)), slow)(), Replayed)
    assert isinstance(replayer(copying, preview((9, 9)), GUESSES)(), PromptLookup)


def test_the_drafter_is_chosen_by_a_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SKERRY_BENCH_DRAFTER", "lookup")
    with drafters() as (name, make):
        assert name == "copying alone"
        assert isinstance(make(preview((9,))), PromptLookup)
    monkeypatch.setenv("SKERRY_BENCH_DRAFTER", "none such")
    with pytest.raises(click.UsageError, match="none such"), drafters():
        pass


def test_every_family_has_prompts_of_its_own() -> None:
    prompts = chosen(Options(quick=True), 5)
    assert [sum(one.family == family for one in prompts) for family in FAMILIES] == [5] * 4
    assert sum(one.sampling.temperature > 0 for one in prompts) == len(FAMILIES)
    assert all(one.messages[-1]["role"] == "user" for one in prompts)
    assert len({one.messages[-1]["content"] for one in prompts}) == len(prompts)
