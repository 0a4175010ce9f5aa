"""Minimal pairs from invented rules and records (`templates.toml`)."""

from __future__ import annotations

import random
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from typing import Any

from skerry.guardrails.train.grounding.lexicon import Lexicon
from skerry.guardrails.train.grounding.pair import Pair, Span, Truth, capital, shuffled

SOURCE = "templates"
BINDING = {
    "same": 5, "swapped_value": 16, "against": 5, "opposite": 2, "new_value": 1, "both": 1,
    "answered": 1,
}  # fmt: skip
"""Shares of kinds where what matters is which value goes with which."""
_SINGLE = 0.4  # share of scenes of which one fact is used alone as well
_CHANGED = {"c": Truth.CONTRADICTED, "n": Truth.NOT_FOUND}


@dataclass(frozen=True, slots=True)
class Fact:
    """An entry of `templates.toml`, as its head explains."""

    name: str
    slots: tuple[str, ...]
    forms: tuple[str, ...]
    opposite: tuple[str, ...]
    changed: tuple[str, ...]
    clashes: tuple[str, ...] = ()
    asks: tuple[tuple[str, str], ...] = ()
    held_out: bool = False


@dataclass(frozen=True, slots=True)
class Said:
    """A fact with its values, and the wording that the evidence has."""

    fact: Fact
    values: tuple[str, ...]
    form: str

    @property
    def text(self) -> str:
        return _filled(self.form, self.values)

    def other(self, draw: random.Random) -> str:
        """A wording that says the same, mostly another one."""
        return draw.choice([one for one in self.fact.forms if one != self.form] or [self.form])


@dataclass(frozen=True, slots=True)
class Scene:
    """What the evidence says, in order; `about` is a heading or empty."""

    said: tuple[Said, ...]
    about: str = ""

    @property
    def text(self) -> str:
        return " ".join(one.text for one in self.said)


@cache
def facts(*, held_out: bool) -> tuple[Fact, ...]:
    """The facts for training, or those for the report."""
    text = resources.files(__package__).joinpath("templates.toml").read_text(encoding="utf-8")
    rows = (
        {key: _frozen(value) for key, value in row.items()} for row in tomllib.loads(text)["fact"]
    )
    return tuple(fact for fact in (Fact(**row) for row in rows) if fact.held_out == held_out)


def _frozen(value: Any) -> Any:
    return tuple(_frozen(one) for one in value) if isinstance(value, list) else value


def pairs(
    known: Sequence[Fact],
    words: Lexicon,
    draw: random.Random,
    count: int,
    shares: Mapping[str, float] | None = None,
) -> list[Pair]:
    """`count` pairs from scenes of one to four facts, their kinds by `shares`."""
    shares = _SHARES if shares is None else shares
    single = _SINGLE if "against" in shares else 0.0
    made: list[Pair] = []
    while len(made) < count:
        scene = _scene(known, words, draw)
        chosen = set(draw.choices(list(shares), list(shares.values()), k=4))
        kinds = (kind for kind in shares if kind in chosen)
        made += [pair for kind in kinds if (pair := _KINDS[kind](scene, words, draw))]
        if single and draw.random() < single:
            alone = Scene((draw.choice(scene.said),), scene.about)
            made += [
                pair for kind in ("same", "against") if (pair := _KINDS[kind](alone, words, draw))
            ]
    return made[:count]


def _scene(known: Sequence[Fact], words: Lexicon, draw: random.Random) -> Scene:
    """A fact, a sibling of it with other values, a clash if there is one, and another fact."""
    first = _say(_drawn(known, draw), words, draw)
    said = [first]
    if draw.random() < 0.6:
        said.append(_sibling(first, words, draw))
    said += [_clash(first, fact, words, draw) for fact in known if first.fact.name in fact.clashes][
        : draw.randrange(3)
    ]
    if len(said) < 2 or draw.random() < 0.3:
        said.append(_say(draw.choice(known), words, draw))
    about = capital(first.values[0]) if draw.random() < 0.3 else ""
    return Scene(tuple(shuffled(said, draw)), about)


def _drawn(known: Sequence[Fact], draw: random.Random) -> Fact:
    """A fact; those about drugs more often, for a mistake there costs most."""
    return draw.choices(known, [3 if fact.slots[0] == "drug" else 1 for fact in known])[0]


def _say(fact: Fact, words: Lexicon, draw: random.Random) -> Said:
    return Said(fact, _values(fact.slots, words, draw), draw.choice(fact.forms))


