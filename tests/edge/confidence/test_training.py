"""The recipe on a small scale: questions, drafts that are remembered, and a fit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("zstandard")
pytest.importorskip("sklearn")

from skerry.edge.confidence.model import QUOTATION
from skerry.edge.confidence.train import handbook
from skerry.edge.confidence.train.asking import Example, answer, ask, quote
from skerry.edge.confidence.train.drafts import open_drafts
from skerry.edge.confidence.train.evaluate import auroc, confidences, ece
from skerry.edge.confidence.train.fit import fit
from skerry.edge.confidence.train.questions import Fate, draw, fate, halved, shuffled
from skerry.edge.confidence.train.report import card, quoted_card
from skerry.edge.confidence.train.sets import interleaved
from skerry.edge.encoder import OnnxEncoder
from skerry.edge.engines.models import installed_default


def test_the_handbook_is_the_same_for_a_seed() -> None:
    assert handbook.load(3) == handbook.load(3)
    assert handbook.load(3) != handbook.load(4)


def test_no_thing_of_the_handbook_is_trained_on_and_tested() -> None:
    train, test = handbook.load(0)
    assert not {one.about for one in train.questions} & {one.about for one in test.questions}


def test_a_page_states_some_answers_and_not_others() -> None:
    train, _ = handbook.load(0)
    pages = {page.title: page.text for page in train.pages}
    stated = [one.gold.accepts[0] in pages[one.about] for one in train.questions]
    assert 0.5 < sum(stated) / len(stated) < 0.8


def test_fates_have_their_shares() -> None:
    fates = [fate(str(number), 0) for number in range(2000)]
    assert fates.count(Fate.KEPT) == pytest.approx(1300, abs=80)
    assert fates.count(Fate.CUT) == pytest.approx(350, abs=60)
    uncut = [fate(str(number), 0, may_cut=False) for number in range(200)]
    assert Fate.CUT not in uncut


def test_draws_depend_on_key_and_seed_alone() -> None:
    assert draw("a", 0) == draw("a", 0) != draw("a", 1)
    assert shuffled("abc", "abc", 0) == [one for one in shuffled("abcd", "abcd", 0) if one != "d"]
    assert halved("abcdef", 2 / 3) == ("abcd", "ef")


def test_any_first_part_has_the_same_share_of_every_source() -> None:
    mixed = interleaved([["a"] * 8, ["b"] * 4])
    assert mixed[:6].count("a") == 4
    assert len(mixed) == 12


@pytest.mark.parametrize(
    ("probabilities", "correct", "expected"),
    [
        ([1.0, 0.0], [True, False], 0.0),
        ([0.75, 0.75, 0.75, 0.75], [True, True, True, False], 0.0),
        ([0.95, 0.95], [False, False], 0.95),
        ([0.95, 0.15], [True, False], 0.1),
    ],
)
def test_ece(probabilities: list[float], correct: list[bool], expected: float) -> None:
    assert ece(probabilities, correct) == pytest.approx(expected)


def test_auroc_of_equal_labels_is_not_a_number() -> None:
    assert auroc([0.1, 0.2], [True, True]) is None
    assert auroc([0.1, 0.2], [False, True]) == 1.0


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory) -> list[Example]:
    """Four handbook questions, asked and answered by the real encoder, index, model and gate."""
    default = installed_default()
    if default is None:
        pytest.skip("the default model is not installed")
    train, _ = handbook.load(0)
    asked = ask(train.first(4), OnnxEncoder.load(threads=1))
    store = tmp_path_factory.mktemp("drafts") / "drafts.db"
    wanted = [one.work for one in asked]
    with open_drafts(default.path, store, threads=1) as drafts:
        assert sum(1 for _ in drafts.make(wanted[:3], limit_s=60)) == 3
        assert list(answer(asked[3:], drafts)) == []
        assert sum(1 for _ in drafts.make(wanted, limit_s=60)) == 1
        assert sum(1 for _ in drafts.make(wanted, limit_s=60)) == 0
        return list(answer(asked, drafts))


@pytest.mark.model
def test_questions_are_answered_through_the_gate(examples: list[Example]) -> None:
    assert len(examples) == 4
    for one in examples:
        assert one.outcome.answer.text
        assert one.stats.mean_logprob < 0 < one.stats.mean_entropy


def _copy(example: Example, number: int) -> Example:
    """The example as one about another thing; every other one of the four is right."""
    question = replace(example.asked.question, about=f"thing {number // 4}")
    asked = replace(example.asked, question=question)
    return replace(example, asked=asked, correct=number % 2 == 0)


@pytest.mark.model
def test_a_fit_ranks_what_it_was_fitted_on(examples: list[Example], tmp_path: Path) -> None:
    many = [_copy(examples[number % 4], number) for number in range(40)]
    model_info = examples[0].outcome.model
    assert model_info is not None
    fitted = fit(many, model_info.name, model_info.digest, seed=0)
    fitted.save(tmp_path / "weights.json")
    correct = [one.correct for one in many]
    area = auroc(confidences(fitted, many), correct)
    assert area is not None
    assert area > 0.5
    assert "handbook" in card(fitted, len(many), many, 0)


def test_quotations_are_examples_and_have_a_card_of_their_own(tmp_path: Path) -> None:
    train, _ = handbook.load(0)
    asked = ask(train.first(6), OnnxEncoder.load(threads=1))
    found = list(quote(asked))
    assert found
    assert all(one.outcome.answer.marks for one in found)
    many = [_copy(found[number % len(found)], number) for number in range(40)]
    fitted = fit(many, QUOTATION, "", seed=0)
    fitted.save(tmp_path / "quoted.json")
    assert "| handbook | 40 |" in quoted_card(fitted, len(many), many)
