"""The runtime as a target of the red team: on a stage of its own, so that nothing of anybody's is
read or changed. What is asked and judged is `skerry.guardrails.redteam`'s."""

from __future__ import annotations

from skerry.edge.redteam.target import RuntimeTarget

__all__ = ["RuntimeTarget"]
