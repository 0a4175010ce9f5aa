"""What the cloud was told before need not be told again."""

from __future__ import annotations

from skerry.edge.split.told import Told


def test_a_sequence_that_goes_on_is_told_from_where_it_goes_on() -> None:
    told = Told()
    session, kept = told.take(range(50))
    assert kept == 0
    told.give_back(session, range(60))
    again, kept = told.take([*range(55), 7, 8])
    assert (again, kept) == (session, 55)


def test_at_least_one_token_is_told() -> None:
    told = Told()
    told.give_back("a", range(60))
    assert told.take(range(60)) == ("a", 59)


def test_a_session_in_use_is_nobody_elses() -> None:
    told = Told()
    told.give_back("a", range(60))
    assert told.take(range(60))[0] == "a"
    other, kept = told.take(range(60))
    assert other != "a"
    assert kept == 0


def test_a_short_beginning_is_not_worth_a_session() -> None:
    told = Told()
    told.give_back("a", range(60))
    assert told.take([0, 1, 2, 99])[1] == 0


def test_old_sessions_are_forgotten() -> None:
    told = Told()
    for i in range(20):
        told.give_back(str(i), [i] * 60)
    assert told.take([0] * 60)[1] == 0
    assert told.take([19] * 60)[1] == 59
