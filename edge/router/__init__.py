"""The router: request class, complexity, reasoning need and scope, from one sentence vector."""

from __future__ import annotations

from skerry.edge.router.router import CLASSES, DEFAULT_WEIGHTS, Router

__all__ = ["CLASSES", "DEFAULT_WEIGHTS", "Router"]
