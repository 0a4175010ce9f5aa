"""Writes the heads of the injection detector, with the levels from which they count."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skerry.guardrails.findings import Where
from skerry.guardrails.injection import meaning
from skerry.guardrails.injection.detector import MANIFEST, InjectionDetector
from skerry.guardrails.injection.meaning import Encode
from skerry.guardrails.train.injection import texts
from skerry.guardrails.train.injection.evaluate import own, scores
from skerry.guardrails.train.wording import people, sources
from skerry.guardrails.train.wording.export import level
from skerry.guardrails.weights import write_manifest
from skerry.guardrails.wording import network

NAME = "injection-3"
SHARE = {Where.INPUT: 0.6, Where.CHUNK: 0.5, Where.OUTPUT: 0.5}
SLOPE = 0.7
SUSPICIOUS = {Where.INPUT: -5.0, Where.CHUNK: -1.0, Where.OUTPUT: -1.0}
_OPEN = {"words": dict.fromkeys(Where, 0.0), "both": dict.fromkeys(Where, 0.0)}
_QUESTIONS = ("clinc150", "banking77", "medquad")
_SHARE_OF_QUESTIONS = 0.002
_SHARE_OF_TRIGGERS = 0.03
_SHARE_OF_DOCUMENTS = 0.0007
_MOST_OF_EACH = 1400


def write(
    words: Mapping[str, NDArray[Any]],
    vectors: Mapping[str, NDArray[Any]],
    out: Path,
    data: Path,
    encode: Encode,
    *,
    seed: int,
) -> None:
    """Both heads, then their levels, which are measured on what was written."""
    out.mkdir(parents=True, exist_ok=True)
    for name, arrays in ((network.HEAD, words), (meaning.HEAD, vectors)):
        named: dict[str, Any] = {key: arrays[key] for key in sorted(arrays)}
        np.savez_compressed(out / name, **named)
    fixed = {"share": SHARE, "suspicious": SUSPICIOUS, "slope": SLOPE}
    _manifest(out, {**_OPEN, **fixed})
    _manifest(out, {**levels(InjectionDetector.load(out), data, encode, seed), **fixed})


def levels(
    made: InjectionDetector, data: Path, encode: Encode, seed: int
) -> dict[str, dict[str, float]]:
    """The logits that count, so that few benign texts reach them: questions, documents."""
    benign = sources.development(data)
    asked = [one for name in _QUESTIONS for one in benign[name][:_MOST_OF_EACH]]
    asked += people.texts(_MOST_OF_EACH, seed + 3)
    triggers = [*own("development_benign"), *texts.benign_templates(200, seed + 2)]
    written = [
        one for name in ("medquad_answers", "wikipedia") for one in benign[name][:_MOST_OF_EACH]
    ]
    return {
        name: _levels(made, asked, triggers, written, given)
        for name, given in (("words", None), ("both", encode))
    }


def _levels(
    made: InjectionDetector,
    asked: Sequence[str],
    triggers: Sequence[str],
    written: Sequence[str],
    encode: Encode | None,
) -> dict[str, float]:
    question = max(
        level(scores(made, asked, Where.INPUT, encode), _SHARE_OF_QUESTIONS),
        level(scores(made, triggers, Where.INPUT, encode), _SHARE_OF_TRIGGERS),
    )
    document = max(question, level(scores(made, written, Where.CHUNK, encode), _SHARE_OF_DOCUMENTS))
    found = {Where.INPUT: question, Where.CHUNK: document, Where.OUTPUT: document}
    return {where: round(at, 3) for where, at in found.items()}


def _manifest(out: Path, found: Mapping[str, Any]) -> None:
    digests = {
        name: hashlib.sha256((out / name).read_bytes()).hexdigest()
        for name in (network.HEAD, meaning.HEAD)
    }
    write_manifest(out / MANIFEST, {"name": NAME, "levels": found, "sha256": digests})
