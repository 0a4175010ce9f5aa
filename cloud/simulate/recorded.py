"""A target whose answers are known: it says again what another one said.

Drafts are verified by value, so the tokens, passes and counts are those that the other one would
give, and nothing is computed. For benchmarks on a machine that is device and cloud at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from skerry.cloud.engines.base import Pass, TargetFacts, Verifier
from skerry.cloud.errors import RequestError
from skerry.cloud.hints.choice import Sampling
from skerry.cloud.hints.tree import ROOT, Tree


@dataclass(frozen=True, slots=True)
class Recording:
    """What a target answered to the tokens `prompt`, chosen by `sampling`.

    Record a token more than is asked for: what comes after the last one is not known.
    """

    prompt: tuple[int, ...]
    sampling: Sampling
    answer: tuple[int, ...]


async def record(
    verifier: Verifier, prompt: Sequence[int], sampling: Sampling, most: int
) -> Recording:
    """Lets a target answer with `most` tokens at most.

    Raises what `Verifier.open` and `Target.look` do.
    """
    target = await verifier.open(prompt, sampling)
    said = list[int]()
    try:
        while len(said) < most and not (said and said[-1] in verifier.facts.ends):
            said += (await target.look(Tree())).tokens
    finally:
        await target.close()
    return Recording(tuple(prompt), sampling, tuple(said))


class RecordedTarget:
    """See `skerry.cloud.engines.base.Target`. `left` is what it has yet to say."""

    cached = 0

    def __init__(self, left: Sequence[int]) -> None:
        self._left = list(left)

    async def look(self, tree: Tree) -> Pass:
        """Raises RequestError: the recording is at its end."""
        if not self._left:
            raise RequestError("the recording ends here", hint="record more tokens")
        node, count = ROOT, 0
        while (child := tree.child(node, self._left[count])) is not None:
            node, count = child, count + 1
            if count == len(self._left):
                break
        said = tuple(self._left[: count + 1])
        del self._left[: count + 1]
        return Pass(said, count, 0.0)

    async def close(self) -> None:
        self._left.clear()


class RecordedVerifier:
    """See `skerry.cloud.engines.base.Verifier`. `facts` are those of the one that was recorded."""

    def __init__(self, facts: TargetFacts, recordings: Iterable[Recording]) -> None:
        self.facts = facts
        self._answers = {(one.prompt, one.sampling): one.answer for one in recordings}

    async def open(
        self,
        tokens: Sequence[int],
        sampling: Sampling,
        *,
        generated: int = 0,
        ends: frozenset[int] = frozenset(),  # noqa: ARG002  an answer ends where it was recorded to
    ) -> RecordedTarget:
        """Raises RequestError: this was not recorded."""
        start = len(tokens) - generated
        prompt, said = tuple(tokens[:start]), tuple(tokens[start:])
        answer = self._answers.get((prompt, sampling))
        if answer is None or answer[: len(said)] != said:
            raise RequestError(
                "this was not recorded", hint="record the prompt with the same sampling first"
            )
        return RecordedTarget(answer[len(said) :])

    async def close(self) -> None:
        """Nothing is held."""
