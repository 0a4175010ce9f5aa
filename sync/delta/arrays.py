"""Names for arrays by what is in them. NumPy's types lose the width of integers in arithmetic, so
these say it, and a type checker only that they are integers."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.integer[Any]]
Bytes = Integers
"""uint8."""
Shorts = Integers
"""uint16."""
Words = Integers
"""uint32."""
Floats = NDArray[np.float32]
