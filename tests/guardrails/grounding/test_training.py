"""The pairs that the checker is trained on: seeded, and labelled as they say. No model."""

from __future__ import annotations

import random

import pytest

from skerry.guardrails.train.grounding.edits import EDITS, Place
from skerry.guardrails.train.grounding.lexicon import lexicon
from skerry.guardrails.train.grounding.pair import Truth
from skerry.guardrails.train.grounding.rephrase import rephrased
from skerry.guardrails.train.grounding.templates import facts, pairs

PLACE = Place(
    "Metformin 500 mg is taken at 08:00 in March by Anna Keller. Aspirin is not given to children.",
    ["Anna Keller", "Tom Briggs"],
    ["Aspirin is not given to children.", "The north gate is open for 10 days."],
)
SENTENCES = {
    "number": "The ward has 14 beds.",
    "clock": "It opens at 08:00.",
    "unit": "The dose is 5 mg.",
    "month": "It ends in March.",
    "name": "It was signed by Tom Briggs.",
    "drug": "Metformin is taken daily.",
    "antonym": "The risk is higher in men.",
    "deny": "The door is locked.",
    "modality": "It may cause fever.",
    "quantity": "It helps most patients.",
    "roles": "The letter from Anna was sent to Peter by post.",
    "blend": "The north gate is painted red.",
    "beyond": "The door is locked.",
}


def test_every_edit_has_an_example() -> None:
    assert set(SENTENCES) == set(EDITS)


@pytest.mark.parametrize("kind", SENTENCES)
def test_an_edit_changes_what_it_says(kind: str) -> None:
    text = SENTENCES[kind]
    made = EDITS[kind][0](text, PLACE, lexicon("train"), random.Random(3))
    assert made is not None
    assert made.text != text
    assert made.truth is not Truth.SUPPORTED
    assert made.wrong
    assert all(0 <= start < end <= len(made.text) for start, end in made.wrong)


def test_a_denial_is_taken_out_as_well() -> None:
    made = EDITS["deny"][0]("It is not locked.", PLACE, lexicon("train"), random.Random(0))
    assert made is not None
    assert made.text == "It is locked."


@pytest.mark.parametrize("held_out", [False, True])
def test_templates_are_seeded_and_of_every_outcome(held_out: bool) -> None:
    words = lexicon("held_out" if held_out else "train")
    one, two = (pairs(facts(held_out=held_out), words, random.Random(5), 200) for _ in range(2))
    assert one == two
    assert {pair.truth for pair in one} == {
        Truth.SUPPORTED,
        Truth.CONTRADICTED,
        Truth.NOT_FOUND,
    }


def test_the_warfarin_example_is_not_trained_on() -> None:
    made = pairs(facts(held_out=False), lexicon("train"), random.Random(0), 3_000)
    text = " ".join(f"{pair.claim} {pair.evidence}" for pair in made).lower()
    assert not [name for name in ("warfarin", "ibuprofen", "paracetamol") if name in text]


def test_held_out_values_are_not_trained_on() -> None:
    train, held_out = lexicon("train").words, lexicon("held_out").words
    assert not [kind for kind in train if set(train[kind]) & set(held_out[kind])]


def test_rephrasing_keeps_numbers_and_denials() -> None:
    text = "In May, the dose is 5 mg and it is not taken with milk."
    for seed in range(30):
        said = rephrased(text, lexicon("train"), random.Random(seed))
        assert "5 mg" in said
