"""Writes a report: `report.html` and `report.json`, each whole or not at all."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from skerry.export.errors import OutputFailed
from skerry.export.measure.results import Measured
from skerry.export.report.page import render
from skerry.export.report.summary import report_fields

SCHEMA = "skerry.export.report/1"
HTML, JSON = "report.html", "report.json"


def write_report(name: str, measured: Sequence[Measured], out: Path) -> tuple[Path, Path]:
    """The paths of the page and of the JSON in the folder `out`.

    Raises:
        OutputFailed: the folder cannot be written; what was there before is still there.
    """
    fields = {"schema": SCHEMA, **report_fields(name, measured)}
    texts = {HTML: render(name, measured), JSON: f"{json.dumps(fields, indent=1)}\n"}
    try:
        out.mkdir(parents=True, exist_ok=True)
        for file, text in texts.items():
            _write(out / file, text)
    except OSError as error:
        what = f"the report cannot be written to '{out}': {error.strerror}"
        raise OutputFailed(what, hint="name another folder with --out") from error
    return out / HTML, out / JSON


def _write(path: Path, text: str) -> None:
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with partial.open("w", encoding="utf-8", errors="replace") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        with suppress(OSError):
            partial.unlink()
