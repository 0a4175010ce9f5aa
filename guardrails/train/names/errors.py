"""`python -m skerry.guardrails.train.names.errors --data DIR`: what the screen gets wrong on the
development part, by label: never on texts that test.

A miss is a true span of which no letter is covered; a cut one is covered in part. An extra is a
finding that touches no true span.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import click

from skerry.guardrails.train.command import DATA, SEED, plainly
from skerry.guardrails.train.names.compose import Labelled
from skerry.guardrails.train.names.dataset import development
from skerry.guardrails.train.names.evaluate import Find, Span, whole

_AROUND = 30


@dataclass(slots=True)
class Errors:
    """Counts by label; `left` are letters and digits that leave; `shown` are what, label, words."""

    spans: Counter[str] = field(default_factory=Counter)
    missed: Counter[str] = field(default_factory=Counter)
    cut: Counter[str] = field(default_factory=Counter)
    extra: Counter[str] = field(default_factory=Counter)
    left: Counter[str] = field(default_factory=Counter)
    shown: list[tuple[str, str, str]] = field(default_factory=list)


def errors(find: Find, texts: Sequence[Labelled]) -> Errors:
    """What `find` misses, cuts and adds in `texts`."""
    made = Errors()
    for one in texts:
        found = list(find(one.text))
        covered = {at for start, end, _ in found for at in range(start, end)}
        for span in one.spans:
            _count(made, one, span, covered)
        for span in found:
            if not any(span[0] < end and start < span[1] for start, end, _ in one.spans):
                made.extra[span[2]] += 1
                made.shown.append(("extra", span[2], _around(one.text, span)))
    return made


def _count(made: Errors, one: Labelled, span: Span, covered: set[int]) -> None:
    letters = [at for at in range(span[0], span[1]) if one.text[at].isalnum()]
    open_ones = [at for at in letters if at not in covered]
    made.spans[span[2]] += 1
    made.left[span[2]] += len(open_ones)
    if open_ones:
        what = "missed" if len(open_ones) == len(letters) else "cut"
        (made.missed if what == "missed" else made.cut)[span[2]] += 1
        made.shown.append((what, span[2], _around(one.text, span)))


def _around(text: str, span: Span) -> str:
    start, end = span[:2]
    before, after = text[max(0, start - _AROUND) : start], text[end : end + _AROUND]
    return f"{before}[{text[start:end]}]{after}".replace("\n", "\\n")


def table(made: Errors) -> Iterator[str]:
    """A line a label, those that leak most first."""
    yield f"{'label':<20}{'spans':>7}{'missed':>8}{'cut':>6}{'extra':>7}{'of the leak':>13}"
    every = max(sum(made.left.values()), 1)
    for label in sorted(made.spans | made.extra, key=lambda one: -made.left[one]):
        yield (
            f"{label:<20}{made.spans[label]:>7}{made.missed[label]:>8}{made.cut[label]:>6}"
            f"{made.extra[label]:>7}{made.left[label] / every:>13.1%}"
        )


@click.command(help="What the screen gets wrong on development texts.")
@DATA
@click.option("--number", default=1000, show_default=True, help="How many texts.")
@SEED
@click.option("--show", default=0, show_default=True, help="How many errors to show.")
@plainly
def main(data: Path, number: int, seed: int, show: int) -> None:
    made = errors(whole, development(data, number, seed))
    for line in table(made):
        click.echo(line)
    for what, label, words in made.shown[:show]:
        click.echo(f"{what:<7}{label:<14}{words}")


if __name__ == "__main__":
    main(prog_name="python -m skerry.guardrails.train.names.errors")
