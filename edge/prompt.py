"""Assembles the prompt: instructions, sources with provenance, earlier turns, the question.

Every part has a token budget. The best sources come first and last, where models
attend most (Liu et al., "Lost in the Middle", arXiv:2307.03172).
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass

from skerry.edge.engines.base import Message
from skerry.edge.events import Citation
from skerry.edge.index.types import Chunk, Hit
from skerry.edge.model_tokens import CountTokens, at_most, spelled_out

GROUNDED = (
    "You answer questions from the numbered sources below, and from nothing else. "
    "Answer in one to three short sentences. After each sentence put the number of its source "
    "in brackets, like [1]. If the sources do not hold the answer, say: "
    "The documents do not say."
)
_LIKE_A_MARK = re.compile(r"^\s*\[(\d{1,3})\]", re.MULTILINE)
OPEN = "You are a helpful assistant. Answer briefly and plainly."


@dataclass(frozen=True, slots=True)
class Prompts:
    """What a model is told: with sources, and without any."""

    grounded: str
    open: str


INSTALLED = Prompts(GROUNDED, OPEN)


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
    """Messages for an engine, and the sources in them."""

    messages: tuple[Message, ...]
    sources: tuple[Citation, ...]


def assemble(
    question: str,
    hits: Sequence[Hit],
    history: Sequence[Message],
    *,
    budget: PromptBudget,
    count_tokens: CountTokens,
    longest_chunk: int,
    instructions: str = "",
    prompts: Prompts = INSTALLED,
) -> Prompt:
    """The prompt for `question`. Sources keep the order of `hits` in their marks.

    `history` is already compressed to its budget; its summary joins the one system message.
    A source that does not fit is left out. `count_tokens` counts WordPieces, of which no chunk
    has more than `longest_chunk`.
    """
    sources = _fitting(hits, budget.sources, at_most(count_tokens), longest_chunk)
    system = "\n\n".join(
        part
        for part in (
            prompts.grounded if sources else prompts.open,
            instructions,
            *(str(turn["content"]) for turn in history if turn["role"] == "system"),
            "\n\n".join(provenance(one) for one in best_first_and_last(sources)),
        )
        if part
    )
    turns = (turn for turn in history if turn["role"] != "system")
    messages = ({"role": "system", "content": system}, *turns)
    return Prompt((*messages, {"role": "user", "content": question}), sources)


def provenance(source: Citation) -> str:
    """A source as the model sees it: mark, title, place, version, date, then the text.

    What looks like a mark at the start of a line of the text is no longer one: nothing in a
    document may pass for another source.
    """
    chunk = source.chunk
    place = " › ".join((chunk.title, *[part for part in chunk.heading if part != chunk.title]))
    facts = ", ".join(part for part in (_version(chunk), _date(chunk.valid_from)) if part)
    text = _LIKE_A_MARK.sub(r"(\1)", chunk.text)
    return f"[{source.mark}] {place} ({facts})\n{text}"


def best_first_and_last(sources: Sequence[Citation]) -> list[Citation]:
    """Best first, second best last, the rest between, in falling order from the outside in."""
    return [*sources[0::2], *reversed(sources[1::2])]


def _fitting(
    hits: Sequence[Hit], budget: int, count_tokens: CountTokens, longest_chunk: int
) -> tuple[Citation, ...]:
    """The hits that fit, as sources. Counts only where they may not fit: that takes its time."""
    if sum(_at_most(hit, longest_chunk) for hit in hits) <= budget:
        return tuple(_source(mark, hit) for mark, hit in enumerate(hits, 1))
    taken: list[Citation] = []
    for hit in hits:
        source = _source(len(taken) + 1, hit)
        cost = count_tokens(provenance(source))
        if cost <= budget:
            taken.append(source)
            budget -= cost
    return tuple(taken)


def _source(mark: int, hit: Hit) -> Citation:
    return Citation(mark, hit.chunk, hit.score, hit.similarity)


def _at_most(hit: Hit, longest_chunk: int) -> int:
    """More tokens than the hit can take; what is before its text has one for each byte."""
    before = provenance(_source(10, hit))[: -len(hit.chunk.text) or None]
    return longest_chunk + len(before.encode("utf-8", "replace")) + spelled_out(hit.chunk.text)


def _version(chunk: Chunk) -> str:
    return f"version {chunk.version}" if chunk.version else ""


def _date(seconds: float) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(seconds))
