"""How a build has variants measured: a function of somebody else's, or none."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from skerry.export.exporter import Exporter, Made, Progress


class Measure(Protocol):
    """Measures what was made against its source; `skerry.export.measure` has one."""

    def __call__(
        self, made: Made, source: Path, exporter: Exporter, *, progress: Progress
    ) -> dict[str, Any]: ...


@dataclass(frozen=True, slots=True)
class Measuring:
    """`identity` names what is measured and how: results of another one are not taken for it."""

    measure: Measure
    identity: str
