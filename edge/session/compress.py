"""Makes a conversation fit a token budget: newest turns verbatim, older ones in extracts.

Extractive and deterministic: every word of a summary was said, so that a summary can leave
something out but cannot invent. Calls no model.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from skerry.edge.engines.base import Message
from skerry.edge.session.types import Turn
from skerry.guardrails.sentences import sentences

CountTokens = Callable[[str], int]
"""Tokens of a text; none for an empty one."""

HEADER = "Earlier in this conversation:"
ELLIPSIS = " … "

_SUMMARY_SHARE = 0.25
_EXTRACT_CHARACTERS = 240
_SCANNED_CHARACTERS = 4_000
_CHARACTERS_PER_TOKEN = 32
_FACT = re.compile(r"\d[\d.,:/%-]*|(?<=\s)[A-Z][\w-]+|\b[A-Z]{2,}\b")


@dataclass(frozen=True, slots=True)
class Compressed:
    """A conversation within its budget: `summary` of the older turns, `kept` newest ones.

    `summary` is empty if nothing was summarised. `kept` are verbatim, but that the newest is cut
    in the middle if it alone is over the budget.
    """

    summary: str
    kept: tuple[Turn, ...]

    @property
    def messages(self) -> tuple[Message, ...]:
        """As messages for an engine, oldest first."""
        earlier = ({"role": "system", "content": self.summary},) if self.summary else ()
        return (*earlier, *({"role": turn.role, "content": turn.text} for turn in self.kept))


def unframed(turn: Turn) -> Turn:
    """An answer without the words that the runtime put before a source's: a model that has read
    "The nearest that they say" goes on saying so."""
    from skerry.guardrails.gate import NEAREST, OTHERWISE

    if turn.role != "assistant":
        return turn
    return replace(turn, text=turn.text.replace(NEAREST, "").replace(OTHERWISE, "").strip())


def compress(turns: Sequence[Turn], budget_tokens: int, count_tokens: CountTokens) -> Compressed:
    """The conversation `turns`, oldest first, in at most `budget_tokens` tokens of text.

    The tokens of the summary and of every kept turn, each counted by itself, sum to no more than
    the budget; what a chat template adds is not counted. If not everything fits, up to a
    quarter of the budget goes to extracts of the older turns, the newer of those first: the
    question that was asked; the first sentence that was answered; then, where room is left,
    the sentence with most numbers and names.
    """
    if not turns:
        return Compressed("", ())
    newest = _fit(turns[-1], max(budget_tokens, 0), count_tokens)
    left = max(budget_tokens, 0) - count_tokens(newest.text)
    kept, left = _verbatim(turns[:-1], left, budget_tokens, count_tokens)
    older = turns[: len(turns) - 1 - len(kept)]
    return Compressed(_summary(older, left, count_tokens), (*kept, newest))


def cut_middle(text: str, budget_tokens: int, count_tokens: CountTokens) -> str:
    """`text` if it fits, else its beginning and end around an ellipsis; empty if nothing fits.

    A text of more than 32 characters for every token is cut without being counted whole first.
    """
    longest = budget_tokens * _CHARACTERS_PER_TOKEN
    if len(text) <= longest and count_tokens(text) <= budget_tokens:
        return text
    best, low, high = "", 0, min(len(text), longest)
    while low < high:
        middle = (low + high + 1) // 2
        candidate = _shortened(text, middle)
        if count_tokens(candidate) <= budget_tokens:
            best, low = candidate, middle
        else:
            high = middle - 1
    return best


def _shortened(text: str, characters: int) -> str:
    """Two thirds from the beginning, where a text says what it is about; a third from the end."""
    if characters >= len(text):
        return text
    tail = characters // 3
    return text[: characters - tail] + ELLIPSIS + text[len(text) - tail :]


def _fit(turn: Turn, budget_tokens: int, count_tokens: CountTokens) -> Turn:
    return replace(turn, text=cut_middle(turn.text, budget_tokens, count_tokens))


def _verbatim(
    turns: Sequence[Turn], left: int, budget_tokens: int, count_tokens: CountTokens
) -> tuple[list[Turn], int]:
    """The newest of `turns` that fit, and the tokens left for a summary of the others."""
    costs: list[int] = []
    for turn in reversed(turns):
        cost = _cost(turn.text, left - sum(costs), count_tokens)
        if cost is None:
            break
        costs.append(cost)
    if len(costs) < len(turns):
        reserve = min(left, int(budget_tokens * _SUMMARY_SHARE))
        while costs and sum(costs) > left - reserve:
            costs.pop()
    return list(turns[len(turns) - len(costs) :]), left - sum(costs)


def _cost(text: str, left: int, count_tokens: CountTokens) -> int | None:
    """Tokens of `text`; None if they are more than are left."""
    if len(text) > left * _CHARACTERS_PER_TOKEN:
        return None
    cost = count_tokens(text)
    return cost if cost <= left else None


def _summary(turns: Sequence[Turn], budget_tokens: int, count_tokens: CountTokens) -> str:
    """Extracts of `turns` under a header, oldest first; empty if not even one fits."""
    lines: list[str] = []
    for turn in reversed(turns):
        line = _extract(turn, 1)
        if line and count_tokens(_joined([line, *lines])) > budget_tokens:
            break
        lines.insert(0, line)
    return _joined(_enriched(lines, turns[len(turns) - len(lines) :], budget_tokens, count_tokens))


def _enriched(
    lines: Sequence[str], turns: Sequence[Turn], budget_tokens: int, count_tokens: CountTokens
) -> Sequence[str]:
    """`lines`, with a second sentence of each turn for as long as there is room, newest first."""
    for index in reversed(range(len(lines))):
        longer = [*lines]
        longer[index] = _extract(turns[index], 2)
        if longer[index] != lines[index]:
            if count_tokens(_joined(longer)) > budget_tokens:
                break
            lines = longer
    return lines


def _joined(extracts: Sequence[str]) -> str:
    lines = [extract for extract in extracts if extract]
    return "\n".join((HEADER, *lines)) if lines else ""


def _extract(turn: Turn, length: int) -> str:
    """`role: ` and up to `length` sentences of a turn, in their order; empty for an empty turn."""
    spoken = _sentences(turn.text)
    chosen = sorted(_ranked(turn.role, spoken)[:length])
    text = " ".join(_shortened(spoken[index], _EXTRACT_CHARACTERS) for index in chosen)
    return f"{turn.role}: {text}" if text else ""


def _sentences(text: str) -> list[str]:
    """The sentences of a turn on one line each; of a very long one only the beginning and end."""
    scanned = _shortened(text, _SCANNED_CHARACTERS)
    return [" ".join(scanned[start:end].split()) for start, end in sentences(scanned)]


def _ranked(role: str, spoken: Sequence[str]) -> list[int]:
    """Indices of sentences, most telling first."""
    by_facts = sorted(range(len(spoken)), key=lambda index: -_facts(spoken[index]))
    questions = [index for index in by_facts if spoken[index].endswith(("?", "？", "؟"))]
    lead = [max(questions)] if role == "user" and questions else [0]
    return [*lead, *(index for index in by_facts if index not in lead)] if spoken else []


def _facts(sentence: str) -> int:
    """How many numbers and names a sentence has."""
    return len(_FACT.findall(sentence))
