"""What is measured of a variant, as plain data; `skerry.measure/1` is its JSON form.

Divergences are in nats, sizes in bytes, memory in MiB (2**20 bytes), times in seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

SCHEMA = "skerry.measure/1"


@dataclass(frozen=True, slots=True)
class Window:
    """One stretch of the held text: means over its tokens. `nll` is of the next token."""

    text: str
    tokens: int
    nll: float
    source_nll: float
    kl: float
    top1: float


@dataclass(frozen=True, slots=True)
class Fidelity:
    """A language model against its source over the held text.

    `kl_…` is KL(source || variant) of the next token; `top1_agreement` the share of places with
    the same likeliest token. Two variants are compared window by window.
    """

    tokens: int
    perplexity: float
    source_perplexity: float
    kl_mean: float
    kl_p99: float
    top1_agreement: float
    windows: tuple[Window, ...]


@dataclass(frozen=True, slots=True)
class Encoding:
    """An encoder against its source: cosines of the same text's vectors, and neighbours.

    `nn_agreement`: share of texts whose nearest other text is the same; `top10_overlap`: mean share
    of the ten nearest that both name.
    """

    texts: int
    cosine_mean: float
    cosine_p1: float
    nn_agreement: float
    top10_overlap: float


@dataclass(frozen=True, slots=True)
class Cost:
    """Speed and memory of one process that ran nothing else.

    Each of `prefill_tokens_s`, `decode_tokens_s` and `ttft_s` has one value per repetition; empty
    where the runtime cannot do it token by token. `baseline_mb` is what the process held before
    the model was loaded, and is part of `peak_mb`.
    """

    threads: int
    context_tokens: int
    prompt_tokens: int
    prefill_tokens_s: tuple[float, ...]
    decode_tokens_s: tuple[float, ...]
    ttft_s: tuple[float, ...]
    baseline_mb: float
    peak_mb: float
    facts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ItemResult:
    """One item of a task: `score` in [0, 1], and whether that is right."""

    id: str
    score: float
    right: bool
    answer: str


@dataclass(frozen=True, slots=True)
class TaskResult:
    """`score` and `right` are means over the items; `digest` says which items and prompts."""

    task: str
    digest: str
    score: float
    right: float
    items: tuple[ItemResult, ...]


@dataclass(frozen=True, slots=True)
class Failure:
    """A measurement that could not be made, and why."""

    part: str
    what: str


@dataclass(frozen=True, slots=True)
class Measured:
    """Everything of one variant; None and empty where it was not asked for or failed."""

    name: str
    format: str
    precision: str
    kind: str
    size_bytes: int
    parameters: int | None
    bits_per_weight: float | None
    source: Mapping[str, Any]
    held: Mapping[str, Any]
    fidelity: Fidelity | None
    encoding: Encoding | None
    cost: Cost | None
    tasks: Mapping[str, TaskResult]
    failures: tuple[Failure, ...]
    notes: tuple[str, ...]
    machine: Mapping[str, Any]
