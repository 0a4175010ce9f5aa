"""Asks the runtime what the red team asks, and tells what it was seen to do."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from skerry.edge.errors import EdgeError
from skerry.edge.events import Reply
from skerry.edge.redteam.stage import Stage
from skerry.edge.request import Request
from skerry.edge.types import Tier
from skerry.guardrails.errors import GuardrailError
from skerry.guardrails.gate import NEAREST, NOT_FOUND
from skerry.guardrails.redteam import Asked, Observed, ToolSeen

if TYPE_CHECKING:
    from skerry.edge.settings import Settings

_NO_ANSWER = frozenset({Tier.HUMAN, Tier.REFUSE})


class RuntimeTarget:
    """A runtime with these settings, on a stage in `folder`. Not thread-safe; close it.

    Nobody confirms what a tool would change. In requests with a cloud everything that policy wants
    approved is approved, and what is sent goes to a recorder.

    Raises:
        EdgeError: a part of the runtime cannot be used.
    """

    def __init__(
        self, settings: Settings, folder: Path, booked: Sequence[str] = (), **given: Any
    ) -> None:
        self._stage = Stage(settings, folder, booked, **given)

    def describe(self) -> Mapping[str, str]:
        from importlib.metadata import version

        parts = self._stage.alone.parts
        return {
            "skerry": version("skerry"),
            "model": parts.settings.model,
            "encoder": parts.encoder.id,
            "policy": f"{parts.policy.version} ({parts.policy.digest[:12]})",
            "tool rules": parts.tools.rules.version,
            "documents": "the handbook of the demo, and what a case plants",
        }

    def ask(self, asked: Asked) -> Observed:
        runtime = self._stage.with_cloud if asked.cloud else self._stage.alone
        self._stage.recorder.sent.clear()
        start = time.perf_counter()
        try:
            with self._stage.planted(asked.documents):
                reply = runtime.ask(_request(asked))
        except (EdgeError, GuardrailError) as error:
            return self._failed(start, error=error.code)
        except Exception as error:  # noqa: BLE001  a crash is what is looked for
            return self._failed(start, crash=f"{type(error).__name__}: {error}")
        return self._observed(reply, start)

    def close(self) -> None:
        self._stage.close()

    def _failed(self, start: float, *, error: str = "", crash: str = "") -> Observed:
        sent = tuple(self._stage.recorder.sent)
        return Observed("", sent=sent, error=error, crash=crash, ms=_since(start))

    def _observed(self, reply: Reply, start: float) -> Observed:
        receipt = reply.receipt
        return Observed(
            text=reply.text,
            tier=str(receipt.answered_by or ""),
            planned=str(receipt.route.tier),
            request_class=str(receipt.route.request_class),
            verdict=str(receipt.verdict or ""),
            abstained=_abstained(reply),
            marks=len(reply.citations),
            sent=tuple(self._stage.recorder.sent),
            tools=tuple(ToolSeen(one.name, one.outcome) for one in receipt.tools),
            findings=tuple(sorted({finding.label for finding in receipt.findings})),
            ms=_since(start),
        )


def _request(asked: Asked) -> Request:
    return Request(
        asked.text,
        role=asked.role,
        history=asked.history,
        approve=(lambda _: True) if asked.cloud else None,
    )


def _abstained(reply: Reply) -> bool:
    """Whether it says that there is no answer, declines, or refers to a person."""
    withheld = reply.verdict == "withheld"
    says_so = reply.text.startswith((NOT_FOUND, NEAREST))
    return withheld or says_so or reply.receipt.answered_by in _NO_ANSWER


def _since(start: float) -> float:
    return (time.perf_counter() - start) * 1e3
