"""The public sets, as documents and as pairs. What trains, what chooses and what reports.

Only train splits, and only sets whose licence lets weights be given away, are trained on. WiCE,
Climate-FEVER and SummEdits' sales e-mails are never trained on and never chosen by.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from skerry.guardrails.errors import GuardrailError
from skerry.guardrails.train.grounding.pair import Pair, Truth

Row = dict[str, Any]

SUMMEDITS = "summedits/summedits.jsonl"
SUMMEDITS_TEST = "sales_email"
SUMMEDITS_DEV = "qmsumm"
_SUMMEDITS_TRAIN = ("samsum", "ectsum", "news")
_SCIFACT = {"SUPPORT": Truth.SUPPORTED, "CONTRADICT": Truth.CONTRADICTED}
_SCIFACT_SHARE = 3  # every third abstract is cut into passages to train on
_LISTS = "Human Phenotype Ontology"  # the same words on hundreds of pages
_CLIMATE = {
    "SUPPORTS": Truth.SUPPORTED,
    "REFUTES": Truth.CONTRADICTED,
    "NOT_ENOUGH_INFO": Truth.NOT_FOUND,
}


@dataclass(frozen=True, slots=True)
class Document:
    """Text to make claims from. `title` goes before it as a heading; may be empty."""

    text: str
    source: str
    title: str = ""


@cache
def read(data: Path, name: str) -> str:
    """The text of one zstd-compressed file of the sets.

    Raises:
        GuardrailError: it is missing.
    """
    import zstandard

    try:
        with (data / f"{name}.zst").open("rb") as file:
            text: str = zstandard.ZstdDecompressor().stream_reader(file).read().decode("utf-8")
            return text
    except FileNotFoundError as error:
        what = f"the public data set '{name.partition('/')[0]}' is missing: no '{error.filename}'"
        hint = "Put the set under a folder, zstd-compressed, and name the folder with --data."
        raise GuardrailError(what, hint=hint) from error


def rows(data: Path, name: str) -> list[Row]:
    """The objects of a file of JSON lines."""
    return [json.loads(line) for line in read(data, name).split("\n") if line]


def documents(data: Path) -> Iterator[Document]:
    """Texts to cut passages from."""
    for row in rows(data, "medquad/medquad_answered.jsonl"):
        if _LISTS not in row["answer"]:
            yield Document(_tidy(row["answer"]), "medquad", row["focus"])
    for row in rows(data, "halueval_part/qa_one-turn_500.jsonl"):
        yield Document(_tidy(row["knowledge"]), "halueval")
    for row in rows(data, "scifact/corpus.jsonl")[::_SCIFACT_SHARE]:
        yield Document(" ".join(row["sentences"]), "scifact", row["title"].rstrip("."))
    for abstract in pubmedqa(data).values():
        yield Document(_tidy(" ".join(abstract["CONTEXTS"])), "pubmedqa")
    for row in csv.DictReader(io.StringIO(read(data, "mts_dialog/MTS-Dialog-TrainingSet.csv"))):
        yield Document(_tidy(row["section_text"]), "mts_dialog")


def unused(data: Path) -> Iterator[Document]:
    """Texts of which nothing trains or chooses: for the report."""
    cited = {
        number
        for split in ("train", "validation")
        for row in csv.DictReader(io.StringIO(read(data, f"scifact/claims_{split}.csv")))
        for number in re.findall(r"\d+", f"{row['evidence_doc_id']} {row['cited_doc_ids']}")
    }
    for at, row in enumerate(rows(data, "scifact/corpus.jsonl")):
        if at % _SCIFACT_SHARE and row["doc_id"] not in cited:
            yield Document(" ".join(row["sentences"]), "scifact", row["title"].rstrip("."))
    for abstract in _pubmedqa(data, tested=True).values():
        yield Document(_tidy(" ".join(abstract["CONTEXTS"])), "pubmedqa")
    for row in csv.DictReader(io.StringIO(read(data, "mts_dialog/MTS-Dialog-ValidationSet.csv"))):
        yield Document(_tidy(row["section_text"]), "mts_dialog")


def _tidy(text: str) -> str:
    """White space made one; the space after a full stop put back."""
    spaced = re.sub(r"(?<=[a-z0-9)\"])\.(?=[A-Z])", ". ", text)
    return " ".join(spaced.replace(" - ", "\n- ").split())


def pubmedqa(data: Path) -> dict[str, Row]:
    """The abstracts that are not in its test part."""
    return _pubmedqa(data, tested=False)


def _pubmedqa(data: Path, *, tested: bool) -> dict[str, Row]:
    test = json.loads(read(data, "pubmedqa_l/test_ground_truth.json"))
    every: dict[str, Row] = json.loads(read(data, "pubmedqa_l/ori_pqal.json"))
    return {key: row for key, row in every.items() if (key in test) == tested}


def scifact(data: Path, split: str) -> list[Pair]:
    """Claims beside the sentences that decide them, `split` train or validation."""
    return [
        Pair(row["claim"], " ".join(told[i] for i in at), truth, "scifact", "claim")
        for row, told, at, truth in _decided(data, split)
    ]


def scifact_around(data: Path) -> list[Pair]:
    """Train claims once more: with the neighbours of what decides them, and without it."""
    found = []
    for row, told, at, truth in _decided(data, "train"):
        near = range(max(0, at[0] - 1), min(len(told), at[-1] + 2))
        far = [i for i in range(len(told)) if i not in near][:3]
        text, rest = (" ".join(told[i] for i in some) for some in (near, far))
        found.append(Pair(row["claim"], text, truth, "scifact", "around"))
        if rest:
            found.append(Pair(row["claim"], rest, Truth.NOT_FOUND, "scifact", "apart"))
    return found


def _decided(data: Path, split: str) -> Iterator[tuple[Row, list[str], list[int], Truth]]:
    """Claim, the sentences of an abstract, which of them decide it, and how."""
    corpus = {row["doc_id"]: row["sentences"] for row in rows(data, "scifact/corpus.jsonl")}
    for row in csv.DictReader(io.StringIO(read(data, f"scifact/claims_{split}.csv"))):
        told = corpus.get(row["evidence_doc_id"], [])
        numbers = [int(one) for one in re.findall(r"\d+", row["evidence_sentences"])]
        at = sorted(i for i in numbers if i < len(told))
        if at and row["evidence_label"] in _SCIFACT:
            yield row, told, at, _SCIFACT[row["evidence_label"]]


def scifact_unrelated(data: Path, split: str) -> list[Pair]:
    """Claims beside an abstract that they cite and that does not decide them."""
    corpus = {row["doc_id"]: row for row in rows(data, "scifact/corpus.jsonl")}
    found = []
    for row in csv.DictReader(io.StringIO(read(data, f"scifact/claims_{split}.csv"))):
        cited = re.findall(r"\d+", row["cited_doc_ids"])
        if row["evidence_label"] or not cited or cited[0] not in corpus:
            continue
        text = " ".join(corpus[cited[0]]["sentences"][-4:])
        found.append(Pair(row["claim"], text, Truth.NOT_FOUND, "scifact", "cited"))
    return found


def summedits(data: Path, domains: tuple[str, ...]) -> list[Pair]:
    """Whole summaries beside their documents."""
    return [
        Pair(
            row["summary"],
            row["doc"],
            Truth.SUPPORTED if row["label"] else Truth.UNSUPPORTED,
            f"summedits {row['domain']}",
            "+".join(row["edit_types"]) or "faithful",
        )
        for row in rows(data, SUMMEDITS)
        if row["domain"] in domains
    ]


def summedits_rows(data: Path) -> list[Row]:
    """The rows of the domains that train, with their original summaries."""
    return [row for row in rows(data, SUMMEDITS) if row["domain"] in _SUMMEDITS_TRAIN]


def climate_fever(data: Path) -> list[Pair]:
    """Claims beside single sentences of Wikipedia, as voted."""
    return [
        Pair(
            row["claim"], one["evidence"], _CLIMATE[one["evidence_label"]], "climate_fever",
            "unanimous" if one["entropy"] == 0 else "split", context=one["article"],
        )
        for row in rows(data, "climate_fever/climate-fever.jsonl")
        for one in row["evidences"]
    ]  # fmt: skip


def wice(data: Path) -> list[Pair]:
    """Sentences of Wikipedia beside the best parts of the page that they cite.

    Partly supported counts as not supported.
    """
    return [
        Pair(
            row["claim"], "\n".join(row["evidence"]),
            Truth.SUPPORTED if row["label"] == "supported" else Truth.UNSUPPORTED,
            "wice", row["label"],
        )
        for row in rows(data, "wice/oracle_chunks_claim_dev.jsonl")
    ]  # fmt: skip
