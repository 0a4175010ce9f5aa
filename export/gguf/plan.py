"""A plan says which type each tensor gets; a TOML file that can be read, changed and used again.

```toml
format = 1
precision = "q4_k_m"            # what the tensors that are not named get, by llama.cpp's rules

[measured]                      # how the plan was found; not read again
kl_mean_nats = 0.0123

[tensors]
"blk.0.attn_q.weight" = "q5_0"
```
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from skerry.bundles.gguf.container import Gguf
from skerry.bundles.gguf.ggml import TensorType
from skerry.export.errors import SourceRefused, Unsupported
from skerry.export.gguf.precisions import precision, tensor_type

_FORMAT = 1
_MAX_BYTES = 10_000_000
_UNWRITTEN = frozenset({"i8", "i16", "i32", "i64", "f64", "q8_1", "q8_K", "nvfp4"})
"""Types of ggml that llama.cpp does not quantize weights to."""


@dataclass(frozen=True, slots=True)
class Plan:
    """`types` by exact tensor name; `measured` are facts for a reader."""

    precision: str
    types: Mapping[str, TensorType]
    measured: Mapping[str, float] = field(default_factory=dict)

    def check(self, source: Gguf) -> None:
        """Raises Unsupported: a tensor is not in the model, or its rows do not fit the type."""
        shapes = {one.name: one.shape for one in source.tensors}
        for name, kind in self.types.items():
            if name not in shapes:
                raise Unsupported(
                    f"the plan names the tensor {name}, which the model does not have",
                    hint="the plan is of another model",
                )
            if len(shapes[name]) < 2 or shapes[name][0] % kind.block:
                raise Unsupported(
                    f"{name} of shape {list(shapes[name])} cannot be {kind.name}: its rows are no "
                    f"multiple of {kind.block}",
                    hint="give it a type with blocks of 32, such as q5_0",
                )


def save_plan(plan: Plan, path: Path) -> None:
    """Writes a plan; FileExistsError when the file exists."""
    rows = [f'"{name}" = "{kind.name}"' for name, kind in sorted(plan.types.items(), key=_order)]
    facts = [f"{key} = {value:.6g}" for key, value in plan.measured.items()]
    head = [f"format = {_FORMAT}", f'precision = "{plan.precision}"', "", "[measured]"]
    with path.open("x", encoding="utf-8") as file:
        file.write("\n".join([*head, *facts, "", "[tensors]", *rows]) + "\n")


def _order(row: tuple[str, TensorType]) -> tuple[int, str]:
    """By layer, then by name."""
    parts = row[0].split(".")
    return (int(parts[1]) if parts[0] == "blk" and parts[1].isdecimal() else -1, row[0])


def load_plan(path: Path) -> Plan:
    """Reads a plan.

    Raises:
        SourceRefused: no such file, or no plan.
        Unsupported: a precision or a type that llama.cpp does not write.
    """
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise _refused(path, "it is too large")
        raw = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise SourceRefused(f"the plan '{path}' cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise _refused(path, str(error)) from error
    if raw.get("format") != _FORMAT:
        raise _refused(path, f"format is {raw.get('format')!r}, not {_FORMAT}")
    name, rows = raw.get("precision"), raw.get("tensors")
    if not isinstance(name, str) or not isinstance(rows, dict):
        raise _refused(path, "it needs precision and [tensors]")
    return Plan(precision(name, imatrix=True).name, _types(path, rows))


def _types(path: Path, rows: Mapping[str, Any]) -> dict[str, TensorType]:
    texts = {name: kind for name, kind in rows.items() if isinstance(kind, str)}
    if len(texts) < len(rows):
        raise _refused(path, "a type is no text; put names of tensors in quotation marks")
    types = {name: tensor_type(kind) for name, kind in texts.items()}
    for name, kind in types.items():
        if kind.name in _UNWRITTEN:
            raise Unsupported(f"llama.cpp does not quantize {name} to {kind.name}")
    return types


def _refused(path: Path, what: str) -> SourceRefused:
    return SourceRefused(f"'{path}' is no plan: {what}", hint="docs/export-gguf.md shows one")
