"""What a question lets choose between."""

from __future__ import annotations

import pytest

from skerry.guardrails.choices import alternatives
from skerry.guardrails.expected import adds


def test_what_is_weighed_is_named() -> None:
    kayak, keelboat = alternatives("Which is cheaper, a kayak or the keelboat?")
    assert (kayak, keelboat) == ({"kayak"}, {"keelboat"})
    assert alternatives("Which is cheaper, a kayak, \n or  the keelboat?") == (kayak, keelboat)
    assert alternatives("Is the kayak or the keelboat ready?") == ()


@pytest.mark.parametrize("blank", [" ", "\n", "\t "])
def test_a_long_gap_takes_no_longer(blank: str) -> None:
    """No clock is read: in time of the square of the gap this would take minutes."""
    gap = blank * 100_000
    assert alternatives(f"Which is cheaper?{gap}x") == ()
    assert not adds(f"How often?{gap}x", "How often x")
