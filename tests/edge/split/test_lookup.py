"""Drafts by copying: what is found, and that nothing is lost by guesses that were wrong."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.edge.split.lookup import PromptLookup

SOURCE = [1, 2, 3, 4, 5, 6, 7, 8]


def copied(drafter: PromptLookup, sequence: list[int], most: int) -> list[int]:
    return [one.token for one in drafter.draft(sequence, most)]


@pytest.mark.parametrize(
    ("sequence", "most", "drafted"),
    [
        ([*SOURCE, 20, 2, 3], 4, [4, 5, 6, 7]),
        ([*SOURCE, 20, 2, 3], 1, [4]),
        ([*SOURCE, 20, 7, 8], 4, [20, 7, 8]),
        ([*SOURCE, 20, 3], 4, []),
        ([2, 3, 9, 1, 2, 3, 5, 2, 3], 1, [5]),
        ([1, 2, 3, 9, 2, 3, 5, 1, 2, 3], 1, [9]),
        ([5, 5, 5], 2, [5]),
        ([1], 4, []),
        ([], 4, []),
    ],
    ids=[
        "copied", "as many as wanted", "to the end", "too short", "the newest", "the longest",
        "in a row", "one token", "nothing",
    ],
)  # fmt: skip
def test_what_followed_before_is_copied(sequence: list[int], most: int, drafted: list[int]) -> None:
    assert copied(PromptLookup(), sequence, most) == drafted


def test_a_wrong_guess_does_not_hide_where_it_was_copied_from() -> None:
    drafter = PromptLookup()
    begun = [*SOURCE, 20, 2, 3]
    guessed = copied(drafter, begun, 4)
    assert copied(drafter, [*begun, *guessed], 4) == [8, 20, 2, 3]
    corrected = [*begun, 30, 5, 6]
    assert copied(drafter, corrected, 2) == [7, 8]


def test_a_longer_match_has_better_odds_and_a_correction_is_copied_on_from() -> None:
    drafter = PromptLookup()
    short, long = (drafter.draft([*SOURCE, 20, *end], 2) for end in ([2, 3], [1, 2, 3, 4]))
    assert short[0].odds < long[0].odds <= long[1].odds <= 1
    assert drafter.branch([*SOURCE, 20, 2], 3, 4) == [3, 4, 5, 6]
    assert drafter.branch([*SOURCE, 20, 2], 9, 4) == [9]
    assert drafter.branch([*SOURCE, 20, 2], 3, 1) == [3]


def test_odds_grow_with_what_was_copied_and_end_with_the_match() -> None:
    source = list(range(100, 140))
    odds = [one.odds for one in PromptLookup().draft([*source, 1, *source[:20]], 8)]
    assert min(odds) > 0.95
    wrong_before = PromptLookup().draft([*source, 1, *source[:20], 2, *source[30:32]], 2)
    assert [one.token for one in wrong_before] == source[32:34]
    assert wrong_before[0].odds < 0.6 < wrong_before[1].odds


@given(
    st.lists(st.tuples(st.integers(0, 30), st.lists(st.integers(0, 5), max_size=12)), max_size=8)
)
def test_a_drafter_that_has_guessed_knows_what_a_new_one_does(
    edits: list[tuple[int, list[int]]],
) -> None:
    """An edit takes tokens away from the end, and adds others."""
    drafter, sequence = PromptLookup(), list(SOURCE)
    for lost, added in edits:
        sequence = [*sequence[: max(0, len(sequence) - lost)], *added]
        assert drafter.draft(sequence, 4) == PromptLookup().draft(sequence, 4)
