"""Token ids, as contexts and schedulers pass them on."""

from __future__ import annotations

from array import array
from typing import TypeAlias

TokenArray: TypeAlias = "array[int]"
"""Token ids as `array("i")`: cheap to grow by one, and numpy reads it in place."""
