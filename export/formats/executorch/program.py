"""Opens a .pte with ExecuTorch's Python runtime, with the kernels that quantized programs need."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from skerry.export.errors import OutputFailed
from skerry.export.formats.needs import extra

TO_RUN = extra("executorch", "torch", "executorch", packages=("executorch",))
_KERNELS = ("executorch.extension.llm.custom_ops.custom_ops", "executorch.kernels.quantized")


def open_program(file: Path) -> Callable[..., Any]:
    """The program's `forward`, from tensors to its first result.

    Raises:
        OutputFailed: the runtime does not take the file.
    """
    for module in _KERNELS:  # each registers operators, and must come before the program
        importlib.import_module(module)
    from executorch.runtime import Runtime

    try:
        program = Runtime.get().load_program(file.read_bytes())
        method = program.load_method("forward")
    except Exception as error:  # the runtime raises RuntimeError and others of its own
        raise OutputFailed(f"'{file}' cannot be loaded: {error}", hint="export again") from error

    return partial(_forward, program, method)


def _forward(_program: Any, method: Any, *inputs: Any) -> Any:
    """A method outlives its program only until it is called: both are held on to."""
    return method.execute(list(inputs))[0]
