"""Texts that try to give orders to the model, and benign ones with the same words.

Templates of our own, with letters that BIPIA plants in answers (MIT, its train part) and public
benign texts around. Whole families can be held out.
"""

from __future__ import annotations

import base64
import json
import random
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from skerry.guardrails.train.wording import markup, people, sources
from skerry.guardrails.train.wording.example import Example
from skerry.guardrails.train.wording.templates import compose, mistyped, read, varied

TEXTS = Path(__file__).parent / "texts"
_ABOUT_ANSWERS = re.compile(r"\b(?:your|the) (?:answer|response|reply)", re.IGNORECASE)
_RARE = {"flood": 0.4, "multilingual": 1.2, "encodings": 1.5}
_SLIPPED = 0.12
_SHARES = {"clinc150": 6500, "banking77": 5000, "medquad": 6000, "medquad_answers": 2600,
           "mts_dialog": 1500, "wikipedia": 3500, "letters": 50}  # fmt: skip


def attacks(
    data: Path, number: int, seed: int, held_out: Sequence[str] = (), *, only_held_out: bool = False
) -> list[str]:
    """About `number` attacks; those of the families `held_out` left out, or they alone."""
    draw = random.Random(f"attacks {seed}")
    families, slots = read(TEXTS / "attacks.toml"), read(TEXTS / "slots.toml")
    kept = {name: one for name, one in families.items() if (name in held_out) is only_held_out}
    made = [_attack(kept, slots, draw) for _ in range(number)]
    planted = [] if only_held_out else planted_answers(data)
    return made + [varied(one, draw) for one in planted for _ in range(4)]


def planted_answers(data: Path) -> list[str]:
    """BIPIA's orders about the answer; the others are questions that anybody may ask."""
    found = json.loads(sources.text(data, "bipia/text_attack_train.json"))
    return [one for group in found.values() for one in group if _ABOUT_ANSWERS.search(one)]


def benign_templates(number: int, seed: int) -> list[str]:
    draw = random.Random(f"benign {seed}")
    families, slots = read(TEXTS / "benign.toml"), read(TEXTS / "benign_slots.toml")
    templates = [one for group in families.values() for one in group]
    made = [compose(draw.choice(templates), slots, draw) for _ in range(number)]
    slipped = [_slipped(one, draw) if draw.random() < _SLIPPED / 2 else one for one in made]
    return [varied(one, draw) for one in slipped]


def examples(data: Path, number: int, seed: int, held_out: Sequence[str] = ()) -> list[Example]:
    """What to train on: `number` attacks, as many of our benign texts, and public ones."""
    draw = random.Random(f"examples {seed}")
    public = {
        name: draw.sample(found, min(_SHARES[name], len(found)))
        for name, found in sources.training(data).items()
    }
    short = [one for name in ("clinc150", "banking77", "medquad") for one in public[name]]
    around = short + public["wikipedia"] + sentences(public["medquad_answers"])
    bad = attacks(data, number, seed, held_out)
    good = benign_templates(int(number * 1.3), seed)
    plain = [varied(one, draw) if draw.random() < 0.4 else one for one in short]
    long = [
        *public["medquad_answers"],
        *public["mts_dialog"],
        *public["wikipedia"],
        *public["letters"],
    ]
    forms = markup.wrapped([*around, *good], number, draw) + markup.programs(number // 4, draw)
    forms += people.texts(number // 4, seed)
    mixed = [_among(draw.choice(good), around, draw) for _ in range(number // 4)]
    return [
        *(Example(hidden_among(one, around, draw), (1.0,)) for one in bad),
        *(Example(one, (0.0,)) for one in (*good, *plain, *mixed, *forms)),
        *(Example(one, (0.0,), 2.0) for one in long),
    ]


def sentences(texts: Sequence[str]) -> list[str]:
    """The sentences of texts that are neither very short nor very long."""
    return [
        one for text in texts for one in re.split(r"(?<=[.?!])\s+", text) if 25 < len(one) < 220
    ]


def _attack(
    families: Mapping[str, Sequence[str]], slots: Mapping[str, list[str]], draw: random.Random
) -> str:
    names = list(families)
    weights = [len(families[name]) * _RARE.get(name, 1.0) for name in names]
    name = draw.choices(names, weights)[0]
    given = {**slots, "flood": [_flood(draw)]}
    made = compose(draw.choice(families[name]), given, draw)
    if draw.random() < 0.12 and name not in ("forging", "code", "multilingual", "flood"):
        made = f"{made} {compose(draw.choice(families[name]), given, draw)}"
    if draw.random() < _SLIPPED:
        made = _slipped(made, draw)
    return varied(_leet(made, draw) if draw.random() < 0.03 else made, draw)


def _slipped(text: str, draw: random.Random) -> str:
    """The text with up to three typing errors; people who attack make them on purpose."""
    for _ in range(draw.randint(1, 3) if len(text) > 20 else 0):
        text = mistyped(text, draw)
    return text


def _flood(draw: random.Random) -> str:
    """What fills a prompt: one thing over and over."""
    unit = draw.choice([
        "k ", "ö ", "a ", "! ", "🔓 ", "yes ", "granted ", "x", "=", "- ", "no no ", "\n\n", "} ",
        "la la ", "access ", "0 ", "and ", "| ", "\\ ", "open ", "A", "{{ ", "ha", "word word ",
    ])  # fmt: skip
    return (unit * draw.randint(25, 70)).strip()


def _leet(text: str, draw: random.Random) -> str:
    pairs = {"o": "0", "i": "1", "e": "3", "a": "4", "s": "5", "t": "7"}
    return "".join(pairs[one] if one in pairs and draw.random() < 0.4 else one for one in text)


def hidden_among(attack: str, around: Sequence[str], draw: random.Random) -> str:
    """The attack alone, in markup, or among harmless sentences."""
    attack = markup.within(attack, draw) if draw.random() < 0.1 else attack
    return _among(attack, around, draw) if draw.random() < 0.4 else attack


def _among(one: str, around: Sequence[str], draw: random.Random) -> str:
    before = [draw.choice(around) for _ in range(draw.choice((0, 0, 1, 1, 2)))]
    after = [draw.choice(around) for _ in range(draw.choice((0, 1, 1, 2)))]
    parts = [*map(_closed, before), _closed(one) if after else one, *map(_closed, after)]
    return draw.choice((" ", " ", "\n", "\n\n")).join(parts)


def _closed(one: str) -> str:
    return one if one.endswith((".", "!", "?", "\n", ">", "-", "`")) else f"{one}."


def encoded(text: str) -> str:
    """The text in base64."""
    return base64.b64encode(text.encode()).decode()
