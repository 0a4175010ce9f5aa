"""Attacks on a running runtime, and whether they worked: a suite as data, checks without opinions.

A case asks something, perhaps over planted documents, and says what must not come of it. Pairs ask
the same for different people. Nothing here knows the runtime: a `Target` is asked, and what it did
is `Observed`. `skerry redteam` is both together.
"""

from __future__ import annotations

from skerry.guardrails.redteam.case import Case, Kind, Planted, Suite
from skerry.guardrails.redteam.observed import Asked, Observed, Target, ToolSeen
from skerry.guardrails.redteam.run import Results, run
from skerry.guardrails.redteam.suites import load_suite

__all__ = [
    "Asked",
    "Case",
    "Kind",
    "Observed",
    "Planted",
    "Results",
    "Suite",
    "Target",
    "ToolSeen",
    "load_suite",
    "run",
]
