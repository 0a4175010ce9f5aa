"""What is known of an adapter, as `adapter.json` beside it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from skerry.export.adapters.base import Base
from skerry.export.adapters.examples import Split, digest_of
from skerry.export.adapters.recipe import Recipe

SCHEMA = "skerry.adapter/1"


@dataclass(frozen=True, slots=True)
class Score:
    """Over held-out examples: the mean cross-entropy of an answer's token in nats, how often the
    likeliest token is the answer's, and the share of chats of which every token is.

    An answer whose every token is the likeliest is what greedy decoding writes: `exact` is exact
    match, without decoding.
    """

    loss_nats: float
    token_agreement: float
    exact: float


def card(
    *, recipe: Recipe, base: Base, base_digest: str, split: Split, before: Score, after: Score,
    licence: str | None, tools: dict[str, str],
) -> dict[str, Any]:  # fmt: skip
    """The content of `adapter.json`."""
    return {
        "schema": SCHEMA,
        "method": str(recipe.method),
        "rank": recipe.rank,
        "licence": licence,
        "base": {"name": base.name, "sha256": base_digest, "fingerprint": base.fingerprint()},
        "data": {
            "sha256": digest_of((*split.learnt, *split.held_out)),
            "learnt": len(split.learnt),
            "held_out": len(split.held_out),
        },
        "recipe": recipe.facts(),
        "held_out": {"before": asdict(before), "after": asdict(after)},
        "tools": tools,
    }
