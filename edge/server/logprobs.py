"""Log-probabilities in the shapes of chat completions, responses and the older completions."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import Any

from skerry.edge.engines.base import TokenLogprob

Tops = Sequence[Sequence[TokenLogprob]]


def chat_logprobs(tokens: Sequence[TokenLogprob], tops: Tops) -> dict[str, Any] | None:
    """None when none were asked for."""
    return {"content": response_logprobs(tokens, tops), "refusal": None} if tokens else None


def response_logprobs(tokens: Sequence[TokenLogprob], tops: Tops) -> list[dict[str, Any]]:
    """Empty when none were asked for."""
    return [
        {**_entry(token), "top_logprobs": [_entry(other) for other in top]}
        for token, top in zip(tokens, tops, strict=True)
    ]


def legacy_logprobs(
    tokens: Sequence[TokenLogprob], tops: Tops, offset: int
) -> dict[str, Any] | None:
    """`offset` is where, in code points, the first token begins in the text of the choice."""
    if not tokens:
        return None
    texts = [token.text for token in tokens]
    offsets = accumulate((len(text) for text in texts[:-1]), initial=offset)
    return {
        "tokens": texts,
        "token_logprobs": [token.logprob for token in tokens],
        "top_logprobs": [{other.text: other.logprob for other in top} for top in tops],
        "text_offset": list(offsets),
    }


def _entry(token: TokenLogprob) -> dict[str, Any]:
    return {
        "token": token.text,
        "logprob": token.logprob,
        "bytes": list(token.text.encode()),
    }
