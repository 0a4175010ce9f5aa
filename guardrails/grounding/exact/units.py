"""Units of measurement as they are written, with what they measure and how much of it they are."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Unit:
    """`factor` converts into the first unit of the `measure`; only equal measures compare."""

    measure: str
    factor: float


_TABLE = {
    "mass": (
        ("mg milligram milligrams milligramme milligrammes", 1),
        ("mcg ug μg µg microgram micrograms microgramme microgrammes", 1e-3),
        ("ng nanogram nanograms", 1e-6),
        ("g gr gram grams gramme grammes", 1e3),
        ("kg kilo kilos kilogram kilograms", 1e6),
    ),
    "volume": (
        ("ml millilitre millilitres milliliter milliliters cc", 1),
        ("cl", 10),
        ("dl", 100),
        ("l litre litres liter liters", 1e3),
    ),
    "length": (
        ("mm millimetre millimetres millimeter millimeters", 1),
        ("cm centimetre centimetres centimeter centimeters", 10),
        ("m metre metres meter meters", 1e3),
        ("km kilometre kilometres kilometer kilometers", 1e6),
    ),
    "miles": (("mile miles", 1),),
    "duration": (
        ("second seconds sec secs", 1),
        ("minute minutes min mins", 60),
        ("hour hours hr hrs h", 3600),
        ("day days", 86_400),
        ("week weeks", 604_800),
        ("fortnight fortnights", 1_209_600),
    ),
    "months": (("month months", 1), ("year years yr yrs", 12)),
    "share": (("% percent", 1),),
    "temperature": (("°c celsius centigrade degree degrees °", 1),),
    "fahrenheit": (("°f fahrenheit", 1),),
    "mmhg": (("mmhg", 1),),
    "bar": (("bar bars", 1),),
    "kpa": (("kpa", 1),),
    "substance": (("mmol millimoles", 1), ("mol moles", 1e3)),
    "activity": (("unit units iu", 1), ("miu", 1e-3)),
    "tablets": (("tablet tablets pill pills", 1),),
    "capsules": (("capsule capsules", 1),),
    "puffs": (("puff puffs", 1),),
    "drops": (("drop drops", 1),),
    "doses": (("dose doses", 1),),
    "pounds": (("£ pound pounds gbp", 1),),
    "dollars": (("$ dollar dollars usd", 1),),
    "euros": (("€ euro euros eur", 1),),
}

UNITS = {
    name: Unit(measure, factor)
    for measure, rows in _TABLE.items()
    for names, factor in rows
    for name in names.split()
}
"""By their lower-case spelling. "degrees" alone are taken for degrees Celsius."""

PER = frozenset(
    {"hour", "hours", "h", "hr", "day", "days", "d", "kg", "l", "ml", "dl", "min", "minute", "week"}
)
"""What may follow a stroke or "per": "ml/h", "mg per kg"."""


def per(unit: Unit, below: str) -> Unit:
    """The unit for each `below`: "ml/h"."""
    divisor = UNITS.get("day" if below == "d" else below)
    assert divisor is not None  # `PER` has only units
    return Unit(f"{unit.measure}/{divisor.measure}", unit.factor / divisor.factor)
