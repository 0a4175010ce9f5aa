"""Figures of the injection detector on what it was not trained on, as a dictionary.

Attacks: Tensor Trust (evaluated only: it states no licence) and our own that were written apart;
orders of BIPIA are trained on, and tested nowhere. Benign: test splits of CLINC150 and Banking77,
held-out questions and answers of MedQuAD, prompts of XSTest that are safe, and texts of our own,
written apart, that are full of the words of attacks.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from skerry.guardrails.findings import Where
from skerry.guardrails.injection.detector import InjectionDetector, shared
from skerry.guardrails.injection.meaning import Encode
from skerry.guardrails.normal import normalise
from skerry.guardrails.train.injection import peers
from skerry.guardrails.train.injection.texts import TEXTS
from skerry.guardrails.train.wording import sources
from skerry.guardrails.wording import read_shared

_QUESTIONS = ("clinc150", "banking77", "medquad")
_MOST_OF_EACH = 1500
_SHARE = 0.01
_DOCUMENTS = 400
SENTENCE = "How often is the emergency trolley checked, and who signs the log when nobody is there?"


def figures(data: Path, encode: Encode, seed: int = 0) -> dict[str, float]:
    """`injection_recall_at_1pct_fpr`, `overdefence_accuracy`, `ms_per_question`, and more.

    With vectors of `encode`, as the runtime screens; those that begin with `words_` without. Recall
    at 1% is over all attacks of Tensor Trust, with the threshold that 1% of the held-out questions
    reach; the others are with the levels of the package. Peers have no threshold: their recall and
    false positives are given as they are.
    """
    made = _figures(data, encode, seed)
    made |= {f"words_{name}": value for name, value in _figures(data, None, seed).items()}
    trust, asked = _trust(data), _asked(data)
    return made | _peers(asked, trust, own("held_out_benign")) | milliseconds(encode)


def _figures(data: Path, encode: Encode | None, seed: int) -> dict[str, float]:
    detector = shared()
    levels = detector.levels.words if encode is None else detector.levels.both
    shipped = levels[Where.INPUT]
    plain = scores(detector, _asked(data), Where.INPUT, encode)
    at_1pct = float(np.quantile(plain, 1 - _SHARE, method="higher"))
    found = {"questions": float(len(plain)), "false_positives": _share(plain, shipped)}
    attacks = _attacks(data)
    made = {name: scores(detector, one, Where.INPUT, encode) for name, one in attacks.items()}
    for name, logits in made.items():
        found[f"recall_at_1pct_{name}"] = _share(logits, at_1pct)
        found[f"recall_{name}"] = _share(logits, shipped)
    trust = np.concatenate([made["hijacking"], made["extraction"]])
    found["injection_recall_at_1pct_fpr"] = _share(trust, at_1pct)
    for name, texts in (("triggers", own("held_out_benign")), ("xstest", _safe(data))):
        logits = scores(detector, texts, Where.INPUT, encode)
        found[f"accuracy_{name}"] = 1 - _share(logits, shipped)
        found[f"accuracy_at_1pct_{name}"] = 1 - _share(logits, at_1pct)
    found["overdefence_accuracy"] = found["accuracy_triggers"]
    return found | _documents(detector, data, attacks["own"], encode, seed)


def scores(
    detector: InjectionDetector,
    texts: Sequence[str],
    where: Where = Where.INPUT,
    encode: Encode | None = None,
) -> NDArray[np.float64]:
    """The greatest logit of any sentence of each text."""
    found = []
    for one in texts:
        plain = normalise(one).text
        logits = detector.logits(plain, read_shared(plain), where, encode)
        found.append(float(logits.max()) if len(logits) else -30.0)
    return np.array(found)


def milliseconds(encode: Encode) -> dict[str, float]:
    """Medians: a question of a sentence whose vector is there, and 200 words of a document."""
    words = " ".join(f"{SENTENCE} The pump is cleaned each week." for _ in range(9))
    vector = encode([SENTENCE])
    return {
        "ms_per_question": _median_ms(lambda: _signs(SENTENCE, Where.INPUT, lambda _: vector)),
        "ms_per_200_words": _median_ms(lambda: _signs(words, Where.CHUNK, encode)),
    }


def _signs(text: str, where: Where, encode: Encode) -> None:
    shared().signs(text, read_shared(text), where, encode)


def _documents(
    detector: InjectionDetector,
    data: Path,
    orders: Sequence[str],
    encode: Encode | None,
    seed: int,
) -> dict[str, float]:
    """Planted orders that are found in documents, and documents in which one is seen in vain."""
    draw = random.Random(seed)
    level = (detector.levels.words if encode is None else detector.levels.both)[Where.CHUNK]
    answers = sources.held_out(data)["medquad_answers"][:_DOCUMENTS]
    chunks = [" ".join(one.split()[:200]) for one in answers]
    planted = [_planted(one, draw.choice(orders), draw) for one in chunks]
    return {
        "recall_in_documents": _share(scores(detector, planted, Where.CHUNK, encode), level),
        "false_positives_documents": _share(scores(detector, chunks, Where.CHUNK, encode), level),
    }


def _planted(document: str, order: str, draw: random.Random) -> str:
    parts = document.split(". ")
    parts.insert(draw.randint(0, len(parts)), order.rstrip("."))
    return ". ".join(parts)


def _peers(
    asked: Sequence[str], attacks: Sequence[str], triggers: Sequence[str]
) -> dict[str, float]:
    found = {}
    for name, sees in (("keywords", peers.keywords), ("patterns", peers.patterns)):
        found[f"{name}_recall"] = _rate(sees, attacks)
        found[f"{name}_false_positives"] = _rate(sees, asked)
        found[f"{name}_overdefence_accuracy"] = 1 - _rate(sees, triggers)
    return found


def _attacks(data: Path) -> dict[str, list[str]]:
    made = {"own": own("held_out_attacks")}
    for kind in ("hijacking", "extraction"):
        rows = sources.lines(data, f"tensor_trust/{kind}_robustness.jsonl")
        made[kind] = [row["attack"] for row in rows]
    return made


def _trust(data: Path) -> list[str]:
    found = _attacks(data)
    return found["hijacking"] + found["extraction"]


def _asked(data: Path) -> list[str]:
    benign = sources.held_out(data)
    return [one for name in _QUESTIONS for one in benign[name][:_MOST_OF_EACH]]


def _safe(data: Path) -> list[str]:
    rows = sources.rows(data, "xstest/xstest_prompts.csv")
    return [row["prompt"] for row in rows if row["label"] == "safe"]


def own(name: str) -> list[str]:
    """The lines of one of our files, written apart from the templates."""
    return (TEXTS / f"{name}.txt").read_text(encoding="utf-8").splitlines()


def _share(logits: NDArray[np.float64], level: float) -> float:
    return float((logits >= level).mean())


def _rate(sees: Callable[[str], bool], texts: Sequence[str]) -> float:
    return sum(map(sees, texts)) / len(texts)


def _median_ms(run: Callable[[], None], runs: int = 200) -> float:
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        run()
        times.append((time.perf_counter() - start) * 1e3)
    return float(np.median(times))
