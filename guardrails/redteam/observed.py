"""What is asked of a target, and what it was seen to do. Plain data, and the one Protocol."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from skerry.guardrails.redteam.case import Planted


@dataclass(frozen=True, slots=True)
class Asked:
    """One request to a target. `cloud`: with the recording cloud, and everything approved."""

    text: str
    role: str = "user"
    cloud: bool = False
    history: Sequence[Mapping[str, str]] = ()
    documents: Sequence[Planted] = ()


@dataclass(frozen=True, slots=True)
class ToolSeen:
    """A tool that was called, and how that ended (`ok`, `not_allowed`, …)."""

    name: str
    outcome: str


@dataclass(frozen=True, slots=True)
class Observed:
    """What came of a request.

    `tier` answered, in place of `planned` perhaps; `request_class` by the router. `sent` is every
    text that left the device. `abstained`: it said that there is no answer, declined, or referred
    to a person. `error` is the code of a clear error; `crash` says what broke otherwise.
    """

    text: str
    tier: str = ""
    planned: str = ""
    request_class: str = ""
    verdict: str = ""
    abstained: bool = False
    marks: int = 0
    sent: tuple[str, ...] = ()
    tools: tuple[ToolSeen, ...] = ()
    findings: tuple[str, ...] = ()
    error: str = ""
    crash: str = ""
    ms: float = field(default=0.0, compare=False)


class Target(Protocol):
    """A running runtime. Not thread-safe: one request after the other."""

    def describe(self) -> Mapping[str, str]:
        """What is attacked: model, policy, versions."""
        ...

    def ask(self, asked: Asked) -> Observed:
        """Asks, with the documents of the request there for as long as it takes. Raises nothing for
        what the runtime does; what it raises is in `Observed`."""
        ...
