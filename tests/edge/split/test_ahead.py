"""What is guessed beyond what is verified, corrections included."""

from __future__ import annotations

import pytest

from skerry.cloud.errors import ProtocolError
from skerry.cloud.hints.frames import Draft, Tokens
from skerry.edge.split.ahead import Ahead
from skerry.edge.split.drafter import Guess

PROMPT = (3, 1, 4, 1, 5)


def guesses(*tokens: int, odds: float = 0.5, instead: int | None = None) -> list[Guess]:
    return [Guess(token, odds, instead) for token in tokens]


def test_drafts_are_sent_for_the_place_where_they_belong() -> None:
    ahead = Ahead(PROMPT)
    assert ahead.guess(guesses(7, 8, 9)) == Draft(0, (7, 8, 9), after=5)
    assert ahead.guess(guesses(10)) == Draft(3, (10,), after=9)
    assert ahead.reach == 0.5**4
    assert ahead.verify(Tokens(0, (7, 8), 1))
    assert (ahead.right, ahead.wrong) == (2, 0)
    assert ahead.depth == 2
    assert ahead.reach == 0.25
    assert not ahead.verify(Tokens(2, (1,), 0))
    assert (ahead.right, ahead.wrong) == (0, 1)
    assert ahead.depth == 0
    assert ahead.generated == [7, 8, 1]
    assert ahead.hit == 2


def test_tokens_for_another_place_are_an_error() -> None:
    with pytest.raises(ProtocolError, match="position 4"):
        Ahead(PROMPT).verify(Tokens(4, (7,), 0))


def test_the_likeliest_correction_is_guessed_first_and_once() -> None:
    ahead = Ahead(PROMPT)
    ahead.guess([Guess(7, 0.9, 70), Guess(8, 0.5, 80), Guess(9, 0.9, 90)])
    fork = ahead.fork()
    assert fork is not None
    assert (fork.position, fork.token) == (6, 80)
    assert fork.odds == pytest.approx(0.45)
    assert ahead.branch(fork, [80, 81, 82]) == Draft(1, (80, 81, 82), after=7)
    following = ahead.fork()
    assert following is not None
    assert (following.position, following.token) == (5, 70)


def test_what_was_copied_has_no_alternative() -> None:
    ahead = Ahead(PROMPT)
    ahead.guess(guesses(7, 8))
    assert ahead.fork() is None


def test_a_foreseen_correction_is_drafted_on_at_once() -> None:
    ahead = Ahead(PROMPT)
    ahead.guess([Guess(7, 0.9, 70), Guess(8, 0.5, 80), Guess(9, 0.9, 90)])
    fork = ahead.fork()
    assert fork is not None
    ahead.branch(fork, [80, 81, 82])
    assert not ahead.verify(Tokens(0, (7, 80), 1))
    assert ahead.sequence == [*PROMPT, 7, 80, 81, 82]
    assert ahead.depth == 2
    assert ahead.hit == 2
    assert ahead.guess(guesses(83)) == Draft(4, (83,), after=82)
    assert ahead.verify(Tokens(2, (81, 82, 83), 3))


def test_a_correction_that_went_on_otherwise_than_foreseen() -> None:
    ahead = Ahead(PROMPT)
    ahead.guess([Guess(7, 0.5, 80)])
    fork = ahead.fork()
    assert fork is not None
    ahead.branch(fork, [80, 81, 82])
    ahead.verify(Tokens(0, (80, 99), 1))
    assert ahead.sequence == [*PROMPT, 80, 99]
    assert ahead.depth == 0


def test_a_generation_that_goes_on_counts_what_was_generated_before() -> None:
    ahead = Ahead([*PROMPT, 7, 8], generated=2)
    ahead.verify(Tokens(0, (9,), 0))
    assert ahead.generated == [7, 8, 9]
