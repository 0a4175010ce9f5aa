"""Which texts train the classifier, and which test it and the whole screen."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

from skerry.guardrails.train.names import sources
from skerry.guardrails.train.names.compose import Filler, Labelled, chained, mistyped, recased
from skerry.guardrails.train.names.values import values

_OWN = ("clinical", "everyday", "office")
_GAPS = (" ", " ", "\n", "\n\n")
_TEST_QUESTIONS = 400


def training(data: Path, number: int, seed: int) -> list[Labelled]:
    """`number` texts: our registers, public templates, carriers with names and without."""
    draw = random.Random(seed)
    filler = Filler(values(sources.companies(data), seed, held_out=False), draw)
    own = [template for name in _OWN for template in sources.own_templates(name)]
    carriers = [*sources.notes(data), *sources.requests(data)]
    questions = sources.questions(data)[_TEST_QUESTIONS:]
    named = [sources.with_names(one, draw) for one in [*carriers, *questions] for _ in range(2)]
    shares = (
        (own, 0.24),
        (sources.own_templates("questions"), 0.14),
        (sources.presidio_templates(data, held_out=False), 0.12),
        (named, 0.24),
        (sources.own_templates("benign"), 0.10),
        (carriers, 0.09),
        (questions, 0.07),
    )
    pools, weights = [pool for pool, _ in shares], [weight for _, weight in shares]
    return [_text(filler, pools, weights, draw) for _ in range(number)]


def test(data: Path, number: int, seed: int) -> list[Labelled]:
    """Held-out templates, ours and public, with held-out names; a text each."""
    draw = random.Random(seed + 1)
    filler = Filler(values(sources.companies(data), seed, held_out=True), draw)
    named = sources.own_templates("held_out") + sources.presidio_templates(data, held_out=True)
    benign = sources.own_templates("benign_held_out") + sources.questions(data)[:_TEST_QUESTIONS]
    return [
        recased(filler.fill(draw.choice(named if draw.random() < 0.75 else benign)), draw)
        for _ in range(number)
    ]


def _text(
    filler: Filler,
    pools: Sequence[Sequence[str]],
    weights: Sequence[float],
    draw: random.Random,
) -> Labelled:
    """One to three sentences, as typed."""
    count = draw.choice((1, 1, 1, 2, 2, 3))
    chosen = draw.choices(pools, weights, k=count)
    whole = chained([filler.fill(draw.choice(pool)) for pool in chosen], draw.choice(_GAPS))
    return recased(mistyped(whole, draw) if draw.random() < 0.1 else whole, draw)