def _values(
    slots: Sequence[str], words: Lexicon, draw: random.Random, taken: Sequence[str] = ()
) -> tuple[str, ...]:
    """A value for each slot, all different and none of `taken`."""
    values: list[str] = []
    for kind in slots:
        value = words.value(kind, draw)
        while value in values or value in taken:
            value = words.value(kind, draw)
        values.append(value)
    return tuple(values)


def _sibling(one: Said, words: Lexicon, draw: random.Random) -> Said:
    """The same fact of something else; in one slot it may have the same value."""
    values = list(_values(one.fact.slots, words, draw, one.values))
    if len(values) > 1 and draw.random() < 0.5:
        kept = draw.randrange(1, len(values))
        values[kept] = one.values[kept]
    return Said(one.fact, tuple(values), draw.choice(one.fact.forms))


def _clash(one: Said, fact: Fact, words: Lexicon, draw: random.Random) -> Said:
    """A fact that speaks against another drug for the same people as `one`."""
    values = list(_values(fact.slots, words, draw, one.values))
    for at, kind in enumerate(fact.slots):
        if at and kind in one.fact.slots:
            values[at] = one.values[one.fact.slots.index(kind)]
    return Said(fact, tuple(values), draw.choice(fact.forms))


def _filled(form: str, values: Sequence[str]) -> str:
    return capital(form.format(*values))


def _spans(claim: str, values: Sequence[str]) -> tuple[Span, ...]:
    """Where the values stand in the claim."""
    low = claim.lower()
    starts = [(low.find(value.lower()), len(value)) for value in values]
    return tuple((start, start + size) for start, size in starts if start >= 0)


def _same(scene: Scene, _words: Lexicon, draw: random.Random) -> Pair:
    one = draw.choice(scene.said)
    return _pair(scene, _filled(one.other(draw), one.values), Truth.SUPPORTED, "same", ())


def _both(scene: Scene, _words: Lexicon, draw: random.Random) -> Pair:
    """Two facts of the evidence in one claim."""
    one, two = draw.sample(scene.said, 2)
    second = _within(two.other(draw)).format(*two.values)
    text = _joined(_filled(one.other(draw), one.values), second, draw)
    return _pair(scene, text, Truth.SUPPORTED, "both", ())


def _within(form: str) -> str:
    """A wording that does not begin a sentence."""
    return form[0].lower() + form[1:]


def _joined(first: str, second: str, draw: random.Random) -> str:
    return f"{first[:-1]}{draw.choice((', and ', '; ', ' and '))}{second}"


def _opposite(scene: Scene, _words: Lexicon, draw: random.Random) -> Pair:
    one = draw.choice(scene.said)
    text = _filled(draw.choice(one.fact.opposite), one.values)
    return _pair(scene, text, Truth.CONTRADICTED, "opposite")


def _half_wrong(scene: Scene, _words: Lexicon, draw: random.Random) -> Pair:
    """One fact of the evidence and the opposite of another."""
    one, two = draw.sample(scene.said, 2)
    wrong = _within(draw.choice(two.fact.opposite)).format(*two.values)
    right = _filled(one.other(draw), one.values)
    text = _joined(right, wrong, draw)
    return _pair(
        scene, text, Truth.CONTRADICTED, "half_wrong", ((len(text) - len(wrong), len(text)),)
    )


def _new_value(scene: Scene, words: Lexicon, draw: random.Random) -> Pair:
    """A value that the evidence does not have."""
    one = draw.choice(scene.said)
    at = draw.randrange(len(one.values))
    taken = [value for said in scene.said for value in said.values]
    value = _values((one.fact.slots[at],), words, draw, taken)[0]
    return _changed(scene, one, at, value, draw, kind=f"new_{one.fact.slots[at]}")


def _changed(
    scene: Scene, one: Said, at: int, value: str, draw: random.Random, *, kind: str
) -> Pair:
    values = list(one.values)
    values[at] = value
    text = _filled(draw.choice(one.fact.forms), values)
    return _pair(scene, text, _CHANGED[one.fact.changed[at]], kind, _spans(text, (value,)))


def _swapped_value(scene: Scene, _words: Lexicon, draw: random.Random) -> Pair | None:
    """A value that the evidence has of something else: blending."""
    one = draw.choice(scene.said)
    at = draw.randrange(len(one.values))
    others = {
        value
        for said in scene.said
        if said is not one
        for value, kind in zip(said.values, said.fact.slots, strict=True)
        if kind == one.fact.slots[at] and value not in one.values
    }
    told = {said.values for said in scene.said if said.fact is one.fact}
    if not others:
        return None
    value = draw.choice(sorted(others))
    if (*one.values[:at], value, *one.values[at + 1 :]) in told:
        return None
    pair = _changed(scene, one, at, value, draw, kind=f"swapped_{one.fact.slots[at]}")
    return replace(pair, truth=_clashing(scene, one, at, value) or pair.truth)


