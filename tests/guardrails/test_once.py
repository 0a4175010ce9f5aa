"""What is loaded once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from skerry.guardrails.once import Once


def test_threads_get_the_same() -> None:
    made: list[object] = []

    def make() -> object:
        made.append(object())
        return made[-1]

    shared = Once(make)
    assert made == []
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: shared(), range(64)))
    assert len(made) == 1
    assert {id(one) for one in found} == {id(made[0])}


def test_what_fails_is_tried_again() -> None:
    tries = iter([ValueError("no"), None])

    def make() -> str:
        error = next(tries)
        if error is not None:
            raise error
        return "made"

    shared = Once(make)
    with pytest.raises(ValueError, match="no"):
        shared()
    assert shared() == "made"
