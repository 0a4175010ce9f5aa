"""What is read from the public sets, and how pairs come together in batches. No model, no torch."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from skerry.guardrails.errors import GuardrailError
from skerry.guardrails.grounding.model import DEFAULT_FOLDER
from skerry.guardrails.train.grounding import sets
from skerry.guardrails.train.grounding.batches import BATCH_TOKENS, Example, batches, example
from skerry.guardrails.train.grounding.entailment import entailment
from skerry.guardrails.train.grounding.pair import Pair, Truth

zstandard = pytest.importorskip("zstandard")

PREMISE = "Two men on bicycles compete in a race."
PAGE = {
    "text": "Mozart had six brothers and sisters.",
    "label": "SUPPORTS",
    "wikipedia_page": "Mozart",
    "gold_evidence": [{"text": "He was the youngest of seven children."}],
    "retrieved_evidence": [{"text": "Mozart had a sister."}, {"text": "He died in Vienna."}],
}


def put(folder: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        path = folder / f"{name}.zst"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(zstandard.compress(text.encode()))
    return folder


def lines(rows: Sequence[object]) -> str:
    return "".join(f"{json.dumps(row)}\n" for row in rows)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    said = [
        {"premise": PREMISE, "hypothesis": claim, "label": label}
        for claim, label in (
            ("People ride bikes.", "entailment"),
            ("The men race for money.", "neutral"),
            ("The men are asleep.", "contradiction"),
        )
    ]
    table = "sentence1\tsentence2\tgold_label\n" + f'{PREMISE}\tA "race" is on.\tentailment\n' * 10
    return put(
        tmp_path,
        {
            "multinli/dev_matched.jsonl": lines(said),
            "snli/dev.jsonl": lines(said),
            **{f"nli_revised/{part}.tsv": table for part in ("train", "dev", "test")},
            **{f"fool_me_twice/{part}.jsonl": lines([PAGE] * 4) for part in ("dev", "test")},
        },
    )


def test_every_label_is_read(data: Path) -> None:
    pairs = [one for one in entailment(data, random.Random(0)) if one.source == "multinli"]
    assert [one.truth for one in pairs] == [Truth.SUPPORTED, Truth.NOT_FOUND, Truth.CONTRADICTED]
    assert all(PREMISE in one.evidence and one.group == PREMISE for one in pairs)


def test_revisions_of_one_pair_are_a_group(data: Path) -> None:
    pairs = [one for one in entailment(data, random.Random(0)) if one.source == "revised"]
    assert len({one.group for one in pairs}) == len(pairs) / 5
    assert pairs[0].claim == 'A "race" is on.'


def test_a_page_supports_and_what_is_beside_does_not_decide(data: Path) -> None:
    pairs = [one for one in entailment(data, random.Random(0)) if one.source == "fool_me_twice"]
    gold = PAGE["gold_evidence"][0]["text"]  # type: ignore[index]
    for one in pairs:
        assert (gold in one.evidence) == (one.truth is Truth.SUPPORTED)
    assert {one.truth for one in pairs} == {Truth.SUPPORTED, Truth.NOT_FOUND}


def test_a_missing_set_is_named(tmp_path: Path) -> None:
    with pytest.raises(GuardrailError, match="multinli"):
        entailment(tmp_path, random.Random(0))


def test_the_report_has_documents_of_its_own(tmp_path: Path) -> None:
    header = "id,claim,evidence_doc_id,evidence_label,evidence_sentences,cited_doc_ids\n"
    corpus = [
        {"doc_id": str(i), "title": f"T{i}.", "sentences": [f"Sentence {i}."]} for i in range(9)
    ]
    abstracts = {key: {"CONTEXTS": [f"Abstract {key}."]} for key in ("7", "8")}
    notes = "ID,section_text,dialogue\n1,{} note.,talk\n"
    data = put(
        tmp_path,
        {
            "scifact/corpus.jsonl": lines(corpus),
            "scifact/claims_train.csv": f"{header}1,c,4,SUPPORT,[0],[4]\n",
            "scifact/claims_validation.csv": f"{header}1,c,,,,[5]\n",
            "pubmedqa_l/ori_pqal.json": json.dumps(abstracts),
            "pubmedqa_l/test_ground_truth.json": json.dumps({"8": "yes"}),
            "mts_dialog/MTS-Dialog-TrainingSet.csv": notes.format("Training"),
            "mts_dialog/MTS-Dialog-ValidationSet.csv": notes.format("Validation"),
            "medquad/medquad_answered.jsonl": "",
            "halueval_part/qa_one-turn_500.jsonl": "",
        },
    )
    unused = {one.text for one in sets.unused(data)}
    assert unused == {*(f"Sentence {i}." for i in (1, 2, 7, 8)), "Abstract 8.", "Validation note."}
    assert not unused & {one.text for one in sets.documents(data)}


def made(count: int) -> list[Example]:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(DEFAULT_FOLDER / "tokenizer.json"))
    pairs = [
        Pair(f"Claim {i}.", f"{'word ' * (i % 60)}text {i // 3}.", Truth(i % 3), "s", "k",
             group=f"g{i // 3}", wrong=((0, 5),))
        for i in range(count)
    ]  # fmt: skip
    return [example(tokenizer, pair) for pair in pairs]


def test_a_group_is_in_one_batch_and_none_is_lost() -> None:
    examples = made(900)
    found = list(batches(examples, random.Random(1)))
    where = {id(one): at for at, batch in enumerate(found) for one in batch}
    assert len(where) == sum(map(len, found)) == len(examples)
    by_group: dict[str, set[int]] = {}
    for one in examples:
        by_group.setdefault(one.group, set()).add(where[id(one)])
    assert all(len(batch) == 1 for batch in by_group.values())
    assert all(len(batch) * max(one.size for one in batch) <= BATCH_TOKENS for batch in found)


def test_batches_are_seeded() -> None:
    examples = made(300)
    one, two = (list(batches(examples, random.Random(4))) for _ in range(2))
    assert one == two


def test_the_wrong_words_are_marked_token_by_token() -> None:
    first = made(1)[0]
    assert first.wrong[1] == 1.0
    assert first.wrong[0] == -1.0
