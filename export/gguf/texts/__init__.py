"""Texts of the project's own: prose, dialogue, code, tables and forms, all invented.

`CALIBRATION` is what importance and sensitivity are measured on; `HELD_OUT` shares no sentence with
it and is for judging what came of that.
"""

from __future__ import annotations

from pathlib import Path

CALIBRATION = Path(__file__).parent / "calibration.txt"
HELD_OUT = Path(__file__).parent / "held_out.txt"
