"""Which texts train the classifier, and which test it and the whole screen."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

from skerry.guardrails.train.names import carriers, layouts, sources
from skerry.guardrails.train.names.compose import Filler, Labelled, chained, recased
from skerry.guardrails.train.names.parts import Part
from skerry.guardrails.train.names.rewrite import rewritten
from skerry.guardrails.train.names.values import Values, towns, values
from skerry.guardrails.train.names.wide import WideFiller

_SEEN = ("clinical", "everyday", "office")
_OWN = (*_SEEN, "news", "records", "service", "talk", "various")
_MORE = ("letters", "wards", "chats", "tickets", "prose", "contexts")
_LAYOUTS = 6000
_GAPS = (" ", " ", "\n", "\n\n")
_TEST_QUESTIONS = 400


def training(data: Path, number: int, seed: int, part: Part = Part.WHOLE) -> list[Labelled]:
    """`number` texts: our registers, public templates, carriers with names and without."""
    draw = random.Random(seed)
    filler = WideFiller(values(sources.companies(data), seed, part), draw, part)
    pools, weights = zip(*_shares(data, filler.values, part, draw, seed), strict=True)
    return [_text(filler, pools, weights, draw) for _ in range(number)]


def _shares(
    data: Path, known: Values, part: Part, draw: random.Random, seed: int
) -> list[tuple[Sequence[str], float]]:
    """Templates, and the share of all texts that each kind has."""
    own = [template for name in _OWN for template in sources.own_templates(name, part)]
    more = [template for name in _MORE for template in sources.own_templates(name, part)]
    said = [*sources.notes(data), *sources.requests(data)]
    asked = sources.questions(data)[2 * _TEST_QUESTIONS :]
    typed = carriers.requests(data, towns(seed))
    told = carriers.answers(data, part)
    every = [*said, *asked, *typed, *told]
    return [
        (own, 0.15),
        (more, 0.20),
        ([layouts.layout(draw) for _ in range(_LAYOUTS)], 0.16),
        (sources.own_templates("questions", part), 0.06),
        (sources.presidio_templates(data, part), 0.07),
        (carriers.stories(data, known.first, part), 0.05),
        ([sources.with_names(one, draw) for one in every], 0.10),
        ([carriers.planted(one, draw) for one in every for _ in range(2)], 0.18),
        (sources.own_templates("benign", part), 0.02),
        (sources.own_templates("benign_documents", part), 0.04),
        (sources.own_templates("more_benign", part), 0.05),
        (said, 0.03),
        (asked, 0.03),
        (typed, 0.02),
        (told, 0.04),
        ([carriers.capitalised(one, draw) for one in every], 0.03),
    ]


def test(data: Path, number: int, seed: int) -> list[Labelled]:
    """Held-out templates, ours and public, with held-out names; a text each."""
    draw = random.Random(seed + 1)
    filler = Filler(values(sources.companies(data), seed, Part.TEST), draw)
    named = sources.own_templates("held_out") + sources.presidio_templates(data, Part.TEST)
    benign = sources.own_templates("benign_held_out") + sources.questions(data)[:_TEST_QUESTIONS]
    return _drawn(filler, named, benign, number, draw)


def development(data: Path, number: int, seed: int) -> list[Labelled]:
    """As `test`, of templates and names that choose: for errors to look at, and thresholds."""
    part, draw = Part.DEVELOPMENT, random.Random(seed + 2)
    filler = Filler(values(sources.companies(data), seed, part), draw)
    own = [line for name in (*_SEEN, "questions") for line in sources.own_templates(name, part)]
    named = own + sources.presidio_templates(data, part)
    asked = sources.questions(data)[_TEST_QUESTIONS : 2 * _TEST_QUESTIONS]
    return _drawn(filler, named, sources.own_templates("benign", part) + asked, number, draw)


def _drawn(
    filler: Filler, named: Sequence[str], benign: Sequence[str], number: int, draw: random.Random
) -> list[Labelled]:
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
    """One to four sentences, as typed."""
    count = draw.choice((1, 1, 1, 2, 2, 3, 4))
    chosen = draw.choices(pools, weights, k=count)
    filled = [filler.fill(draw.choice(pool)) for pool in chosen]
    return rewritten(chained(filled, draw.choice(_GAPS)), draw)
