"""The weights: what they say, how they are kept, and what happens when they are damaged."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from skerry.edge.confidence import ConfidenceModel, answer_confidence, quotation_confidence
from skerry.edge.confidence.features import NAMES
from skerry.edge.confidence.model import QUOTATION, WEIGHTS
from skerry.edge.confidence.trees import Tree
from skerry.edge.errors import ModelInvalid

from .conftest import STATS, Answering

WHEN = "When is the vaccine fridge checked?"


def test_a_fitting_answer_is_surer_than_one_beside_the_question(answered: Answering) -> None:
    good = answered(WHEN, "The vaccine fridge is checked at 08:30 [1].")
    beside = answered(WHEN, "The trolley is in room B12 [2].")
    first, second = (
        answer_confidence(STATS, question=one.question, answer=one.answer, sources=one.sources)
        for one in (good, beside)
    )
    assert first is not None
    assert second is not None
    assert 0 < second < first < 1


@pytest.mark.parametrize("lost", ["stats", "sources"])
def test_nothing_is_said_of_an_answer_without(lost: str, answered: Answering) -> None:
    one = answered(WHEN, "The vaccine fridge is checked at 08:30 [1].")
    stats = None if lost == "stats" else STATS
    sources = () if lost == "sources" else one.sources
    found = answer_confidence(stats, question=WHEN, answer=one.answer, sources=sources)
    assert found is None


STUMP = Tree((0, 0, 0), (0.5, 0.0, 0.0), (1, -1, -1), (2, -1, -1), (0.0, -2.0, 3.0))


def test_a_tree_is_walked_to_its_leaf() -> None:
    assert [STUMP.says([x]) for x in (-1.0, 0.5, 0.6)] == [-2.0, -2.0, 3.0]


def test_weights_survive_being_saved(tmp_path: Path) -> None:
    model = ConfidenceModel((STUMP, STUMP), -0.5, "m", "d")
    model.save(tmp_path / "weights.json")
    again = ConfidenceModel.load(tmp_path / "weights.json")
    measured = np.ones(len(NAMES))
    assert again.probability(measured) == model.probability(measured)
    assert (again.model, again.digest) == ("m", "d")


def test_a_probability_never_overflows() -> None:
    sure = Tree((0, 0, 0), (0.5, 0.0, 0.0), (1, -1, -1), (2, -1, -1), (0.0, -1e9, 1e9))
    model = ConfidenceModel((sure,), 0.0, "m", "d")
    size = len(NAMES)
    assert 0 < model.probability(np.zeros(size)) < model.probability(np.ones(size)) < 1


def _without_a_feature(document: dict[str, object]) -> dict[str, object]:
    return {**document, "features": NAMES[1:]}


def _with_tree(document: dict[str, object], **changes: object) -> str:
    return json.dumps({**document, "trees": [{**STUMP.to_json(), **changes}]})


DAMAGE = {
    "empty": lambda document: "",
    "truncated": lambda document: json.dumps(document)[:100],
    "not an object": lambda document: "[]",
    "another format": lambda document: json.dumps({**document, "format": "skerry.confidence/0"}),
    "other features": lambda document: json.dumps(_without_a_feature(document)),
    "no bias": lambda document: json.dumps({**document, "bias": None}),
    "not a number": lambda document: json.dumps({**document, "bias": "x"}),
    "not finite": lambda document: json.dumps({**document, "bias": math.nan}),
    "a tree that is none": lambda document: json.dumps({**document, "trees": [[]]}),
    "a tree without nodes": lambda document: _with_tree(
        document, feature=[], threshold=[], left=[], right=[], value=[]
    ),
    "a column cut off": lambda document: _with_tree(document, right=[2]),
    "a loop": lambda document: _with_tree(document, left=[0, -1, -1]),
    "a child that is not there": lambda document: _with_tree(document, right=[9, -1, -1]),
    "an unknown feature": lambda document: _with_tree(document, feature=[999, 0, 0]),
    "a leaf that is not a number": lambda document: _with_tree(document, value=[0, math.nan, 1]),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damaged_weights_are_refused_with_what_to_do(damage: str, tmp_path: Path) -> None:
    path = tmp_path / "weights.json"
    path.write_text(DAMAGE[damage](json.loads(WEIGHTS.read_text())))
    with pytest.raises(ModelInvalid, match=r"weights\.json") as raised:
        ConfidenceModel.load(path)
    assert "skerry.edge.confidence.train" in raised.value.hint


def test_missing_weights_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelInvalid):
        ConfidenceModel.load(tmp_path / "none.json")


def test_the_shipped_weights_are_small_and_have_a_card() -> None:
    assert WEIGHTS.stat().st_size < 60_000
    assert ConfidenceModel.load().model in WEIGHTS.with_name("card.md").read_text()


def test_importing_it_is_light() -> None:
    code = (
        "import sys, skerry.edge.confidence;"
        "heavy = {'sklearn', 'scipy', 'llama_cpp', 'onnxruntime', 'fastapi', 'rich', 'torch'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_a_quotation_has_weights_of_its_own(answered: Answering) -> None:
    def sure(question: str, draft: str) -> float | None:
        one = answered(question, draft)
        return quotation_confidence(question=question, answer=one.answer, sources=one.sources)

    good = sure(WHEN, "The vaccine fridge is checked by the duty nurse at 08:30 [1].")
    beside = sure(WHEN, "The trolley is in room B12 [2].")
    assert good is not None
    assert beside is not None
    assert 0 < beside < good < 1
    assert ConfidenceModel.of_quotations().model == QUOTATION


def test_what_cites_nothing_is_no_quotation(answered: Answering) -> None:
    one = answered(WHEN, "The documents do not say.")
    given = quotation_confidence(question=WHEN, answer=one.answer, sources=one.sources)
    assert given is None
