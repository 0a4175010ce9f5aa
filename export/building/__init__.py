"""Makes bundles: exports what a plan says, measures it, and packs it with what a device needs.

`build` is the way in. What was made is kept in a cache by its content (`cache`), so that a build
that was stopped goes on where it was, and a second one does nothing. Knows exporters and the
measuring by their Protocols only.
"""

from __future__ import annotations

from skerry.export.building.bundling import Built, Order, build
from skerry.export.building.cache import Cache
from skerry.export.building.measuring import Measure, Measuring
from skerry.export.building.parts import Part, prompt_parts

__all__ = [
    "Built",
    "Cache",
    "Measure",
    "Measuring",
    "Order",
    "Part",
    "build",
    "prompt_parts",
]
