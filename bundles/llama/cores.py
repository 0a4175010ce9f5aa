"""How many threads llama.cpp should have here."""

from __future__ import annotations

import os

import psutil


def usable_cores() -> int:
    """Physical cores that this process may run on: a second thread on a core slows decoding."""
    physical = psutil.cpu_count(logical=False) or 1
    if hasattr(os, "sched_getaffinity"):
        return max(1, min(physical, len(os.sched_getaffinity(0))))
    return physical
