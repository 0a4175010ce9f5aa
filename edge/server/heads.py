"""What answers of every kind have in common on the wire: their head, and the tokens they took."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Self

from skerry.edge.receipts import TokenUsage
from skerry.edge.server.ids import new_id


@dataclass(frozen=True, slots=True)
class Head:
    """What every chunk of an answer begins with."""

    model: str
    id: str
    created: int

    @classmethod
    def new(cls, model: str, prefix: str) -> Self:
        return cls(model, new_id(prefix), int(time.time()))

    def fields(self, kind: str) -> dict[str, Any]:
        return {"id": self.id, "object": kind, "created": self.created, "model": self.model}


def usage_fields(usage: TokenUsage | None) -> dict[str, Any] | None:
    """None where nobody counted: it is optional to OpenAI's clients."""
    if usage is None:
        return None
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
        "prompt_tokens_details": {"cached_tokens": usage.cached_tokens},
    }
