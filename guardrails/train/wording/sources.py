"""Public texts that give no orders to a model and show no danger, split by the digest of each.

Train splits of CLINC150 (CC BY 3.0), Banking77 (CC BY 4.0) and MTS-Dialog (CC BY 4.0); MedQuAD
(CC BY 4.0), Wikipedia's sentences beside CLINC150, and letters of BIPIA (MIT).
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from skerry.guardrails.errors import GuardrailError

_PART_OF_256 = 26
_MOST_ANSWERS = 6000


def training(data: Path) -> dict[str, list[str]]:
    """The benign texts to train on, by source."""
    clinc = json.loads(text(data, "clinc150/data_full.json"))
    asked = [row["text"] for row in rows(data, "banking77/train.csv")]
    wikipedia = text(data, "clinc150/all_wiki_sents.txt").split("\n")[:8000]
    return {
        "clinc150": [row[0] for part in ("train", "oos_train") for row in clinc[part]],
        "banking77": _of_part(asked, 2),
        "medquad": _of_part(_medquad(data, "question"), 2),
        "medquad_answers": _of_part(_medquad(data, "answer"), 2)[:_MOST_ANSWERS],
        "mts_dialog": [
            row[part]
            for row in rows(data, "mts_dialog/MTS-Dialog-TrainingSet.csv")
            for part in ("section_text", "dialogue")
        ],
        "wikipedia": _of_part(wikipedia, 2),
        "letters": [row["context"] for row in lines(data, "bipia/email/train.jsonl")],
    }


def development(data: Path) -> dict[str, list[str]]:
    """The benign texts to choose thresholds on, by source."""
    clinc = json.loads(text(data, "clinc150/data_full.json"))
    wikipedia = text(data, "clinc150/all_wiki_sents.txt").split("\n")
    asked = [row["text"] for row in rows(data, "banking77/train.csv")]
    return {
        "clinc150": [row[0] for row in clinc["val"]],
        "banking77": _of_part(asked, 1),
        "medquad": _of_part(_medquad(data, "question"), 1),
        "medquad_answers": _of_part(_medquad(data, "answer"), 1),
        "wikipedia": _of_part(wikipedia, 1),
    }


def held_out(data: Path) -> dict[str, list[str]]:
    """The benign texts to test on, by source."""
    clinc = json.loads(text(data, "clinc150/data_full.json"))
    return {
        "clinc150": [row[0] for row in clinc["test"]],
        "banking77": [row["text"] for row in rows(data, "banking77/test.csv")],
        "medquad": _of_part(_medquad(data, "question"), 0),
        "medquad_answers": _of_part(_medquad(data, "answer"), 0),
    }


def _medquad(data: Path, part: str) -> list[str]:
    found = lines(data, "medquad/medquad_answered.jsonl")
    return [one for one in dict.fromkeys(" ".join(row[part].split()) for row in found) if one]


def _of_part(texts: Iterable[str], number: int) -> list[str]:
    """Texts for tests (0) or thresholds (1), a tenth of all each, or the rest (2); by digest."""
    return [one for one in texts if _part(one) == number]


def _part(one: str) -> int:
    return min(2, hashlib.sha256(one.encode()).digest()[0] // _PART_OF_256)


def rows(data: Path, name: str) -> Iterable[dict[str, str]]:
    """The rows of a table with a head."""
    return csv.DictReader(io.StringIO(text(data, name)))


def lines(data: Path, name: str) -> Iterable[Any]:
    """The documents of JSON lines."""
    return (json.loads(line) for line in text(data, name).split("\n") if line)


def text(data: Path, name: str) -> str:
    """The content of a zstd-compressed file.

    Raises:
        GuardrailError: it is not there.
    """
    import zstandard

    try:
        with (data / f"{name}.zst").open("rb") as file:
            content = zstandard.ZstdDecompressor().stream_reader(file).read()
    except FileNotFoundError as error:
        raise GuardrailError(
            f"the public data set '{name.partition('/')[0]}' is missing: no '{error.filename}'",
            hint="put the set under a folder, zstd-compressed, and name the folder with --data",
        ) from error
    return content.decode("utf-8", "ignore")
