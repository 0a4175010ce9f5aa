"""Has llama.cpp quantize a GGUF file, in a process of its own.

llama.cpp ends its process on some bad input, and a process can be stopped in the middle: both
must leave the caller whole. The child (`quantize_child.py`) says a JSON line per tensor.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from skerry.bundles.gguf.ggml import TensorType
from skerry.export.errors import OutputFailed
from skerry.export.exporter import Progress, unheard
from skerry.export.gguf.precisions import Precision

BUFFER_BYTES = 512 << 20
"""Rows of one tensor that are in memory at once, with their float32 and result."""

_CHILD = "skerry.export.gguf.quantize_child"
_KEPT_COMPLAINTS = 4


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to quantize.

    Attributes:
        imatrix: a file that `Imatrix.save` or llama.cpp's llama-imatrix wrote.
        tensor_types: exact tensor names with the type that each gets; the others get what
            llama.cpp's rules for `precision` say, or with `pure` its main type.
        threads: 0 for all cores.
    """

    precision: Precision
    imatrix: Path | None = None
    tensor_types: Mapping[str, TensorType] = field(default_factory=dict)
    pure: bool = False
    threads: int = 0


def quantize(source: Path, out: Path, recipe: Recipe, *, progress: Progress = unheard) -> None:
    """Writes `out` from `source`, which may be quantized already.

    `out` is flushed to the disk when this returns; after an error there is no such file.

    Raises:
        OutputFailed: llama.cpp gave up; it says why.
    """
    try:
        _run(_job(source, out, recipe), recipe.precision.name, progress)
        flush(out)
    except BaseException:
        out.unlink(missing_ok=True)
        raise


def flush(path: Path) -> None:
    """Waits until the file is on the disk."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _job(source: Path, out: Path, recipe: Recipe) -> str:
    return json.dumps(
        {
            "source": str(source),
            "out": str(out),
            "file_type": recipe.precision.number,
            "imatrix": str(recipe.imatrix) if recipe.imatrix else None,
            "tensor_types": [
                (f"^{re.escape(name)}$", kind.number) for name, kind in recipe.tensor_types.items()
            ],
            "pure": recipe.pure,
            "threads": recipe.threads or os.cpu_count() or 1,
            "buffer_bytes": BUFFER_BYTES,
        }
    )


def _run(job: str, name: str, progress: Progress) -> None:
    child = subprocess.Popen(  # noqa: S603  # this interpreter, our module
        [sys.executable, "-m", _CHILD],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
    )
    assert child.stdin is not None
    assert child.stdout is not None
    with child:
        try:
            child.stdin.write(job)
            child.stdin.close()
            complaints = _listen(child.stdout, name, progress)
        except BaseException:
            child.kill()
            raise
    if child.returncode:
        raise _failed(child.returncode, complaints)


def _listen(lines: Iterable[str], name: str, progress: Progress) -> list[str]:
    """Passes progress on; gives the last complaints."""
    complaints: list[str] = []
    for line in lines:
        said = json.loads(line)
        if "complaint" in said:
            complaints = [*complaints, said["complaint"]][-_KEPT_COMPLAINTS:]
        else:
            progress(f"quantizing to {name}", said["done"] / max(said["of"], 1))
    return complaints


def _failed(code: int, complaints: list[str]) -> OutputFailed:
    how = f"was ended by signal {-code}" if code < 0 else "gave up"
    said = "; ".join(complaints) or "it gave no reason"
    full = "iostream" in said or "failbit" in said
    return OutputFailed(
        f"llama.cpp {how} while quantizing: {said}",
        hint="the disk is probably full; make room and export again" if full else "",
    )
