"""Names, towns, streets and organisations to plant, split so that a test sees none of training.

From Faker (MIT) in many languages and from `texts/words.toml`. A value's part is chosen by its
digest, so that the split is the same on every machine; people of the test have first and last
names of the test.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from skerry.guardrails.normal import normalise
from skerry.guardrails.train.names.parts import Part, split

TEXTS = Path(__file__).parent / "texts"
WORDS = TEXTS / "words.toml"
LOCALES = (
    "en_GB", "en_US", "en_IN", "en_AU", "en_CA", "en_IE", "en_NZ", "en_NG", "en_KE", "fr_FR",
    "de_DE", "es_ES", "es_MX", "it_IT", "pt_BR", "pt_PT", "nl_NL", "nl_BE", "pl_PL", "sv_SE",
    "no_NO", "da_DK", "fi_FI", "cs_CZ", "sk_SK", "sl_SI", "hr_HR", "ro_RO", "hu_HU", "tr_TR",
    "id_ID", "vi_VN", "et_EE", "lt_LT", "lv_LV", "az_AZ", "yo_NG", "zu_ZA", "tw_GH", "ga_IE",
)  # fmt: skip
_ROMANISED = ("ja_JP", "zh_CN", "ko_KR", "ru_RU", "fa_IR", "uk_UA", "el_GR", "ar_SA")
_ENGLISH = ("en_GB", "en_US")
_EACH = 400
_SHARES = {Part.TEST: 51, Part.DEVELOPMENT: 26}


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
    return _lists(WORDS)


@cache
def more(part: Part) -> dict[str, list[str]]:
    """The lists of `texts/more.toml`, without the names that another part has."""
    return {name: _side(found, part) for name, found in _lists(TEXTS / "more.toml").items()}


def _lists(path: Path) -> dict[str, list[str]]:
    document = tomllib.loads(path.read_text(encoding="utf-8"))
    return {name: _split(text) for name, text in document.items()}


def values(companies: Iterable[str], seed: int, part: Part) -> Values:
    """The values of one part; `companies` are more names of organisations."""
    made = _faked(seed)
    known = words()
    return Values(
        first=_side([*made["first_name"], *known["first_names"]], part)
        + _side(made["english first_name"], part) * 3
        + _side(known["words_as_names"], part) * 2,
        last=_side([*made["last_name"], *known["last_names"]], part)
        + _side(made["english last_name"], part) * 3
        + _side(known["words_as_surnames"], part) * 2,
        cities=_side(made["city"], part) + _side(known["cities"], part) * 8,
        streets=_side(made["street_name"], part),
        companies=_side([*made["company"], *companies], part),
    )


def towns(seed: int) -> list[str]:
    """The towns of every part: what a public text calls by one of these names is a town."""
    return sorted({*_faked(seed)["city"], *words()["cities"]})


def part_of(value: str) -> Part:
    """The part that a name belongs to, however it is written."""
    return split(value.casefold(), _SHARES)


def _side(found: Iterable[str], part: Part) -> list[str]:
    return sorted({one for one in found if part_of(one) in part.seen})


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
        _order_towns(fake, locale)
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


def _order_towns(fake: Any, locale: str) -> None:
    """Faker keeps the towns of Italy in an order that changes from process to process."""
    if locale != "it_IT":
        return
    for provider in fake.get_providers():
        if hasattr(provider, "cities"):
            provider.cities = sorted(provider.cities)


def _drawn(draw: Callable[[], str] | None) -> list[str]:
    if draw is None:
        return []
    return [one for one in {draw() for _ in range(_EACH)} if _is_usable(one)]


def _is_usable(value: str) -> bool:
    """What the vocabulary can spell: Latin letters, with or without accents."""
    return normalise(value).text.isascii() and any(c.isalpha() for c in value) and "\n" not in value


def _split(text: str) -> list[str]:
    return [" ".join(one.split()) for one in text.split("|") if one.strip()]