def _clashing(scene: Scene, one: Said, at: int, value: str) -> Truth | None:
    """Contradicted, where the evidence speaks against the value that was put in."""
    against = any(
        one.fact.name in said.fact.clashes and said.values[0] == value for said in scene.said
    )
    return Truth.CONTRADICTED if against and at == 0 else None


def _against(scene: Scene, _words: Lexicon, draw: random.Random) -> Pair | None:
    """What the evidence speaks against, said of the same drug and people: no word of it need be
    there."""
    found = [(said, name) for said in scene.said for name in said.fact.clashes]
    if not found:
        return None
    said, name = draw.choice(found)
    fact = next(one for one in facts(held_out=said.fact.held_out) if one.name == name)
    by_kind = dict(zip(said.fact.slots, said.values, strict=True))
    values = [by_kind.get(kind, "") for kind in fact.slots]
    if "" in values or len(set(values)) < len(values):
        return None
    text = _filled(draw.choice(fact.forms), values)
    return _pair(scene, text, Truth.CONTRADICTED, "against")


def _absent(scene: Scene, words: Lexicon, draw: random.Random) -> Pair | None:
    """Another fact about something that the evidence speaks of."""
    one = draw.choice(scene.said)
    named = {said.fact.name for said in scene.said}
    others = [
        fact
        for fact in facts(held_out=one.fact.held_out)
        if fact.slots[0] == one.fact.slots[0]
        and fact.name not in named
        and not fact.clashes
        and not any(fact.name in said.fact.clashes for said in scene.said)
    ]
    if not others:
        return None
    fact = draw.choice(others)
    values = (one.values[0], *_values(fact.slots[1:], words, draw, one.values))
    text = _filled(draw.choice(fact.forms), values)
    return _pair(scene, text, Truth.NOT_FOUND, "absent")


def _beyond(scene: Scene, words: Lexicon, draw: random.Random) -> Pair:
    """A fact of the evidence, and something more that it does not say: extrapolation."""
    one = draw.choice(scene.said)
    right = _filled(one.other(draw), one.values)[:-1]
    why = words.value("why", draw)
    text = f"{right} {why}."
    return _pair(scene, text, Truth.NOT_FOUND, "beyond", ((len(right) + 1, len(text) - 1),))


def _answered(scene: Scene, words: Lexicon, draw: random.Random) -> Pair | None:
    """A short answer that only its question makes whole; half of them are wrong."""
    one = draw.choice(scene.said)
    if not one.fact.asks:
        return None
    question, answer = draw.choice(one.fact.asks)
    asked, right = _filled(question, one.values), _filled(answer, one.values)
    told = one.other(draw) if draw.random() < 0.3 else None
    if draw.random() < 0.5:
        text = _filled(told, one.values) if told else f"{right}."
        return replace(_pair(scene, text, Truth.SUPPORTED, "answered", ()), question=asked)
    at = next((i for i in range(len(one.values)) if f"{{{i}}}" in answer), None)
    taken = [value for said in scene.said for value in said.values]
    if at is None:
        return None
    values = list(one.values)
    values[at] = _values((one.fact.slots[at],), words, draw, taken)[0]
    text = f"{_filled(answer, values)}."
    truth = Truth.CONTRADICTED if one.fact.changed[at] == "c" else Truth.NOT_FOUND
    pair = _pair(scene, text, truth, "answered", _spans(text, (values[at],)))
    return replace(pair, question=asked)


def _pair(
    scene: Scene, claim: str, truth: Truth, kind: str, wrong: tuple[Span, ...] | None = None
) -> Pair:
    return Pair(claim, scene.text, truth, SOURCE, kind, context=scene.about, wrong=wrong)


_KINDS: Mapping[str, Callable[[Scene, Lexicon, random.Random], Pair | None]] = {
    "same": _same,
    "both": _both,
    "opposite": _opposite,
    "half_wrong": _half_wrong,
    "new_value": _new_value,
    "swapped_value": _swapped_value,
    "against": _against,
    "absent": _absent,
    "beyond": _beyond,
    "answered": _answered,
}
_SHARES = {
    "same": 8, "both": 2, "opposite": 3, "half_wrong": 1, "new_value": 3, "swapped_value": 4,
    "absent": 1, "beyond": 1, "answered": 2,
}  # fmt: skip


def shown(pairs_: Sequence[Pair]) -> Iterator[str]:
    """The pairs as lines, to be read by a person."""
    for one in pairs_:
        yield f"{one.truth.name:12} {one.kind:16} {one.question} {one.claim} <- {one.evidence}"
