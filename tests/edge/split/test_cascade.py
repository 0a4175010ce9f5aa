"""Several drafters, in order of cost."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from skerry.edge.split.drafter import Cascade, Guess


class Saying:
    """Has one idea, none, or is still reading."""

    def __init__(self, token: int, odds: float | None, *, reads: bool = False) -> None:
        self._guess = [] if odds is None else [Guess(token, odds)]
        self._reads = reads
        self.asked = 0
        self.closed = False

    def draft(self, sequence: Sequence[int], most: int) -> list[Guess] | None:
        self.asked += 1
        return None if self._reads else self._guess

    def read(self, sequence: Sequence[int]) -> bool:
        return self._reads

    def branch(self, sequence: Sequence[int], token: int, most: int) -> list[int]:
        return [token, *(one.token for one in self._guess)]

    def close(self) -> None:
        self.closed = True


@pytest.mark.parametrize(
    ("cheap", "dear", "token", "asks"),
    [
        (0.9, 0.95, 1, False),
        (0.5, 0.8, 2, True),
        (0.5, 0.3, 1, True),
        (None, 0.1, 2, True),
        (0.1, None, 1, True),
    ],
    ids=["sure", "another is surer", "another is less sure", "no idea", "another has none"],
)
def test_the_surest_is_heard_and_nobody_asked_in_vain(
    cheap: float | None, dear: float | None, token: int, asks: bool
) -> None:
    first, second = Saying(1, cheap), Saying(2, dear)
    guesses = Cascade((first, second)).draft([7], 4)
    assert guesses
    assert guesses[0].token == token
    assert (second.asked == 1) is asks


def test_one_that_still_reads_is_not_waited_for_where_another_has_an_idea() -> None:
    reading = Saying(2, None, reads=True)
    assert Cascade((Saying(1, 0.2), reading)).draft([7], 4) == [Guess(1, 0.2)]
    assert Cascade((Saying(1, None), reading)).draft([7], 4) is None
    assert Cascade((Saying(1, None), Saying(2, None))).draft([7], 4) == []
    assert Cascade((Saying(1, None), reading)).read([7])


def test_all_are_closed_and_the_first_that_knows_more_goes_on_from_a_correction() -> None:
    parts = (Saying(1, None), Saying(2, 0.5))
    cascade = Cascade(parts)
    assert cascade.branch([7], 9, 4) == [9, 2]
    cascade.close()
    assert all(one.closed for one in parts)
