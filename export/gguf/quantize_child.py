"""The process in which llama.cpp quantizes: reads a job as JSON, says progress as JSON lines.

Started by `quantize.py` alone. Exit code 0: the file is written.
"""

from __future__ import annotations

import ctypes
import json
import re
import sys
from pathlib import Path
from typing import Any

import llama_cpp

_INFO, _CONTINUED = 2, 5  # enum ggml_log_level (ggml.h): lines below the first are complaints
_STEP = re.compile(r"^\[ *(\d+)/ *(\d+)\]")


def _say(**fact: Any) -> None:
    sys.stdout.write(json.dumps(fact) + "\n")
    sys.stdout.flush()


@llama_cpp.llama_log_callback  # type: ignore[untyped-decorator]  # a ctypes prototype
def _on_log(level: int, text: bytes, _data: object) -> None:
    line = text.decode("utf-8", "replace")
    if found := _STEP.match(line):
        _say(done=int(found[1]), of=int(found[2]))
    elif _INFO < level < _CONTINUED and line.strip():
        _say(complaint=line.strip())


def main() -> int:
    job = json.load(sys.stdin)
    llama_cpp.llama_log_set(_on_log, ctypes.c_void_p(0))
    params, kept = _params(job)
    result: int = llama_cpp.llama_model_quantize(
        job["source"].encode(), job["out"].encode(), ctypes.byref(params)
    )
    del kept
    return result


def _params(job: dict[str, Any]) -> tuple[Any, list[Any]]:
    """The parameters, and what they point to: Python must hold that until llama.cpp is done."""
    params = llama_cpp.llama_model_quantize_default_params()
    params.ftype = job["file_type"]
    params.nthread = job["threads"]
    params.pure = job["pure"]
    params.max_buf_size = job["buffer_bytes"]
    params.allow_requantize = True
    kept: list[Any] = []
    if job["tensor_types"]:
        params.tt_overrides = _overrides(job["tensor_types"])
        kept.append(params.tt_overrides)
    if job["imatrix"]:
        params.imatrix, held = _importance(Path(job["imatrix"]))
        kept.append(held)
    return params, kept


def _overrides(rows: list[tuple[str, int]]) -> Any:
    """An array that ends with a row without a pattern."""
    array = (llama_cpp.llama_model_tensor_override * (len(rows) + 1))()
    for place, (pattern, number) in zip(array, rows, strict=False):
        place.pattern, place.type = pattern.encode(), number
    return array


def _importance(path: Path) -> tuple[Any, list[Any]]:
    """An array that ends with a row without a name."""
    from skerry.export.gguf.imatrix import load

    means = load(path).means()
    array = (llama_cpp.llama_model_imatrix_data * (len(means) + 1))()
    for place, (name, values) in zip(array, means.items(), strict=False):
        place.name, place.size = name.encode(), len(values)
        place.data = values.ctypes.data_as(ctypes.POINTER(ctypes.c_float))
    return array, [array, means]


if __name__ == "__main__":
    sys.exit(main())
