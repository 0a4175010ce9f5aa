"""Public data sets as examples, each read from a folder that the user fills.

What an intent means for the router is in `intents.toml`; which splits may be trained on is
`dataset`'s choice.
"""

from __future__ import annotations

import csv
import io
import json
import random
import re
import tomllib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from skerry.edge.errors import ConfigError
from skerry.edge.router.train.example import Example
from skerry.edge.types import RequestClass

INTENTS = Path(__file__).parent / "intents.toml"

# Subjects of MMLU that are never trained on, and those whose questions take several steps.
HELD_OUT_SUBJECTS = frozenset({
    "clinical_knowledge", "college_medicine", "professional_medicine", "anatomy",
    "medical_genetics", "nutrition", "virology", "college_mathematics", "formal_logic",
    "high_school_physics",
})  # fmt: skip
STEP_SUBJECTS = frozenset({
    "abstract_algebra", "college_mathematics", "college_physics", "elementary_mathematics",
    "econometrics", "formal_logic", "high_school_chemistry", "high_school_mathematics",
    "high_school_physics", "high_school_statistics", "professional_accounting",
    "college_computer_science", "high_school_computer_science", "college_chemistry",
})  # fmt: skip

_KINDS = {
    "facts": RequestClass.LOOKUP,
    "questions": RequestClass.QUESTION,
    "orders": RequestClass.TOOL,
    "sums": RequestClass.REASONING,
    "chat": RequestClass.UNSUPPORTED,
}
_HOW = re.compile(
    r"\b(how (do|can|could|would|should|to|does|shall)|why|steps|explain|process)\b", re.I
)


def clinc150(data: Path, split: str) -> list[Example]:
    """CLINC150 (Larson et al. 2019), `train`, `val` or `test`; out-of-scope ones included."""
    document = json.loads(_text(data, "clinc150/data_oos_plus.json"))
    inside = [_with_intent("clinc150", text, intent) for text, intent in document[split]]
    return inside + [_outside(text) for text, _ in document[f"oos_{split}"]]


def banking77(data: Path, split: str) -> list[Example]:
    """Banking77 (Casanueva et al. 2020), `train` or `test`."""
    rows = csv.DictReader(io.StringIO(_text(data, f"banking77/{split}.csv")))
    return [_with_intent("banking77", row["text"].strip(), row["category"]) for row in rows]


def gsm8k(data: Path, split: str) -> list[Example]:
    """Grade-school maths (Cobbe et al. 2021), `train` or `test`."""
    return [_reasoning(row["question"], "gsm8k") for row in _rows(data, f"gsm8k/{split}.jsonl")]


def bbh(data: Path) -> list[Example]:
    """BIG-Bench Hard (Suzgun et al. 2022). For evaluation only."""
    return [_reasoning(row["input"], "bbh") for row in _rows(data, "bbh/bbh.jsonl")]


def medquad(data: Path) -> list[Example]:
    """Questions of MedQuAD (Ben Abacha, Demner-Fushman 2019), each once."""
    rows = _rows(data, "medquad/medquad_answered.jsonl")
    asked = [_tidy(row["question"]) for row in rows]
    return [
        Example(text, "medquad", RequestClass.QUESTION, complex=False, steps=False)
        for text in dict.fromkeys(asked)
    ]


def pubmedqa(data: Path, split: str) -> list[Example]:
    """Titles in question form (Jin et al. 2019): the 500 of `test`, or the other 500."""
    test = json.loads(_text(data, "pubmedqa_l/test_ground_truth.json"))
    every = json.loads(_text(data, "pubmedqa_l/ori_pqal.json"))
    return [
        Example(row["QUESTION"], "pubmedqa", RequestClass.QUESTION)
        for key, row in every.items()
        if (key in test) == (split == "test")
    ]


def medical_question_pairs(data: Path) -> list[Example]:
    """What patients ask a doctor (McCreery et al. 2020). For evaluation only."""
    rows = csv.reader(io.StringIO(_text(data, "medical_question_pairs/mqp.csv")))
    return [Example(row[1], "medical_question_pairs", RequestClass.QUESTION) for row in rows]


