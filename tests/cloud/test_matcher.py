"""What hints are worth."""

from __future__ import annotations

from collections.abc import Iterable

from skerry.cloud.hints.matcher import MOST_NODES, Hint, Matcher, Worth
from skerry.cloud.hints.trace import trace
from skerry.cloud.hints.tree import Tree, chain


def hint(position: int, tokens: Iterable[int], after: int = 0) -> Hint:
    return Hint(position, chain(tuple(tokens)), after)


def matcher(*verified: int) -> Matcher:
    made = Matcher(10)
    made.advance(verified)
    return made


def test_a_hint_for_the_end_is_kept() -> None:
    one = matcher()
    assert one.offer(hint(10, [1, 2, 3])) is Worth.KEPT
    assert one.best(9) == chain([1, 2, 3])
    assert one.best(2) == chain([1, 2])


def test_a_hint_twice_is_known() -> None:
    one = matcher()
    one.offer(hint(10, [1, 2, 3]))
    assert one.offer(hint(10, [1, 2])) is Worth.KNOWN


def test_a_hint_that_was_overtaken_is_worth_what_is_left_of_it() -> None:
    one = matcher(1, 2)
    assert one.offer(hint(10, [1, 2, 3, 4])) is Worth.KEPT
    assert one.best(9) == chain([3, 4])


def test_a_hint_that_was_overtaken_whole_is_late() -> None:
    assert matcher(1, 2, 3).offer(hint(10, [1, 2])) is Worth.LATE


def test_a_hint_that_says_otherwise_than_what_is_verified_is_wrong() -> None:
    assert matcher(1, 2).offer(hint(10, [1, 7, 3])) is Worth.WRONG
    assert matcher().offer(hint(9, [1])) is Worth.WRONG


def test_an_alternative_is_there_when_the_trunk_is_corrected() -> None:
    one = matcher()
    one.offer(hint(10, [1, 2, 3]))
    assert one.offer(hint(11, [8, 9], 1)) is Worth.KEPT
    assert one.offer(hint(13, [4], 3)) is Worth.KEPT
    assert one.best(3) == chain([1, 2, 3])
    one.advance([1, 8])
    assert one.best(9) == chain([9])
    assert one.offer(hint(13, [5], 9)) is Worth.KEPT
    assert one.best(9) == chain([9, 5])


def test_a_hint_goes_on_from_the_one_before() -> None:
    one = matcher()
    one.offer(hint(10, [1, 2]))
    assert one.offer(hint(12, [3], 2)) is Worth.KEPT
    assert one.best(9) == chain([1, 2, 3])


def test_a_hint_that_came_before_the_one_it_continues_waits() -> None:
    one = matcher()
    assert one.offer(hint(12, [3, 4], 2)) is Worth.WAITING
    one.advance([1, 2])
    assert one.best(9) == chain([3, 4])


def test_what_is_chosen_otherwise_ends_a_branch_and_takes_the_other() -> None:
    one = matcher()
    one.offer(Hint(10, Tree((1, 2, 8, 9), (-1, 0, -1, 2)), 0))
    one.advance([8])
    assert one.best(9) == chain([9])
    one.advance([5])
    assert one.best(9) == Tree()


def test_a_correction_makes_room() -> None:
    one = matcher()
    one.offer(hint(10, range(MOST_NODES)))
    assert one.offer(hint(10, [9, 9])) is Worth.FULL
    one.advance([7_000])
    assert one.offer(hint(11, [9, 9], trace(7_000))) is Worth.KEPT


def test_what_was_under_way_at_a_correction_does_not_spoil_what_follows_it() -> None:
    """The device guessed 1 2 3, and then 4 5; the target said 9, and the device goes on from there
    while 4 5 is still under way."""
    one = matcher()
    one.offer(hint(10, [1, 2, 3]))
    one.advance([9])
    assert one.offer(hint(13, [4, 5], 3)) is Worth.WAITING
    assert one.offer(hint(11, [6, 7], 9)) is Worth.KEPT
    assert one.offer(hint(13, [8], 7)) is Worth.KEPT
    assert one.best(9) == chain([6, 7, 8])
    one.advance([6, 7, 8])
    assert one.best(9) == Tree()


def test_a_hint_for_the_next_place_after_another_token_is_wrong() -> None:
    assert matcher(1).offer(hint(11, [2], 9)) is Worth.WRONG


def test_a_hint_goes_on_from_what_was_offered_first() -> None:
    one = matcher()
    one.offer(hint(10, [1, 2]))
    one.offer(hint(10, [5, 2]))
    one.offer(hint(12, [3], 2))
    assert one.best(9) == Tree((1, 2, 5, 2, 3), (-1, 0, -1, 2, 1))


def test_what_comes_next_is_told_by_its_place_and_the_token_before_it() -> None:
    one = matcher(1, 2)
    assert one.is_next(12, 2)
    assert not one.is_next(12, 1)
    assert not one.is_next(13, 2)
    assert matcher().is_next(10, 77)


def test_of_hints_that_wait_the_newest_are_kept() -> None:
    one = matcher()
    for i in range(100):
        assert one.offer(hint(20 + i, [1], 7)) is Worth.WAITING
    one.advance([7] * 102)
    assert one.best(9) == chain([1])
    one.advance([7] * 8)
    assert one.best(9) == Tree()


def test_a_hint_that_never_fits_waits_no_longer_than_its_place() -> None:
    one = matcher()
    one.offer(hint(12, [3, 4], 2))
    one.advance([1, 5])
    assert one.best(9) == Tree()
