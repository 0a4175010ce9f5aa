"""The measuring of `skerry.export.measure`, as a build takes it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from skerry.export.building.measuring import Measuring
from skerry.export.building.tools import measuring_code
from skerry.export.exporter import Exporter, Made, Progress
from skerry.export.measure import Options, measure_variant


def measuring(*, items: int | None, repeats: int = 3) -> Measuring:
    """Measures everything.

    Args:
        items: how many of each task, at most; None is all of them.
        repeats: how often speed is measured.
    """
    options = Options(items=items, repeats=repeats)

    def measure(
        made: Made, source: Path, exporter: Exporter, *, progress: Progress
    ) -> dict[str, Any]:
        return measure_variant(made, source, exporter, options=options, progress=progress)

    return Measuring(measure, f"{measuring_code()} items={items} repeats={repeats}")
