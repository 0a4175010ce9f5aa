"""What the router is trained on: phrases, templates, changed copies, public sets."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from skerry.edge.errors import ConfigError
from skerry.edge.router.train import augment, phrases, sources
from skerry.edge.router.train.example import Example, balance
from skerry.edge.types import RequestClass

C = RequestClass


def test_every_class_has_hundreds_of_own_phrases() -> None:
    own = phrases.own_phrases()
    for label in RequestClass:
        assert sum(example.request_class is label for example in own) >= 150, label


def test_a_level_says_what_is_complex() -> None:
    own = phrases.own_phrases()
    reasoning = [example for example in own if example.request_class is C.REASONING]
    lookups = [example for example in own if example.request_class is C.LOOKUP]
    assert all(example.complex and example.steps for example in reasoning)
    assert not any(example.complex or example.steps for example in lookups)


def test_templates_are_filled_without_a_slot_left() -> None:
    filled = phrases.filled_templates(100, seed=1)
    assert not any("{" in example.text or "}" in example.text for example in filled)
    assert len({example.text for example in filled}) == len(filled)
    assert {example.request_class for example in filled} == set(RequestClass)


def test_the_same_seed_draws_the_same() -> None:
    own = phrases.own_phrases()[:50]
    assert phrases.filled_templates(40, 3) == phrases.filled_templates(40, 3)
    assert phrases.filled_templates(40, 3) != phrases.filled_templates(40, 4)
    assert augment.variants(own, 2, 5) == augment.variants(own, 2, 5)
    assert phrases.in_context(own, 6) == phrases.in_context(own, 6)


def test_a_changed_copy_keeps_its_label_and_changes_its_text() -> None:
    own = phrases.own_phrases()
    texts = {example.text for example in own}
    changed = augment.variants(own, 1, seed=2)
    assert len(changed) > len(own) / 2
    assert not texts & {example.text for example in changed}
    assert {example.request_class for example in changed} == set(RequestClass)


def test_a_context_comes_before_the_request() -> None:
    example = Example("where is the key", "own", C.LOOKUP)
    (told,) = phrases.in_context([example], seed=0)
    assert told.text.endswith(" where is the key")
    assert told.request_class is C.LOOKUP


def test_balance_gives_classes_the_same_weight() -> None:
    groups = [("a", "x")] * 8 + [("a", "y")] * 2 + [("b", "x")] * 5
    weights = balance(groups, {"x": 3.0})
    assert sum(weights) == pytest.approx(len(groups))
    assert sum(weights[:10]) == pytest.approx(sum(weights[10:]))
    assert sum(weights[:8]) == pytest.approx(3 * sum(weights[8:10]))


FORMS = [
    ("clinc150", "pay_bill", "pay my gas bill", C.TOOL),
    ("clinc150", "pay_bill", "how do i pay my gas bill", C.QUESTION),
    ("clinc150", "balance", "what's my balance", C.LOOKUP),
    ("clinc150", "balance", "how can i see my balance", None),
    ("clinc150", "calculator", "what is 3 times 4", C.REASONING),
    ("clinc150", "greeting", "hello", C.UNSUPPORTED),
    ("clinc150", "translate", "say hello in french", None),
    ("banking77", "card_swallowed", "the machine ate my card", C.QUESTION),
]


@pytest.mark.parametrize(("source", "intent", "text", "expected"), FORMS)
def test_an_intent_and_its_form_give_a_class(
    tmp_path: Path, source: str, intent: str, text: str, expected: RequestClass | None
) -> None:
    if source == "clinc150":
        document = {"train": [[text, intent]], "oos_train": [["who is thor", "oos"]]}
        _write(tmp_path / "clinc150/data_oos_plus.json", json.dumps(document))
        inside, outside = sources.clinc150(tmp_path, "train")
        assert (outside.request_class, outside.in_scope) == (C.UNSUPPORTED, False)
    else:
        _write(tmp_path / "banking77/train.csv", f"text,category\n{text},{intent}\n")
        (inside,) = sources.banking77(tmp_path, "train")
    assert (inside.request_class, inside.intent, inside.in_scope) == (expected, intent, True)


def test_pubmedqa_keeps_its_test_apart(tmp_path: Path) -> None:
    questions = {"1": {"QUESTION": "Does it?"}, "2": {"QUESTION": "Can it?"}}
    _write(tmp_path / "pubmedqa_l/ori_pqal.json", json.dumps(questions))
    _write(tmp_path / "pubmedqa_l/test_ground_truth.json", json.dumps({"2": "yes"}))
    assert [e.text for e in sources.pubmedqa(tmp_path, "train")] == ["Does it?"]
    assert [e.text for e in sources.pubmedqa(tmp_path, "test")] == ["Can it?"]


def test_held_out_subjects_are_kept_apart(tmp_path: Path) -> None:
    rows = [
        {
            "subject": subject,
            "prompt": "Q\nA. x\nAnswer:",
            "weak_mixtral8x7b_ok": subject == "anatomy",
        }
        for subject in ("anatomy", "formal_logic", "abstract_algebra", "marketing")
    ]
    _write(
        tmp_path / "routellm_outcomes/mmlu_outcomes.jsonl", "\n".join(json.dumps(r) for r in rows)
    )
    held, kept = (sources.mmlu(tmp_path, held_out=held) for held in (True, False))
    assert [(e.request_class, e.complex) for e in held] == [(None, False), (C.REASONING, True)]
    assert [e.request_class for e in kept] == [C.REASONING, None]


def test_medquad_questions_are_tidied(tmp_path: Path) -> None:
    row = {"question": "What is (are) Gout ?", "qtype": "information"}
    _write(tmp_path / "medquad/medquad_answered.jsonl", "\n".join([json.dumps(row)] * 2))
    assert [e.text for e in sources.medquad(tmp_path)] == ["What is Gout?"]


def test_a_missing_set_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="gsm8k") as caught:
        sources.gsm8k(tmp_path, "train")
    assert "--data" in caught.value.hint


def _write(path: Path, text: str) -> None:
    zstandard = pytest.importorskip("zstandard")
    path.parent.mkdir(parents=True, exist_ok=True)
    Path(f"{path}.zst").write_bytes(zstandard.ZstdCompressor().compress(text.encode()))
