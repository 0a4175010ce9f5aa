"""Windows of a source: whole if it is short, else the nearest parts, where they stand."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from skerry.guardrails.grounding.windows import MOST, WIDTH, beside, windows

FILLER = "The corridor is painted in a friendly colour and has many windows on its long side. " * 40
TOLD = "The oxygen cylinder is changed below 100 bar."


def test_a_short_source_is_one_window() -> None:
    text = f"{TOLD} It stands in room 2."
    (only,) = windows("Where is the cylinder?", text)
    assert (only.text, only.start, only.end) == (text, 0, len(text))


def test_the_nearest_window_of_a_long_source_is_first() -> None:
    source = f"{FILLER}{TOLD} {FILLER}"
    found = windows("The cylinder is changed below 100 bar.", source)
    assert len(found) <= MOST
    assert TOLD in found[0].text
    assert source[found[0].start : found[0].end].startswith(found[0].text[:40])


def test_table_rows_are_spoken() -> None:
    table = "| Who | Extension |\n|---|---|\n| Duty nurse | 214 |\n| Reception | 100 |"
    (only,) = windows("duty nurse", table)
    assert "Who: Duty nurse; Extension: 214." in only.text


def test_headings_go_before_the_text() -> None:
    assert beside("Fridge.\nTemperature", "It is 5 °C.") == "Fridge. Temperature. It is 5 °C."
    assert beside("", "It is 5 °C.") == "It is 5 °C."


@given(st.text(max_size=50), st.text(max_size=2_000), st.integers(1, 4))
def test_any_source_has_few_short_windows(claim: str, source: str, most: int) -> None:
    found = windows(claim, source, most)
    assert len(found) <= most
    for one in found:
        assert 0 <= one.start < one.end <= len(source)
        assert len(one.text) <= max(WIDTH * 2, 2_100)


def test_a_heading_is_no_part_of_the_sentence_after_it() -> None:
    (window,) = windows("the pump", "During use\n\nThe pump is on. It hums.")
    assert window.text == "During use\n\nThe pump is on. It hums."
