"""Names, towns, streets and organisations to plant, split so that a test sees none of training.

From Faker (MIT) in many languages and from `texts/words.toml`. A value is held out by its digest,
so that the split is the same on every machine; people of the test have held-out first and last
names.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from skerry.guardrails.normal import normalise

WORDS = Path(__file__).parent / "texts" / "words.toml"
LOCALES = (
    "en_GB", "en_US", "en_IN", "en_AU", "en_CA", "en_IE", "en_NZ", "en_NG", "en_KE", "fr_FR",
    "de_DE", "es_ES", "es_MX", "it_IT", "pt_BR", "pt_PT", "nl_NL", "nl_BE", "pl_PL", "sv_SE",
    "no_NO", "da_DK", "fi_FI", "cs_CZ", "sk_SK", "sl_SI", "hr_HR", "ro_RO", "hu_HU", "tr_TR",
    "id_ID", "vi_VN", "et_EE", "lt_LT", "lv_LV", "az_AZ", "yo_NG", "zu_ZA", "tw_GH", "ga_IE",
)  # fmt: skip
_ROMANISED = ("ja_JP", "zh_CN", "ko_KR", "ru_RU", "fa_IR", "uk_UA", "el_GR", "ar_SA")
_ENGLISH = ("en_GB", "en_US")
_EACH = 400
_HELD_OUT_OF_256 = 51


@dataclass(frozen=True, slots=True)
class Values:
    """What may be planted: either all for training or all for testing."""

    first: list[str]
    last: list[str]
    cities: list[str]
    streets: list[str]
    companies: list[str]


@cache
def words() -> dict[str, list[str]]:
    """The lists of `texts/words.toml`."""
    document = tomllib.loads(WORDS.read_text(encoding="utf-8"))
    return {name: _split(text) for name, text in document.items()}


def values(companies: Iterable[str], seed: int, *, held_out: bool) -> Values:
    """The values of one side of the split; `companies` are more names of organisations."""
    made = _faked(seed)
    known = words()
    return Values(
        first=_side([*made["first_name"], *known["first_names"]], held_out)
        + _side(made["english first_name"], held_out) * 3
        + _side(known["words_as_names"], held_out) * 2,
        last=_side([*made["last_name"], *known["last_names"]], held_out)
        + _side(made["english last_name"], held_out) * 3
        + _side(known["words_as_surnames"], held_out) * 2,
        cities=_side(made["city"], held_out) + _side(known["cities"], held_out) * 8,
        streets=_side(made["street_name"], held_out),
        companies=_side([*made["company"], *companies], held_out),
    )


def is_held_out(value: str) -> bool:
    return hashlib.sha256(value.casefold().encode()).digest()[0] < _HELD_OUT_OF_256


def _side(found: Iterable[str], held_out: bool) -> list[str]:
    return sorted({one for one in found if is_held_out(one) is held_out})


@cache
def _faked(seed: int) -> dict[str, list[str]]:
    from faker import Faker

    made: dict[str, list[str]] = {
        kind: [] for kind in ("first_name", "last_name", "city", "street_name", "company")
    }
    english: dict[str, list[str]] = {"english first_name": [], "english last_name": []}
    for number, locale in enumerate((*LOCALES, *_ROMANISED)):
        fake = Faker(locale)
        fake.seed_instance(seed * 1000 + number)
        for kind in made:
            drawn = _drawn(getattr(fake, kind, None))
            made[kind] += drawn
            if locale in _ENGLISH and f"english {kind}" in english:
                english[f"english {kind}"] += drawn
        for name in _drawn(getattr(fake, "romanized_name", None)):
            first, _, last = name.partition(" ")
            made["first_name"].append(first)
            made["last_name"].append(last or first)
    return {kind: sorted(set(found)) for kind, found in (made | english).items()}


def _drawn(draw: Callable[[], str] | None) -> list[str]:
    if draw is None:
        return []
    return [one for one in {draw() for _ in range(_EACH)} if _is_usable(one)]


def _is_usable(value: str) -> bool:
    """What the vocabulary can spell: Latin letters, with or without accents."""
    return normalise(value).text.isascii() and any(c.isalpha() for c in value) and "\n" not in value


def _split(text: str) -> list[str]:
    return [" ".join(one.split()) for one in text.split("|") if one.strip()]
