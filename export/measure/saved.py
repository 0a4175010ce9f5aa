"""Reads measurements back: from a bundle's manifest, a folder of JSON files, or one file.

What is read may have been written by others: sizes are capped, and every field is checked.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from skerry.bundles.manifest import MANIFEST
from skerry.bundles.read import read_bundle
from skerry.export.errors import OutputFailed
from skerry.export.measure.errors import MeasureFailed
from skerry.export.measure.results import SCHEMA, Measured

MAX_BYTES = 16 << 20
MAX_FILES = 1000
SUFFIX = ".measured.json"


def read_measurements(place: Path) -> tuple[Measured, ...]:
    """The measurements of a bundle's variants, or of the `*.measured.json` of a folder, by name.

    Raises:
        MeasureFailed: there are none, two have one name, or one is not of the schema.
        BundleError: the bundle's manifest cannot be used.
    """
    if (place / MANIFEST).is_file():
        found = _of_bundle(place)
    elif place.is_dir():
        found = [_read(path) for path in sorted(place.glob(f"*{SUFFIX}"))[:MAX_FILES]]
    else:
        found = [_read(place)]
    if not found:
        hint = "build it with `skerry export build`, or measure it with `skerry export measure`"
        raise MeasureFailed(f"nothing in '{place}' was measured", hint=hint)
    names = [one.name for one in found]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise MeasureFailed(f"'{place}' has two measurements of {', '.join(twice)}")
    return tuple(found)


def parse_measured(document: object, where: str) -> Measured:
    """A measurement from JSON data; errors call it `where`.

    Raises:
        MeasureFailed: it is not one.
    """
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        said = document.get("schema") if isinstance(document, dict) else None
        what = f"{where} is no measurement of the schema {SCHEMA}"
        raise MeasureFailed(what, hint=f"it says {str(said)[:80]!r}; measure it again")
    fields = {key: value for key, value in document.items() if key != "schema"}
    try:
        return _adapter().validate_python(fields)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(str(part)[:80] for part in first["loc"])
        raise MeasureFailed(f"{where}: {key}: {first['msg']}", hint="measure it again") from None


def write_measured(document: dict[str, Any], folder: Path) -> Path:
    """Writes a measurement into `folder`, whole or not at all.

    Raises:
        OutputFailed: the folder cannot be written.
    """
    path = folder / f"{document['name']}{SUFFIX}"
    partial = path.with_suffix(f".{os.getpid()}.partial")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with partial.open("w", encoding="utf-8") as file:
            json.dump(document, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        with suppress(OSError):
            partial.unlink()
        raise OutputFailed(f"'{path}' cannot be written: {error.strerror}") from error
    return path


def _of_bundle(place: Path) -> list[Measured]:
    return [
        parse_measured({**one.evaluation, "name": one.name}, f"{place / MANIFEST}: {one.name}")
        for one in read_bundle(place).manifest.variants
        if one.evaluation is not None
    ]


def _read(path: Path) -> Measured:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise MeasureFailed(f"'{path}' is larger than {MAX_BYTES >> 20} MiB")
        document = json.loads(path.read_text("utf-8"))
    except OSError as error:
        what = f"'{path}' cannot be read: {error.strerror}"
        raise MeasureFailed(what, hint="name a bundle or a folder of measurements") from error
    except (ValueError, RecursionError):
        raise MeasureFailed(f"'{path}' is not JSON", hint="measure it again") from None
    return parse_measured(document, f"'{path}'")


@cache
def _adapter() -> TypeAdapter[Measured]:
    return TypeAdapter(Measured)