def mmlu(data: Path, *, held_out: bool) -> list[Example]:
    """Multiple choice with the outcome of a smaller model (RouteLLM, Ong et al. 2024).

    `complex` is that the smaller model failed. Only subjects that need steps have a class.
    """
    rows = _rows(data, "routellm_outcomes/mmlu_outcomes.jsonl")
    return [_choice(row) for row in rows if (row["subject"] in HELD_OUT_SUBJECTS) == held_out]


def moderation_self_harm(data: Path) -> list[Example]:
    """Texts marked as self-harm (Markov et al. 2022). For evaluation only."""
    rows = _rows(data, "openai_moderation/samples-1680.jsonl")
    return [
        Example(row["prompt"], "self-harm", RequestClass.SAFETY)
        for row in rows
        if row.get("SH") == 1
    ]


def xstest_safe(data: Path) -> list[str]:
    """Harmless prompts with alarming words (Röttger et al. 2023). For evaluation only."""
    rows = csv.DictReader(io.StringIO(_text(data, "xstest/xstest_prompts.csv")))
    return [row["prompt"] for row in rows if row["label"] == "safe"]


def carriers(data: Path) -> list[str]:
    """Texts that somebody might paste: clinical notes, dialogues, e-mails and tables."""
    notes = csv.DictReader(io.StringIO(_text(data, "mts_dialog/MTS-Dialog-TrainingSet.csv")))
    texts = [text for row in notes for text in (row["section_text"], row["dialogue"])]
    for part in ("email", "table"):
        texts += [row["context"] for row in _rows(data, f"bipia/{part}/train.jsonl")]
    return [text[:1200] for text in texts if len(text) > 80]


def with_pasted_text(examples: Sequence[Example], texts: Sequence[str], seed: int) -> list[Example]:
    """Each extraction request with a text after it, or now and then before it."""
    draw = random.Random(seed)
    return [
        Example(
            _pasted(example.text, draw.choice(texts), draw), "pasted", example.request_class,
            complex=False, steps=False,
        )
        for example in examples
    ]  # fmt: skip


def _pasted(request: str, text: str, draw: random.Random) -> str:
    gap = draw.choice(("\n\n", "\n", ": ", " "))
    return f"{text}{gap}{request}" if draw.random() < 0.15 else f"{request}{gap}{text}"


def _with_intent(source: str, text: str, intent: str) -> Example:
    label = _class_of(_kinds()[source].get(intent), text)
    steps = None if label is None else label is RequestClass.REASONING
    return Example(text, source, label, intent, complex=steps, steps=steps)


def _class_of(kind: str | None, text: str) -> RequestClass | None:
    if kind is None or (kind == "facts" and _HOW.search(text)):
        return None
    if kind == "orders" and _HOW.search(text):
        return RequestClass.QUESTION
    return _KINDS[kind]


def _outside(text: str) -> Example:
    return Example(text, "clinc150 out of scope", RequestClass.UNSUPPORTED, in_scope=False)


def _reasoning(text: str, source: str) -> Example:
    return Example(text, source, RequestClass.REASONING, complex=True, steps=True)


def _choice(row: dict[str, Any]) -> Example:
    steps = row["subject"] in STEP_SUBJECTS
    return Example(
        row["prompt"].removesuffix("\nAnswer:"),
        "mmlu",
        RequestClass.REASONING if steps else None,
        complex=not row["weak_mixtral8x7b_ok"],
        steps=steps or None,
    )


@cache
def _kinds() -> dict[str, dict[str, str]]:
    document = tomllib.loads(INTENTS.read_text(encoding="utf-8"))
    return {
        source: {intent: kind for kind, intents in kinds.items() for intent in intents}
        for source, kinds in document.items()
    }


def _tidy(question: str) -> str:
    return re.sub(r"\s+\?", "?", question.replace("is (are)", "is").replace("? ?", "?")).strip()


def _rows(data: Path, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in _text(data, name).split("\n") if line]


def _text(data: Path, name: str) -> str:
    import zstandard

    try:
        with (data / f"{name}.zst").open("rb") as file:
            text: str = zstandard.ZstdDecompressor().stream_reader(file).read().decode("utf-8")
            return text
    except FileNotFoundError as error:
        what = f"the public data set '{name.partition('/')[0]}' is missing: no '{error.filename}'"
        hint = "Put the set under a folder, zstd-compressed, and name the folder with --data."
        raise ConfigError(what, hint=hint) from error
