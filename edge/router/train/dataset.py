"""Which examples train the router, which choose and calibrate it, and which test it."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

from skerry.edge.router.train import sources
from skerry.edge.router.train.augment import variants
from skerry.edge.router.train.example import Example
from skerry.edge.router.train.phrases import filled_templates, held_out, in_context, own_phrases
from skerry.edge.types import RequestClass

# How much a source counts within a class; see `example.balance`.
SHARES = {"own": 12.0, "template": 6.0, "pasted": 2.0, "clinc150": 8.0, "banking77": 3.0}
SCOPE_SHARES = {"own": 4.0, "clinc150": 3.0, "clinc150 out of scope": 3.0}


def training(data: Path, seed: int) -> list[Example]:
    """The repository's own words in many forms, and the train splits of public sets."""
    return [*own_words(data, seed), *public(data, seed)]


def own_words(data: Path, seed: int) -> list[Example]:
    """Phrases and templates: as written, as typed, after a context, and with a text pasted."""
    phrases, filled = own_phrases(), filled_templates(12, seed)
    inside = [example for example in phrases if example.in_scope]
    extraction = [
        example
        for example in [*phrases, *filled]
        if example.request_class is RequestClass.EXTRACTION
    ]
    return [
        *phrases,
        *variants(phrases, 2, seed + 1),
        *in_context(inside, seed + 2),
        *filled,
        *variants(filled[::2], 1, seed + 3),
        *in_context(variants(filled[::3], 1, seed + 4), seed + 5),
        *sources.with_pasted_text(extraction, sources.carriers(data), seed + 6),
    ]


def public(data: Path, seed: int) -> list[Example]:
    """Only splits that may be trained on, under licences that let weights be shipped."""
    return [
        *sources.clinc150(data, "train"),
        *sources.banking77(data, "train"),
        *sources.pubmedqa(data, "train"),
        *_some(sources.gsm8k(data, "train"), 1500, seed),
        *_some(sources.medquad(data), 2500, seed),
        *_some(sources.mmlu(data, held_out=False), 2500, seed),
    ]


def development(data: Path) -> list[Example]:
    """What chooses and calibrates."""
    return [*held_out("dev"), *sources.clinc150(data, "val")]


def tests(data: Path, each: int, seed: int) -> dict[str, list[Example]]:
    """What is reported, by name; at most `each` examples of a public set."""
    public_sets = {
        "clinc150": sources.clinc150(data, "test"),
        "banking77": sources.banking77(data, "test"),
        "gsm8k": sources.gsm8k(data, "test"),
        "pubmedqa": sources.pubmedqa(data, "test"),
        "bbh": sources.bbh(data),
        "mmlu": sources.mmlu(data, held_out=True),
        "medical_question_pairs": sources.medical_question_pairs(data),
        "self-harm": sources.moderation_self_harm(data),
    }
    return {
        "held-out": held_out("test"),
        **{name: _some(examples, each, seed) for name, examples in public_sets.items()},
    }


def _some(examples: Sequence[Example], number: int, seed: int) -> list[Example]:
    return random.Random(seed).sample(examples, min(number, len(examples)))
