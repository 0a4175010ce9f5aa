"""Measurements that were never made, for tests of what is done with them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from skerry.export.measure.results import (
    Cost,
    Encoding,
    Fidelity,
    ItemResult,
    Measured,
    TaskResult,
    Window,
)

MACHINE = {"system": "Linux", "architecture": "x86_64", "features": ["avx2"], "cores": 2}


def task(name: str, scores: Sequence[float], digest: str = "d") -> TaskResult:
    items = tuple(
        ItemResult(f"{name}.{number}", score, score == 1, f"answer {number}")
        for number, score in enumerate(scores)
    )
    mean = sum(scores) / len(scores)
    return TaskResult(name, digest, mean, sum(one.right for one in items) / len(items), items)


def fidelity(nlls: Sequence[float], kl: float = 0.02, top1: float = 0.95) -> Fidelity:
    windows = tuple(Window("prose", 256, nll, 2.0, kl, top1) for nll in nlls)
    return Fidelity(256 * len(windows), 9.0, 8.9, kl, 5 * kl, top1, windows)


def cost(decode: Sequence[float], peak_mb: float = 200.0) -> Cost:
    return Cost(2, 2048, 256, tuple(4 * one for one in decode), tuple(decode),
                tuple(40 / one for one in decode), 40.0, peak_mb)  # fmt: skip


def encoding(cosine: float = 0.995, near: float = 0.93) -> Encoding:
    return Encoding(150, cosine, cosine - 0.02, near, 0.95)


def measured(name: str = "gguf-q4_0", **changed: Any) -> Measured:
    fields: dict[str, Any] = {
        "name": name,
        "format": "gguf",
        "precision": name.rsplit("-", maxsplit=1)[-1],
        "kind": "llm",
        "size_bytes": 90_000_000,
        "parameters": 134_515_008,
        "bits_per_weight": 5.0,
        "source": {"name": "source.gguf", "sha256": "0" * 64},
        "held": {"sha256": "1" * 64, "texts": ["prose"]},
        "fidelity": fidelity([2.0, 2.2, 2.4, 2.1]),
        "encoding": None,
        "cost": cost([60.0, 61.0, 62.0]),
        "tasks": {"grounded_qa": task("grounded_qa", [1.0, 0.5] * 30)},
        "failures": (),
        "notes": (),
        "machine": MACHINE,
    }
    return Measured(**{**fields, **changed})
