"""How long llama.cpp's threads wait in a loop for each other before they sleep.

A step of decoding has some two hundred places where all threads wait for the slowest. GNU OpenMP
spins there for milliseconds by default. On a machine whose cores do other work, a thread that spins
keeps its core from the one that everybody waits for, and decoding falls to a ninth. See
docs/decisions/0008-threads-that-give-way.md for what was measured.
"""

from __future__ import annotations

import os

VARIABLE = "GOMP_SPINCOUNT"
SPINS = "1000"
"""Turns of the loop: some microseconds, enough for threads that all have a core."""

_SAID_OTHERWISE = (VARIABLE, "OMP_WAIT_POLICY")


def wait_briefly() -> None:
    """Sets how long, unless the environment says. Works only before libgomp is loaded."""
    if not any(name in os.environ for name in _SAID_OTHERWISE):
        os.environ[VARIABLE] = SPINS
