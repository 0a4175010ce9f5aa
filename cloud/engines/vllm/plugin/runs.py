"""The hints of requests that go on by themselves, inside vLLM's scheduler. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from skerry.cloud.engines.vllm.plugin.asked import Asked
from skerry.cloud.hints.matcher import Hint, Matcher
from skerry.cloud.hints.tree import chain


class Runs:
    """Runs by the name that their hints give, and by the id that vLLM gives their request."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._matchers: dict[str, Matcher] = {}

    def __len__(self) -> int:
        return len(self._matchers)

    def begin(self, request_id: str, asked: Asked) -> None:
        matcher = Matcher(asked.at)
        matcher.offer(Hint(asked.at, chain(asked.draft), 0))
        self._names[asked.run], self._matchers[request_id] = request_id, matcher

    def hear(self, run: str, hint: Hint) -> None:
        """A hint for a run; one that is over has no use for it."""
        matcher = self._matchers.get(self._names.get(run, ""))
        if matcher is not None:
            matcher.offer(hint)

    def draft(self, request_id: str, most: int) -> list[int]:
        """What the next pass of a request looks at."""
        matcher = self._matchers.get(request_id)
        return [] if matcher is None else list(matcher.trunk(most))

    def advance(self, request_id: str, tokens: Sequence[int]) -> None:
        if (matcher := self._matchers.get(request_id)) is not None:
            matcher.advance(tokens)

    def end(self, request_id: str, asked: Asked) -> None:
        self._matchers.pop(request_id, None)
        self._names.pop(asked.run, None)
