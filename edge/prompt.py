"""Assembles the prompt: instructions, sources with provenance, earlier turns, the question.

Every part has a token budget. The best sources come first and last, where models
attend most (Liu et al., "Lost in the Middle", arXiv:2307.03172).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from skerry.edge.engines.base import Message
from skerry.edge.events import Citation
from skerry.edge.index.types import Chunk, Hit

CountTokens = Callable[[str], int]

GROUNDED = (
    "You answer questions from the numbered sources below, and from nothing else. "
    "Answer in one to three short sentences. After each sentence put the number of its source "
    "in brackets, like [1]. If the sources do not hold the answer, say: "
    "The documents do not say."
)
OPEN = "You are a helpful assistant. Answer briefly and plainly."


@dataclass(frozen=True, slots=True)
class PromptBudget:
    """Token budgets. `total` is what the model's context leaves after `answer`."""

    total: int
    sources: int
    history: int

    @classmethod
    def of(cls, context_tokens: int, answer_tokens: int) -> PromptBudget:
        """Six tenths of what is left for sources, a fifth for history."""
        total = max(context_tokens - answer_tokens - 64, 128)
        return cls(total, total * 6 // 10, total // 5)


@dataclass(frozen=True, slots=True)
class Prompt:
    """Messages for an engine, the sources in them, and the tokens that each part took."""

    messages: tuple[Message, ...]
    sources: tuple[Citation, ...]
    tokens: dict[str, int] = field(default_factory=dict)


def assemble(
    question: str,
    hits: Sequence[Hit],
    history: Sequence[Message],
    *,
    budget: PromptBudget,
    count_tokens: CountTokens,
    instructions: str = "",
) -> Prompt:
    """The prompt for `question`. Sources keep the order of `hits` in their marks.

    `history` is already compressed to its budget; its summary joins the one system message.
    A source that does not fit is left out.
    """
    sources, source_tokens = _fitting(hits, budget.sources, count_tokens)
    system = "\n\n".join(
        part
        for part in (
            GROUNDED if sources else OPEN,
            instructions,
            *(str(turn["content"]) for turn in history if turn["role"] == "system"),
            "\n\n".join(provenance(one) for one in best_first_and_last(sources)),
        )
        if part
    )
    turns = (turn for turn in history if turn["role"] != "system")
    messages = ({"role": "system", "content": system}, *turns)
    tokens = {
        "sources": source_tokens,
        "history": sum(count_tokens(str(turn["content"])) for turn in history),
        "question": count_tokens(question),
    }
    return Prompt((*messages, {"role": "user", "content": question}), sources, tokens)


def provenance(source: Citation) -> str:
    """A source as the model sees it: mark, title, place, version, date, then the text."""
    chunk = source.chunk
    place = " › ".join((chunk.title, *[part for part in chunk.heading if part != chunk.title]))
    facts = ", ".join(part for part in (_version(chunk), _date(chunk.valid_from)) if part)
    return f"[{source.mark}] {place} ({facts})\n{chunk.text}"


def best_first_and_last(sources: Sequence[Citation]) -> list[Citation]:
    """Best first, second best last, the rest between, in falling order from the outside in."""
    return [*sources[0::2], *reversed(sources[1::2])]


def _fitting(
    hits: Sequence[Hit], budget: int, count_tokens: CountTokens
) -> tuple[tuple[Citation, ...], int]:
    taken: list[Citation] = []
    used = 0
    for hit in hits:
        source = Citation(len(taken) + 1, hit.chunk)
        cost = count_tokens(provenance(source))
        if used + cost > budget:
            continue
        taken.append(source)
        used += cost
    return tuple(taken), used


def _version(chunk: Chunk) -> str:
    return f"version {chunk.version}" if chunk.version else ""


def _date(seconds: float) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(seconds))
