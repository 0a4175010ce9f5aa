"""Drafts by copying: what is found, and that nothing is lost by guesses that were wrong."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.edge.split.lookup import PromptLookup

SOURCE = [1, 2, 3, 4, 5, 6, 7, 8]


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
    assert PromptLookup().draft(sequence, most) == drafted


def test_a_wrong_guess_does_not_hide_where_it_was_copied_from() -> None:
    drafter = PromptLookup()
    begun = [*SOURCE, 20, 2, 3]
    guessed = drafter.draft(begun, 4)
    assert drafter.draft([*begun, *guessed], 4) == [8, 20, 2, 3]
    corrected = [*begun, 30, 5, 6]
    assert drafter.draft(corrected, 2) == [7, 8]


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
