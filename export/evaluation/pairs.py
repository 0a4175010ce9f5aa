"""Which variant of the one bundle is compared with which of the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from skerry.export.evaluation.errors import EvaluationError
from skerry.export.measure.results import Measured


@dataclass(frozen=True, slots=True)
class Pair:
    """`old` is what is in use, `new` what would take its place."""

    old: Measured
    new: Measured


def pairs_of(
    old: Sequence[Measured],
    new: Sequence[Measured],
    *,
    variant: str | None = None,
    against: str | None = None,
) -> tuple[Pair, ...]:
    """Variants of one name; or the two that are named; or the only one of each.

    Args:
        variant: only this one of `new`.
        against: the one of `old` to compare it with; None for the one of the same name.

    Raises:
        EvaluationError: there is nothing to compare, or not of one kind.
    """
    if variant is not None or against is not None:
        name = variant or against or ""
        found = [Pair(_named(old, against or name), _named(new, name))]
    else:
        before = {one.name: one for one in old}
        found = [Pair(before[one.name], one) for one in new if one.name in before]
        if not found and len(old) == len(new) == 1:
            found = [Pair(old[0], new[0])]
    if not found:
        what = "the two have no variant of the same name"
        raise EvaluationError(what, hint=f"name one with --variant and --against: {_names(new)}")
    for pair in found:
        _check_kind(pair)
    return tuple(found)


def _named(measured: Sequence[Measured], name: str) -> Measured:
    for one in measured:
        if one.name == name:
            return one
    raise EvaluationError(
        f"no variant '{name}' was measured", hint=f"there are: {_names(measured)}"
    )


def _check_kind(pair: Pair) -> None:
    if pair.old.kind != pair.new.kind:
        what = f"'{pair.old.name}' is of kind {pair.old.kind}, '{pair.new.name}' {pair.new.kind}"
        raise EvaluationError(what, hint="compare models of one kind")


def _names(measured: Sequence[Measured]) -> str:
    return ", ".join(one.name for one in measured)
