"""The tools of a runtime: which there are, who may run them, and which of them keep failing."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from skerry.edge.escalate.breaker import Breaker
from skerry.edge.tools.definition import Tool
from skerry.edge.tools.errors import ToolInvalid
from skerry.edge.tools.rules import ToolRules, load_rules


@dataclass(frozen=True, slots=True)
class Registered:
    tool: Tool
    roles: frozenset[str]
    breaker: Breaker


class Registry:
    """Tools by name. Thread-safe.

    Args:
        rules: who may run what; None takes those that come with the package.
        clock: seconds, never going back; for the circuit breakers.
    """

    def __init__(
        self, rules: ToolRules | None = None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.rules = rules or load_rules()
        self._clock = clock
        self._lock = threading.Lock()
        self._tools: dict[str, Registered] = {}

    def add(self, tool: Tool, *, roles: Iterable[str] = ()) -> None:
        """Adds a tool for the roles whose rules name it, and for `roles`.

        Raises:
            ToolInvalid: there is one of that name, or `roles` is one text.
        """
        if isinstance(roles, str):
            raise ToolInvalid(f"roles of '{tool.name}' are one text", hint=f'say ["{roles}"]')
        named = {role for role, names in self.rules.roles.items() if tool.name in names}
        limits = self.rules.breaker
        breaker = Breaker(limits.failures, limits.cooldown_s, self._clock)
        with self._lock:
            if tool.name in self._tools:
                raise ToolInvalid(f"there is a tool '{tool.name}' already", hint="rename one")
            self._tools[tool.name] = Registered(tool, frozenset({*named, *roles}), breaker)

    def find(self, name: str) -> Registered | None:
        return self._tools.get(name)

    def allowed(self, role: str) -> list[Tool]:
        """The tools that a role may run, in the order in which they were added."""
        return [one.tool for one in self._tools.values() if role in one.roles]

    def all(self) -> list[Registered]:
        return list(self._tools.values())
