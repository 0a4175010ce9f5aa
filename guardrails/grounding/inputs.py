"""What the model reads: a claim, and a window of a source with its headings, as token ids."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from skerry.guardrails.words import content_stems

if TYPE_CHECKING:
    from tokenizers import Tokenizer

MAX_TOKENS = 160
MAX_CLAIM_TOKENS = 96
_MAX_CHARACTERS = 4_000  # of a claim or a window: bounds the work on a huge text
_MAX_QUESTION = 200  # characters, from its end
_WHOLE = 4  # content words of a claim that stands by itself


@dataclass(frozen=True, slots=True)
class Encoded:
    """`ids` and `types` [length]: type 0 is the claim's side, 1 the evidence's.

    `spans` are the offsets of the claim's tokens in its text; the first of them is token 1.
    `cut`: the claim is longer than what is read of it.
    """

    ids: list[int]
    types: list[int]
    spans: list[tuple[int, int]]
    cut: bool


def asked(claim: str, question: str) -> str:
    """The claim as it is read: one that is too short to stand by itself follows its question."""
    if not question or len(content_stems(claim)) >= _WHOLE:
        return claim
    return f"{question.strip()[-_MAX_QUESTION:]} {claim}"


def encode(tokenizer: Tokenizer, claim: str, evidence: str) -> Encoded:
    """`[CLS] claim [SEP] evidence [SEP]`. What is too long is cut off at its end."""
    left = tokenizer.encode(_clean(claim), add_special_tokens=False)
    right = tokenizer.encode(_clean(evidence), add_special_tokens=False)
    start, end = tokenizer.token_to_id("[CLS]") or 0, tokenizer.token_to_id("[SEP]") or 0
    head = [start, *left.ids[:MAX_CLAIM_TOKENS], end]
    tail = [*right.ids[: MAX_TOKENS - len(head) - 1], end]
    return Encoded(
        ids=head + tail,
        types=[0] * len(head) + [1] * len(tail),
        spans=left.offsets[:MAX_CLAIM_TOKENS],
        cut=len(left.ids) > MAX_CLAIM_TOKENS or len(claim) > _MAX_CHARACTERS,
    )


def _clean(text: str) -> str:
    return text[:_MAX_CHARACTERS].encode("utf-8", "ignore").decode("utf-8")
