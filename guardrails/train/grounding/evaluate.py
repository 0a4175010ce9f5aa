"""The test sets, once, and the card.

`python -m skerry.guardrails.train.grounding.evaluate --data DIR [--handbook DIR] [--card FILE]`
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
import psutil

from skerry.guardrails.grounding import GroundingChecker
from skerry.guardrails.grounding.model import DEFAULT_FOLDER, CrossEncoder
from skerry.guardrails.grounding.windows import copied
from skerry.guardrails.train.command import DATA, FOLDER, plainly
from skerry.guardrails.train.grounding import perturbations, sets
from skerry.guardrails.train.grounding.card import card
from skerry.guardrails.train.grounding.measure import Figures, Verdict, figures, verdicts
from skerry.guardrails.train.grounding.pair import Pair, Truth, shuffled_by
from skerry.guardrails.train.grounding.report import Cost, Report

EACH = 1_000
INVENTED = 1_200
PASSAGES = 250
_SEED = 11
_TIMED = 300
_WARM = 20


@dataclass(frozen=True, slots=True)
class Loaded:
    """The checker, and what it costs to have it loaded."""

    checker: GroundingChecker
    threshold: float
    resident_mb: float


@click.command(help="Measure the grounding checker on its test sets; write its card.")
@DATA
@click.option("--weights", default=DEFAULT_FOLDER, type=FOLDER, help="[default: the package's]")
@click.option("--handbook", type=FOLDER, help="Markdown pages to perturb.")
@click.option("--card", "card_file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--each", default=EACH, show_default=True, help="Most pairs of one set.")
@plainly
def main(
    data: Path, weights: Path, handbook: Path | None, card_file: Path | None, each: int
) -> None:
    text = card(evaluate(data, weights, handbook, each))
    click.echo(text)
    if card_file:
        card_file.write_text(text, encoding="utf-8")


def evaluate(data: Path, weights: Path, handbook: Path | None, each: int) -> Report:
    """Every test set once."""
    loaded = load(weights)
    pages = perturbations.handbook(handbook) if handbook else []
    unseen = perturbations.documents(data, _SEED, PASSAGES)
    return Report(
        sets=_by_set(loaded, test_sets(data, each)),
        perturbed=_by_kind(loaded, list(perturbations.perturbed(unseen, _SEED))),
        handbook=_by_kind(loaded, list(perturbations.perturbed(pages, _SEED))),
        invented=_by_kind(loaded, perturbations.invented(_SEED, INVENTED)),
        faithful={
            "handbook": _judged(loaded, perturbations.faithful(pages, _SEED)),
            "passages": _judged(loaded, perturbations.faithful(unseen, _SEED)),
        },
        cost=cost(loaded, weights, unseen),
        threshold=loaded.threshold,
    )


def test_sets(data: Path, each: int) -> dict[str, list[Pair]]:
    """Pairs by set. Of WiCE and Climate-FEVER nothing was trained on, and they chose nothing."""
    climate = sets.climate_fever(data)
    scifact = [*sets.scifact(data, "validation"), *sets.scifact_unrelated(data, "validation")]
    every = {
        "WiCE": sets.wice(data),
        "Climate-FEVER": climate,
        "Climate-FEVER, voters agree": [one for one in climate if one.kind == "unanimous"],
        "SummEdits sales e-mails": sets.summedits(data, (sets.SUMMEDITS_TEST,)),
        "SciFact validation": scifact,
    }
    return {name: shuffled_by(some, _SEED)[:each] for name, some in every.items()}


def load(weights: Path, threads: int = 1) -> Loaded:
    before = psutil.Process().memory_info().rss
    model = CrossEncoder.load(weights, threads)
    checker = GroundingChecker(model)
    checker.check("The trolley is checked.", "The trolley is checked every day.")
    used = psutil.Process().memory_info().rss - before
    return Loaded(checker, model.threshold, used / 1e6)


def _judged(loaded: Loaded, pairs: Sequence[Pair]) -> list[Verdict]:
    return verdicts(loaded.checker, pairs)


def _by_set(loaded: Loaded, pairs: Mapping[str, Sequence[Pair]]) -> dict[str, Figures]:
    return {name: figures(_judged(loaded, some), loaded.threshold) for name, some in pairs.items()}


def _by_kind(loaded: Loaded, pairs: Sequence[Pair]) -> dict[str, list[Verdict]]:
    kinds: dict[str, list[Verdict]] = {}
    for one in _judged(loaded, pairs):
        if one.pair.truth is not Truth.SUPPORTED:
            kinds.setdefault(one.pair.kind, []).append(one)
    return dict(sorted(kinds.items()))


def cost(loaded: Loaded, weights: Path, unseen: Sequence[sets.Document]) -> Cost:
    """Milliseconds of a check against a passage that is one window; sizes of files and memory.

    Of claims that are no copies: those need no model, and take a tenth of the time.
    """
    told = perturbations.faithful(unseen, _SEED)
    pairs = [one for one in told if copied(one.claim, one.evidence) is None][:_TIMED]
    spent, used = [], []
    for one in pairs:
        started, worked = time.perf_counter(), time.process_time()
        loaded.checker.check(one.claim, one.evidence)
        spent.append(1e3 * (time.perf_counter() - started))
        used.append(1e3 * (time.process_time() - worked))
    size = sum(path.stat().st_size for path in weights.iterdir() if path.suffix != ".md")
    warm = min(_WARM, len(spent) // 4)
    p50, p99 = np.percentile(spent[warm:], [50, 99])
    cpu = float(np.median(used[warm:]))
    return Cost(float(p50), float(p99), cpu, size / 1e6, loaded.resident_mb)


if __name__ == "__main__":
    main(prog_name="python -m skerry.guardrails.train.grounding.evaluate")
