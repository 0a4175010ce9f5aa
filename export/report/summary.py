"""One line for each variant, from its measurements, and which of them are on a Pareto front."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from statistics import fmean, median
from typing import Any

from skerry.export.exporter import Kind
from skerry.export.measure.results import Measured
from skerry.export.report.pareto import Place, front

_LEAST_LOSS = 1e-6


@dataclass(frozen=True, slots=True)
class Summary:
    """Figures of one variant; None where it was not measured.

    `loss` is how far it is from its source: the mean KL divergence in nats, or of an encoder the
    mean cosine distance. `speed` is tokens/s of an answer, or of an encoder texts/s. `task_score`
    is the mean over tasks. `size_front` and `speed_front`: no other variant of its kind is as good
    and smaller, or faster.
    """

    name: str
    kind: str
    size_mb: float
    bits_per_weight: float | None
    loss: float | None
    perplexity: float | None
    kl_p99: float | None
    top1_agreement: float | None
    cosine_mean: float | None
    nn_agreement: float | None
    tasks: dict[str, float]
    task_score: float | None
    speed: float | None
    prefill: float | None
    ttft_s: float | None
    peak_mb: float | None
    size_front: bool = False
    speed_front: bool = False


def summaries(measured: Iterable[Measured]) -> tuple[Summary, ...]:
    """Language models first; of each kind the smallest first."""
    plain = [_summary(one) for one in measured]
    sizes = _fronts(plain, lambda one: one.size_mb)
    speeds = _fronts(plain, lambda one: -one.speed if one.speed else None)
    marked = [
        Summary(
            **{**asdict(one), "size_front": one.name in sizes, "speed_front": one.name in speeds}
        )
        for one in plain
    ]
    return tuple(
        sorted(marked, key=lambda one: (one.kind != Kind.LLM, one.kind, one.size_mb, one.name))
    )


def report_fields(name: str, measured: Sequence[Measured]) -> dict[str, Any]:
    """The report as JSON: the summaries, and everything that was measured."""
    return {
        "name": name,
        "variants": [asdict(one) for one in summaries(measured)],
        "measured": [asdict(one) for one in measured],
    }


def counted(loss: float) -> float:
    """A loss as it is plotted and compared: what is less is that of arithmetic."""
    return max(loss, _LEAST_LOSS)


def _summary(one: Measured) -> Summary:
    fidelity, encoding, cost = one.fidelity, one.encoding, one.cost
    scores = {name: result.score for name, result in one.tasks.items()}
    loss = fidelity.kl_mean if fidelity else 1 - encoding.cosine_mean if encoding else None
    speeds = (cost.decode_tokens_s or (cost.prefill_tokens_s if encoding else ())) if cost else ()
    return Summary(
        name=one.name,
        kind=one.kind,
        size_mb=one.size_bytes / 1e6,
        bits_per_weight=one.bits_per_weight,
        loss=loss,
        perplexity=fidelity.perplexity if fidelity else None,
        kl_p99=fidelity.kl_p99 if fidelity else None,
        top1_agreement=fidelity.top1_agreement if fidelity else None,
        cosine_mean=encoding.cosine_mean if encoding else None,
        nn_agreement=encoding.nn_agreement if encoding else None,
        tasks=scores,
        task_score=fmean(scores.values()) if scores else None,
        speed=median(speeds) if speeds else None,
        prefill=median(cost.prefill_tokens_s) if cost and cost.prefill_tokens_s else None,
        ttft_s=median(cost.ttft_s) if cost and cost.ttft_s else None,
        peak_mb=cost.peak_mb if cost else None,
    )


def _fronts(plain: list[Summary], of: Callable[[Summary], float | None]) -> set[str]:
    """Names on the front of `of` against loss, kind by kind."""
    found: set[str] = set()
    for kind in {one.kind for one in plain}:
        rows = [(one, of(one)) for one in plain if one.kind == kind]
        places = [
            Place(one.name, x, counted(one.loss))
            for one, x in rows
            if x is not None and one.loss is not None
        ]
        found |= {one.name for one in front(places)}
    return found
