"""The simulation of split inference: where it can be worked out by hand, and what it may not do."""

from __future__ import annotations

from random import Random

import pytest

from benchmarks.split_theory import (
    Guess,
    Setting,
    expected_speedup,
    independent,
    passes_per_token,
    simulated,
    streamed_ms,
)

SETTING = Setting(rtt_ms=50, pass_ms=40, hint_ms=0.5, draft_ms=8)


@pytest.mark.parametrize(
    ("acceptance", "depth", "passes"),
    [(0.7, 4, 0.361), (0.7, 16, 0.301), (0.8, 8, 0.231), (0.9, 16, 0.120), (0, 4, 1), (1, 4, 0.2)],
)
def test_passes_per_token(acceptance: float, depth: int, passes: float) -> None:
    assert passes_per_token(acceptance, depth) == pytest.approx(passes, abs=5e-4)


@pytest.mark.parametrize("guess", [Guess.NONE, Guess.WRONG])
def test_without_a_right_guess_it_is_plain_streaming(guess: Guess) -> None:
    free = Setting(rtt_ms=50, pass_ms=40, hint_ms=0, draft_ms=8)
    found = simulated(free, [guess] * 30)
    assert found.passes == 30
    assert found.took_ms == streamed_ms(free, 30)


def test_by_hand() -> None:
    """The first hint comes after the second pass has begun: the third takes it, and one more."""
    setting = Setting(rtt_ms=20, pass_ms=50, hint_ms=1, draft_ms=10, depth=4)
    found = simulated(setting, [Guess.RIGHT] * 7)
    # open at 60, 4 guesses by 100, there at 110; passes end at 100 (1), 150 (2)
    # at 150 guesses 3 and 4 are there: 52 ms for 3 tokens; then those for the fifth and so on
    assert found.passes == 4
    assert found.took_ms == pytest.approx(263)


def test_patience_by_hand() -> None:
    """The cloud waits for the first hint, which is there at 110; the others wait for nobody."""
    setting = Setting(
        rtt_ms=20, pass_ms=50, hint_ms=1, draft_ms=10, depth=4, patience_ms=100
    )  # fmt: skip
    found = simulated(setting, [Guess.RIGHT] * 7)
    # from 110 on 54 ms for 5 tokens; the device hears of it at 174, two guesses are there at 204
    assert found.passes == 2
    assert found.took_ms == pytest.approx(204 + 51 + 10)


def test_patience_is_over_where_the_device_says_that_it_has_no_guess() -> None:
    """A round trip after each token."""
    patient = Setting(rtt_ms=50, pass_ms=40, hint_ms=0, draft_ms=8, patience_ms=100)
    found = simulated(patient, [Guess.NONE] * 10)
    assert found.passes == 10
    assert found.took_ms == streamed_ms(patient, 10) + 10 * 50


def test_right_guesses_take_few_passes_and_wrong_ones_cost_little() -> None:
    assert simulated(SETTING, [Guess.RIGHT] * 200).passes < 50
    wrong = simulated(SETTING, [Guess.WRONG] * 200)
    assert wrong.passes == 200
    assert wrong.took_ms < 1.4 * streamed_ms(SETTING, 200)


@pytest.mark.parametrize(
    ("acceptance", "pass_ms", "rtt_ms", "speedup"),
    [
        (0.6, 40, 50, 1.20),
        (0.75, 40, 100, 1.25),
        (0.75, 80, 100, 1.65),
        (0.9, 80, 50, 3.36),
        (0.9, 80, 200, 2.30),
        (0.9, 20, 100, 1.25),
    ],
)
def test_it_agrees_with_an_earlier_simulation(
    acceptance: float, pass_ms: float, rtt_ms: float, speedup: float
) -> None:
    """One that had no handshakes and long answers, so only about."""
    setting = Setting(rtt_ms=rtt_ms, pass_ms=pass_ms, hint_ms=0.5, draft_ms=8)
    found = expected_speedup(setting, acceptance, 1_000, draws=5)
    assert found == pytest.approx(speedup, rel=0.2)


def test_chance_is_drawn_by_its_seed() -> None:
    guesses = independent(0.7, 2_000, Random(1))
    assert guesses == independent(0.7, 2_000, Random(1))
    assert guesses.count(Guess.RIGHT) / 2_000 == pytest.approx(0.7, abs=0.03)
    assert Guess.NONE not in guesses
    silent = independent(0.5, 2_000, Random(1), silence=0.3)
    assert silent.count(Guess.NONE) / 2_000 == pytest.approx(0.3, abs=0.03)
    assert independent(0.5, 50, Random(1), silence=0.5).count(Guess.WRONG) == 0
