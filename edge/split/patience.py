"""How long the cloud is asked to wait for hints, and when it is told something else. Pure."""

from __future__ import annotations

import math

from skerry.cloud.hints.frames import MOST_PATIENCE_MS, Open
from skerry.edge.split.controller import Controller

_ABOUT = 0.3
"""Another patience is told where it is so much more or less."""


class Patience:
    """Of one generation: what was asked for, or, where that is not `fixed`, what the controller
    finds faster as it learns of link and target."""

    def __init__(self, controller: Controller, asked: Open, *, fixed: bool) -> None:
        self._controller, self._fixed = controller, fixed
        self._told_ms = asked.patience_ms

    @property
    def waits(self) -> bool:
        """Whether the cloud waits, as far as it was told."""
        return self._told_ms > 0

    def begin(self) -> int:
        """The patience to open with [ms]."""
        if not self._fixed:
            self._told_ms = self._wanted()
        self._controller.waits = self.waits
        return self._told_ms

    def news(self) -> int | None:
        """Another patience to tell [ms]; None: it is about what was told."""
        if self._fixed:
            return None
        wanted = self._wanted()
        same = self.waits == (wanted > 0) and abs(wanted - self._told_ms) <= _ABOUT * self._told_ms
        if same:
            return None
        self._told_ms = wanted
        self._controller.waits = self.waits
        return wanted

    def _wanted(self) -> int:
        return min(MOST_PATIENCE_MS, math.ceil(self._controller.patience_s * 1e3))
