"""Whether a new bundle works here, before devices run it: a check that the runtime does."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Health:
    """What a check found. `score` is from 0 to 1; `what` is one line; `signals` are reported."""

    ok: bool
    score: float
    what: str
    signals: dict[str, float] = field(default_factory=dict)


class HealthCheck(Protocol):
    """Tries a bundle, in a process of its own where it can crash one."""

    def __call__(self, bundle: Path) -> Health: ...


def only_whole(bundle: Path) -> Health:
    """The check where no runtime is: the bundle can be opened. Its bytes were compared before."""
    from skerry.bundles import BundleError, open_bundle

    try:
        open_bundle(bundle)
    except BundleError as error:
        return Health(False, 0.0, error.what)
    return Health(True, 1.0, "the bundle is whole; it was not run", {"health_score": 1.0})
