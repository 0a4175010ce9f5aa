"""What a variant of a model lost and what it costs: quality, size, speed and memory, measured.

`measure_variant` runs every measurement in a process of its own, so that memory is that of the
variant alone and a crash costs one measurement. Knows exporters by their Protocol only.
"""

from __future__ import annotations

from skerry.export.measure.errors import MeasureFailed
from skerry.export.measure.results import SCHEMA
from skerry.export.measure.variant import Options, measure_variant

__all__ = ["SCHEMA", "MeasureFailed", "Options", "measure_variant"]
