"""Numbers and units as they are written, and which of them are the same amount."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.guardrails.grounding.exact.quantities import quantities


@dataclass(frozen=True)
class Case:
    text: str
    found: tuple[tuple[float, str], ...]
    """Value and measure of each; "" for a bare number."""


CASES = [
    Case("1 g", ((1, "mass"),)),
    Case("1000mg", ((1000, "mass"),)),
    Case("between 2 °C and 8 °C", ((2, "temperature"), (8, "temperature"))),
    Case("2-8 degrees", ((2, "temperature"), (8, "temperature"))),
    Case("20 to 30 seconds", ((20, "duration"), (30, "duration"))),
    Case("twenty-five minutes", ((25, "duration"),)),
    Case("two hundred and ten pounds", ((210, "pounds"),)),
    Case("£5.50", ((5.5, "pounds"),)),
    Case("15 mg/kg", ((15, "mass/mass"),)),
    Case("5 ml per hour", ((5, "volume/duration"),)),
    Case("5 per cent", ((5, "share"),)),
    Case("0.9 %", ((0.9, "share"),)),
    Case("a 10-minute wait", ((10, "duration"),)),
    Case("1,250 people", ((1250, ""),)),
    Case("3.5 million people", ((3_500_000, ""),)),
    Case("twice", ((2, ""),)),
    Case("no number here", ()),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.text)
def test_quantities(case: Case) -> None:
    sure = [one for one in quantities(case.text) if one.certain]
    assert tuple((one.value, one.unit.measure if one.unit else "") for one in sure) == case.found


@dataclass(frozen=True)
class Same:
    one: str
    two: str
    equal: bool = True


SAME = [
    Same("1 g", "1000 mg"),
    Same("500 micrograms", "0.5 mg"),
    Same("0.5 l", "500 ml"),
    Same("24 hours", "1 day"),
    Same("90 minutes", "1.5 hours"),
    Same("two years", "24 months"),
    Same("three tablets", "3 tablets"),
    Same("5 degrees Celsius", "5 °C"),
    Same("7", "7 doses"),
    Same("1,000", "1000"),
    Same("1 g", "1 mg", equal=False),
    Same("5 mg", "5 ml", equal=False),
    Same("5 mg", "5 mg/kg", equal=False),
    Same("8 °C", "9 °C", equal=False),
    Same("5 pounds", "5 euros", equal=False),
    Same("10 minutes", "10 hours", equal=False),
]


@pytest.mark.parametrize("case", SAME, ids=lambda case: f"{case.one} and {case.two}")
def test_equal_amounts(case: Same) -> None:
    (one,), (two,) = quantities(case.one), quantities(case.two)
    assert one.equals(two) == two.equals(one) == case.equal


@pytest.mark.parametrize("text", ["one of them", "the two of them", "a day", "daily"])
def test_what_is_mostly_no_number_is_not_certain(text: str) -> None:
    assert not any(one.certain for one in quantities(text))


@given(st.text(alphabet="0123456789.,-/ mgl%°CF£ andto hundred\u0660\u00b2", max_size=80))
def test_any_text_has_quantities_with_spans(text: str) -> None:
    for one in quantities(text):
        assert 0 <= one.start < one.end <= len(text)


@given(st.integers(0, 10**7), st.sampled_from(["mg", "ml", "hours", "%", "°C"]))
def test_a_quantity_equals_itself(value: int, unit: str) -> None:
    (plain,), (grouped,) = quantities(f"{value} {unit}"), quantities(f"{value:,} {unit}")
    assert plain.equals(grouped)
