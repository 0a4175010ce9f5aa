"""What is trained on, as token ids, in batches of equal cost. No torch.

Pairs about one thing are in one batch, so that they can be contrasted with each other.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from skerry.guardrails.grounding.inputs import Encoded, encode
from skerry.guardrails.grounding.windows import beside
from skerry.guardrails.train.grounding.pair import Pair, Truth

if TYPE_CHECKING:
    from tokenizers import Tokenizer

BATCH_TOKENS = 2_000
UNKNOWN = -1.0
"""The target of a token of which it is not known whether it is held."""
_POOL = 50  # batches' worth of examples that are sorted by length together
_MOST_TOGETHER = 8  # pairs of one group in a batch


@dataclass(frozen=True, slots=True)
class Example:
    """`wrong` [length] is 1 where a token of the claim is not held, `UNKNOWN` if not known.

    Examples of one `group` are contrasted with each other.
    """

    encoded: Encoded
    truth: Truth
    wrong: Sequence[float]
    group: str

    @property
    def size(self) -> int:
        return len(self.encoded.ids)


def claim_of(pair: Pair) -> str:
    """The claim after its question, if it has one."""
    return f"{pair.question} {pair.claim}" if pair.question else pair.claim


def example(tokenizer: Tokenizer, pair: Pair) -> Example:
    """A pair as token ids with a target for each token."""
    encoded = encode(tokenizer, claim_of(pair), beside(pair.context, pair.evidence))
    wrong = [UNKNOWN] * len(encoded.ids)
    if pair.wrong is not None:
        shift = len(pair.question) + 1 if pair.question else 0
        for at, (start, end) in enumerate(encoded.spans, 1):
            inside = any(start < b + shift and a + shift < end for a, b in pair.wrong)
            wrong[at] = float(inside)
    return Example(encoded, pair.truth, wrong, pair.group or pair.evidence)


def batches(examples: Sequence[Example], draw: random.Random) -> Iterator[list[Example]]:
    """Groups of like length together, at most `BATCH_TOKENS` tokens with the padding."""
    groups = _together(examples)
    made: list[list[Example]] = []
    for pool in _pools(draw.sample(groups, len(groups))):
        batch: list[Example] = []
        for group in sorted(pool, key=_longest):
            if batch and (len(batch) + len(group)) * _longest(group) > BATCH_TOKENS:
                made.append(batch)
                batch = []
            batch.extend(group)
        made.append(batch)
    yield from draw.sample(made, len(made))


def _longest(group: Sequence[Example]) -> int:
    return max(one.size for one in group)


def _together(examples: Sequence[Example]) -> list[list[Example]]:
    """The examples by their groups, which are cut where they are large."""
    by_group: dict[str, list[Example]] = {}
    for one in examples:
        by_group.setdefault(one.group, []).append(one)
    return [
        group[at : at + _MOST_TOGETHER]
        for group in by_group.values()
        for at in range(0, len(group), _MOST_TOGETHER)
    ]


def _pools(groups: Sequence[list[Example]]) -> Iterator[list[list[Example]]]:
    """Some `_POOL` batches' worth of groups at a time."""
    pool: list[list[Example]] = []
    tokens = 0
    for group in groups:
        pool.append(group)
        tokens += sum(one.size for one in group)
        if tokens > _POOL * BATCH_TOKENS:
            yield pool
            pool, tokens = [], 0
    if pool:
        yield pool
