"""What hints are worth."""

from __future__ import annotations

from skerry.cloud.hints.matcher import MOST_NODES, Hint, Matcher, Worth
from skerry.cloud.hints.tree import Tree, chain


def matcher(*verified: int) -> Matcher:
    made = Matcher(10)
    made.advance(verified)
    return made


def test_a_hint_for_the_end_is_kept() -> None:
    one = matcher()
    assert one.offer(Hint(10, chain([1, 2, 3]))) is Worth.KEPT
    assert one.best(9) == chain([1, 2, 3])
    assert one.best(2) == chain([1, 2])


def test_a_hint_twice_is_known() -> None:
    one = matcher()
    one.offer(Hint(10, chain([1, 2, 3])))
    assert one.offer(Hint(10, chain([1, 2]))) is Worth.KNOWN


def test_a_hint_that_was_overtaken_is_worth_what_is_left_of_it() -> None:
    one = matcher(1, 2)
    assert one.offer(Hint(10, chain([1, 2, 3, 4]))) is Worth.KEPT
    assert one.best(9) == chain([3, 4])


def test_a_hint_that_was_overtaken_whole_is_late() -> None:
    assert matcher(1, 2, 3).offer(Hint(10, chain([1, 2]))) is Worth.LATE


def test_a_hint_that_says_otherwise_than_what_is_verified_is_wrong() -> None:
    assert matcher(1, 2).offer(Hint(10, chain([1, 7, 3]))) is Worth.WRONG
    assert matcher().offer(Hint(9, chain([1]))) is Worth.WRONG


def test_an_alternative_is_there_when_the_trunk_is_corrected() -> None:
    one = matcher()
    one.offer(Hint(10, chain([1, 2, 3])))
    assert one.offer(Hint(11, chain([8, 9]))) is Worth.KEPT
    assert one.offer(Hint(13, chain([4]))) is Worth.KEPT
    assert one.best(3) == chain([1, 2, 3])
    one.advance([1, 8])
    assert one.best(9) == chain([9])
    assert one.offer(Hint(13, chain([5]))) is Worth.KEPT
    assert one.best(9) == chain([9, 5])


def test_a_hint_goes_on_from_the_one_before() -> None:
    one = matcher()
    one.offer(Hint(10, chain([1, 2])))
    assert one.offer(Hint(12, chain([3]))) is Worth.KEPT
    assert one.best(9) == chain([1, 2, 3])


def test_a_hint_that_came_before_the_one_it_continues_waits() -> None:
    one = matcher()
    assert one.offer(Hint(12, chain([3, 4]))) is Worth.WAITING
    one.advance([1, 2])
    assert one.best(9) == chain([3, 4])


def test_what_is_chosen_otherwise_ends_a_branch_and_takes_the_other() -> None:
    one = matcher()
    one.offer(Hint(10, Tree((1, 2, 8, 9), (-1, 0, -1, 2))))
    one.advance([8])
    assert one.best(9) == chain([9])
    one.advance([5])
    assert one.best(9) == Tree()


def test_a_correction_makes_room() -> None:
    one = matcher()
    one.offer(Hint(10, chain(range(MOST_NODES))))
    assert one.offer(Hint(10, chain([9, 9]))) is Worth.FULL
    one.advance([7_000])
    assert one.offer(Hint(11, chain([9, 9]))) is Worth.KEPT


def test_nothing_waits_without_bound() -> None:
    one = matcher()
    worth = [one.offer(Hint(20 + i, chain([1]))) for i in range(100)]
    assert worth.count(Worth.FULL) > 90
