"""Lays a user's policy over the default one. Decides nothing; reads no file.

What guards people can be made stricter by an overlay and never looser, and lists of what is
forbidden only grow. Everything else is replaced by what the overlay says.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import fields
from operator import attrgetter
from typing import Any

from skerry.edge.policy.rules import AnswerDangers, From, Policy, QuestionDangers

Table = Mapping[str, Any]
Path = tuple[str | int, ...]

ADDED_TO: frozenset[Path] = frozenset({("deny",), ("sensitivity", "clinical_labels")})
"""Lists that an overlay only adds to. Its own items come first, so that their places in the
result are their places in its file."""


def _rank(start: From) -> float:
    return math.inf if start == "never" else start


def _share(least: float) -> float:
    return -least


STRICTER_ONLY: Mapping[str, Callable[[Any], float]] = {
    "sensitivity.device_only_from": _rank,
    "sensitivity.preview_from": _rank,
    "sensitivity.redact": lambda redact: not redact,
    "injection.score": float,
    "injection.action": ("refuse", "contain").index,
    "safety.class_score": float,
    "safety.finding_score": float,
    "safety.network_score": float,
    "safety.seconded_score": float,
    **{f"safety.question.{one.name}": float for one in fields(QuestionDangers)},
    **{f"safety.answer.{one.name}": float for one in fields(AnswerDangers)},
    "gate.words": _share,
    "gate.new_words": _share,
    "gate.number_words": _share,
    "gate.without_documents": float,
}
"""Keys that an overlay can only tighten, with how loose a value is."""


def lay_over(base: Table, overlay: Table, at: Path = ()) -> dict[str, Any]:
    """`base` with what `overlay` says instead of it, or beside it in `ADDED_TO`."""
    return {**base, **{key: _laid(base.get(key), overlay[key], (*at, key)) for key in overlay}}


def _laid(base: Any, value: Any, at: Path) -> Any:
    if isinstance(base, Mapping) and isinstance(value, Mapping):
        return lay_over(base, value, at)
    if at in ADDED_TO and isinstance(base, list) and isinstance(value, list):
        return [*value, *base]
    return value


def first_loosened(base: Policy, result: Policy) -> str | None:
    """The key that `result` loosens though it may not, as `table.key`."""
    for key, looseness in STRICTER_ONLY.items():
        value = attrgetter(key)
        if looseness(value(result)) > looseness(value(base)):
            return key
    return None
