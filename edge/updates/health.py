"""The health check of a device that answers with a model: see `check`, which it runs apart."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from skerry.sync.client.health import Health

TIMEOUT_S = 600.0


class ModelHealth:
    """Tries bundles in a process of its own, which may crash or hang.

    Args:
        timeout_s: how long that process may take.
    """

    def __init__(self, timeout_s: float = TIMEOUT_S) -> None:
        self._timeout_s = timeout_s

    def __call__(self, bundle: Path) -> Health:
        command = [sys.executable, "-m", "skerry.edge.updates.check", str(bundle)]
        try:
            done = subprocess.run(  # noqa: S603  our own module
                command, capture_output=True, timeout=self._timeout_s, check=False
            )
        except subprocess.TimeoutExpired:
            return _unhealthy(f"it did not answer in {self._timeout_s:.0f} seconds")
        if done.returncode < 0:
            return _unhealthy(f"the model brought its process down (signal {-done.returncode})")
        try:
            return Health(**json.loads(done.stdout.splitlines()[-1]))
        except (IndexError, ValueError, TypeError):
            return _unhealthy(f"its check ended with code {done.returncode} and no verdict")


def _unhealthy(what: str) -> Health:
    return Health(False, 0.0, what, {"health_score": 0.0})
