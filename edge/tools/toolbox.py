"""Runs the tools of one request, each call past every guard. No model has a say here.

In this order: it exists, the role may run it, the budget allows it, its arguments fit, its circuit
is closed, a person agreed where that is needed; then it runs, for so long and no longer, and its
result is looked at before anybody is told of it.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ValidationError

from skerry.edge.screening import screen_chunk
from skerry.edge.tools.definition import Arguments, Context, Impact, Tool
from skerry.edge.tools.errors import SoftFail
from skerry.edge.tools.registry import Registered, Registry
from skerry.edge.tools.result import Outcome, Result
from skerry.edge.tools.running import Raised, run_within
from skerry.edge.tools.telling import told
from skerry.guardrails.answer import Evidence
from skerry.guardrails.errors import GuardrailError
from skerry.guardrails.findings import FindingKind
from skerry.guardrails.networks import INSTALLED, Networks

if TYPE_CHECKING:
    from skerry.guardrails.injection.meaning import Encode

_LONGEST_SHOWN = 200
_TOO_LONG = {
    Impact.READ: "That took too long and was stopped.",
    Impact.HIGH: "That took too long and was stopped; it is not known whether it was done.",
}


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What a person is shown before a call: `text` says in words what it would do."""

    tool: str
    arguments: Arguments
    text: str

    @property
    def digest(self) -> str:
        """The SHA-256 (hex) of the call: the tool and its arguments."""
        call = {"tool": self.tool, "arguments": dict(self.arguments)}
        canonical = json.dumps(call, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()


Confirm = Callable[[Confirmation], bool]


def local_now() -> datetime:
    """The device's local time, without a zone, as people mean it."""
    return datetime.now()


@dataclass(slots=True)
class Toolbox:
    """The tools of one request, and what it has spent on them. Not thread-safe.

    `confirm` asks a person; without it what needs one is not done. `injection_score`: a result
    with a finding of injection from here on is withheld; `encode` (`screening.encoding`) makes the
    screen surer of those, and `networks` look. `before` is what was asked before this
    request, where the answer asked back. `results` are all calls so far.
    """

    registry: Registry
    role: str
    confirm: Confirm | None = None
    search: Callable[[str], Sequence[Evidence]] = lambda _: ()
    injection_score: float = 0.8
    encode: Encode | None = None
    networks: Networks = INSTALLED
    before: str = ""
    now: Callable[[], datetime] = local_now
    cancelled: threading.Event = field(default_factory=threading.Event)
    results: list[Result] = field(default_factory=list)

    @property
    def tools(self) -> list[Tool]:
        """What the role may run."""
        return self.registry.allowed(self.role)

    def call(self, name: str, arguments: Arguments) -> Result:
        """One call. Raises nothing for whatever is wrong with it: that is its `outcome`."""
        result = self._call(name, arguments)
        self.results.append(result)
        return result

    def refuse(self, name: str, arguments: Arguments, outcome: Outcome, text: str) -> Result:
        """Notes a call that is not made."""
        result = Result(name[:_LONGEST_SHOWN], _plain(arguments), outcome, text)
        self.results.append(result)
        return result

    def _call(self, name: str, arguments: Arguments) -> Result:
        stopped = Result(name[:_LONGEST_SHOWN], _plain(arguments), Outcome.UNKNOWN, "")
        found = self.registry.find(name)
        if found is None:
            return replace(stopped, text=f"There is no tool '{stopped.tool[:64]}'.")
        if self.role not in found.roles:
            text = f"That is not for the role '{self.role}': nothing was done."
            return replace(stopped, outcome=Outcome.NOT_ALLOWED, text=text)
        if why := self._over_budget():
            return replace(stopped, outcome=Outcome.OVER_BUDGET, text=why)
        checked = _checked(found.tool, arguments)
        if isinstance(checked, str):
            return replace(stopped, outcome=Outcome.INVALID, text=checked)
        return self._guarded(found, checked)

    def _guarded(self, found: Registered, checked: BaseModel) -> Result:
        """A call that may be made, if it is well and somebody agrees."""
        said = checked.model_dump(mode="json", exclude_none=True)
        result = Result(found.tool.name, said, Outcome.CIRCUIT_OPEN, "")
        if not found.breaker.admits:
            text = "That does not work at present: it failed several times. Try again later."
            return replace(result, text=text)
        needed = found.tool.impact in self.registry.rules.confirm.impact
        if needed and not self._agreed(found.tool, said):
            text = f"Nothing was done: nobody confirmed it. ({found.tool.in_words(said)})"
            return replace(result, outcome=Outcome.NOT_CONFIRMED, text=text)
        if not found.breaker.admit():
            return replace(result, text="That does not work at present. Try again later.")
        return self._run(found, checked, replace(result, confirmed=needed))

    def _agreed(self, tool: Tool, said: Arguments) -> bool:
        if self.confirm is None:
            return False
        return self.confirm(Confirmation(tool.name, said, tool.in_words(said))) is True

    def _run(self, found: Registered, checked: BaseModel, result: Result) -> Result:
        context = Context(self.now(), self.cancelled, self.search)
        start = time.perf_counter()
        ended = run_within(lambda inner: found.tool.run(checked, inner), context, self._time_left())
        result = replace(result, ms=(time.perf_counter() - start) * 1e3)
        if ended is None:
            found.breaker.failed()
            text = _TOO_LONG[found.tool.impact]
            return replace(result, outcome=Outcome.TIMED_OUT, text=text)
        if isinstance(ended, Raised) and isinstance(ended.error, SoftFail):
            found.breaker.succeeded()
            return self._screened(replace(result, outcome=Outcome.NOT_FOUND), ended.error.what)
        if isinstance(ended, Raised):
            found.breaker.failed()
            text = f"That failed ({type(ended.error).__name__}); nothing is known to be done."
            return replace(result, outcome=Outcome.FAILED, text=text)
        return self._returned(found, result, ended.value)

    def _returned(self, found: Registered, result: Result, value: Any) -> Result:
        """What the function returned, as far as it may be told."""
        try:
            text = told(found.tool, value)
        except Exception as error:  # noqa: BLE001  a tool's own words are its own code
            found.breaker.failed()
            text = f"It ran, and what came back cannot be told ({type(error).__name__})."
            return replace(result, outcome=Outcome.FAILED, text=text)
        found.breaker.succeeded()
        return self._screened(replace(result, outcome=Outcome.OK, value=value), text)

    def _screened(self, result: Result, text: str) -> Result:
        """A result is what others wrote: it gives no orders, and is not endless."""
        most = self.registry.rules.budget.characters
        if len(text) > most:
            text = f"What came back has {len(text):,} characters; at most {most:,} are taken."
            return replace(result, outcome=Outcome.WITHHELD, text=text, value=None)
        if self._gives_orders(text):
            text = "What came back tries to give orders to a model; it is not shown."
            return replace(result, outcome=Outcome.WITHHELD, text=text, value=None)
        return replace(result, text=text)

    def _gives_orders(self, text: str) -> bool:
        try:
            found = screen_chunk(text, self.encode, self.networks)
        except GuardrailError:
            return True
        return any(
            one.kind is FindingKind.INJECTION and not one.score < self.injection_score
            for one in found
        )

    def _over_budget(self) -> str:
        budget = self.registry.rules.budget
        if len(self.results) >= budget.calls:
            return f"A request may call tools {budget.calls} times; this one has."
        if self._spent_ms() >= budget.total_ms:
            return f"A request has {budget.total_ms:,} ms for tools; this one has spent them."
        return ""

    def _spent_ms(self) -> float:
        return sum(result.ms for result in self.results)

    def _time_left(self) -> float:
        """Seconds for the next call."""
        budget = self.registry.rules.budget
        return max(0.0, min(budget.call_ms, budget.total_ms - self._spent_ms())) / 1e3


def _checked(tool: Tool, arguments: Arguments) -> BaseModel | str:
    """The arguments as the tool takes them, or what is wrong with them."""
    try:
        text = json.dumps(dict(arguments), default=str)
        return tool.arguments.model_validate_json(text, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        place = ".".join(map(str, first["loc"])) or "arguments"
        return f"That does not fit the tool '{tool.name}': {place}: {first['msg']}."
    except (TypeError, ValueError, RecursionError):
        return f"That does not fit the tool '{tool.name}': its arguments are no JSON."


def _plain(arguments: Arguments) -> dict[str, Any]:
    """Arguments that nobody has checked, for the record."""
    try:
        plain: dict[str, Any] = json.loads(json.dumps(dict(arguments), default=str))
    except (TypeError, ValueError, RecursionError):
        return {}
    return plain if len(str(plain)) <= _LONGEST_SHOWN * 10 else {}
