"""The measuring of `skerry.export.measure`, as a build takes it."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

from skerry.export.building.measuring import Measuring
from skerry.export.building.tools import measuring_code
from skerry.export.errors import MissingExtra
from skerry.export.exporter import Exporter, Made, Progress


def measuring(*, items: int | None) -> Measuring:
    """Measures everything, of each task at most `items` items; None is all of them.

    Raises:
        MissingExtra: it is not installed.
    """
    try:
        room = importlib.import_module("skerry.export.measure")
    except ImportError as error:
        what = f"measuring needs {error.name}"
        raise MissingExtra(what, hint="pip install 'skerry[export]', or --measure none") from error
    options = room.Options(items=items)

    def measure(
        made: Made, source: Path, exporter: Exporter, *, progress: Progress
    ) -> dict[str, Any]:
        found: dict[str, Any] = room.measure_variant(
            made, source, exporter, options=options, progress=progress
        )
        return found

    return Measuring(measure, f"{measuring_code()} items={items}")
