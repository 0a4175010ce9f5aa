"""Texts that are signs of danger, by class, and harmless ones with the same words.

Templates of our own and public benign texts. None of the public sets of harmful requests may be
trained on (`evaluate` has them); the wordings here are mild on purpose.
"""

from __future__ import annotations

import random
from pathlib import Path

from skerry.guardrails.safety import CLASSES
from skerry.guardrails.train.injection import texts as injection
from skerry.guardrails.train.wording import markup, people, sources
from skerry.guardrails.train.wording.example import Example
from skerry.guardrails.train.wording.templates import compose, read, varied

TEXTS = Path(__file__).parent / "texts"
_UNSURE = {
    "self_harm": ("clinical_red_flag", "dangerous_advice"),
    "clinical_red_flag": ("self_harm", "violence"),
    "violence": ("hate", "dangerous_advice"),
    "hate": ("violence",),
    "dangerous_advice": ("violence", "self_harm"),
}
"""What a text of a class may be a sign of as well: nobody knows."""
_SHARES = {"clinc150": 5000, "banking77": 3000, "medquad": 7000, "medquad_answers": 3000,
           "mts_dialog": 1500, "wikipedia": 5000, "letters": 50}  # fmt: skip


_OF_PATIENTS = tuple(
    float("nan") if one in ("self_harm", "clinical_red_flag") else 0.0 for one in CLASSES
)
"""What is known of dialogues with patients: some do tell of danger."""


def dangers(number: int, seed: int) -> dict[str, list[str]]:
    """`number` texts of each class."""
    draw = random.Random(f"dangers {seed}")
    families, slots = read(TEXTS / "dangers.toml"), read(TEXTS / "danger_slots.toml")
    return {
        name: [
            varied(compose(draw.choice(families[name]), slots, draw), draw) for _ in range(number)
        ]
        for name in CLASSES
    }


def benign(number: int, seed: int) -> list[str]:
    draw = random.Random(f"safe {seed}")
    families = read(TEXTS / "benign.toml")
    slots = {
        **read(injection.TEXTS / "benign_slots.toml"),
        **read(TEXTS / "danger_slots.toml"),
        **read(TEXTS / "benign_slots.toml"),
    }
    templates = [one for group in families.values() for one in group]
    return [varied(compose(draw.choice(templates), slots, draw), draw) for _ in range(number)]


def examples(data: Path, number: int, seed: int) -> list[Example]:
    """What to train on: `number` texts a class, four times as many benign ones, public ones."""
    draw = random.Random(f"safety examples {seed}")
    public = {
        name: draw.sample(found, min(_SHARES[name], len(found)))
        for name, found in sources.training(data).items()
    }
    around = public["clinc150"] + public["medquad"] + injection.sentences(public["medquad_answers"])
    none = (0.0,) * len(CLASSES)
    made = [
        Example(injection.hidden_among(one, around, draw), _labels(name))
        for name, found in dangers(number, seed).items()
        for one in found
    ]
    good = [*benign(4 * number, seed), *injection.benign_templates(number, seed)]
    good += markup.wrapped(around, number, draw) + people.texts(number, seed)
    orders = injection.attacks(data, number // 2, seed)
    made += [Example(one, none) for one in good]
    made += [Example(one, (0.0, 0.0, 0.0, 0.0, 0.0, float("nan"))) for one in orders]
    for name, found in public.items():
        labels = _OF_PATIENTS if name == "mts_dialog" else none
        made += [Example(one, labels, 1.5) for one in found]
    return made


def _labels(name: str) -> tuple[float, ...]:
    unsure = _UNSURE.get(name, ())
    return tuple(1.0 if one == name else float("nan") if one in unsure else 0.0 for one in CLASSES)
