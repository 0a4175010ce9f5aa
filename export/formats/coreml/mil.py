"""A MIL program as plain data, and its interpreter in numpy. Knows no coremltools.

Slow, and exact to the type that each operation says it returns: products are of float32, and are
then rounded to float16 where the program says float16. That is what a CPU does; a neural engine
may also add up in float16.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skerry.export.errors import Unsupported
from skerry.export.formats.coreml.ops import OPERATIONS, Array

Values = MutableMapping[str, Any]
_STATES = ("read_state", "coreml_update_state")


@dataclass(frozen=True, slots=True)
class Result:
    """A tensor that an operation makes; `dtype` is None for what numpy should decide."""

    name: str
    dtype: np.dtype[Any] | None


@dataclass(frozen=True, slots=True)
class Operation:
    """`given` names a tensor, or several, for each parameter."""

    kind: str
    given: Mapping[str, str | tuple[str, ...]]
    results: tuple[Result, ...]


@dataclass(frozen=True, slots=True)
class Program:
    """`constants` are the tensors that are there before anything runs; `states` start at zero."""

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    operations: tuple[Operation, ...]
    constants: Mapping[str, Any]
    states: Mapping[str, tuple[int, ...]] = field(default_factory=dict)


def unknown(program: Program) -> tuple[str, ...]:
    """The kinds of operation that the interpreter does not know."""
    kinds = {operation.kind for operation in program.operations}
    return tuple(sorted(kinds - OPERATIONS.keys() - set(_STATES)))


class Interpreter:
    """Runs a program; keeps its states from one run to the next, until `reset`.

    Raises:
        Unsupported: it has an operation that is not known here; all of them are named.
    """

    def __init__(self, program: Program) -> None:
        missing = unknown(program)
        if missing:
            what = f"the program has operations that are not interpreted here: {', '.join(missing)}"
            raise Unsupported(what, hint="predict with it on macOS")
        self._program = program
        self._states: dict[str, NDArray[Any]] = {}
        self.reset()

    def reset(self) -> None:
        """States are zero again."""
        shapes = self._program.states
        self._states = {name: np.zeros(shape, np.float16) for name, shape in shapes.items()}

    def run(self, **inputs: Array) -> dict[str, Array]:
        """The program's outputs by name.

        Raises:
            Unsupported: an input is missing.
        """
        absent = [name for name in self._program.inputs if name not in inputs]
        if absent:
            raise Unsupported(f"the program takes {', '.join(absent)}, too")
        values: Values = {**self._program.constants, **inputs}
        for operation in self._program.operations:
            self._step(operation, values)
        return {name: values[name] for name in self._program.outputs}

    def _step(self, operation: Operation, values: Values) -> None:
        if operation.kind == "read_state":
            made: Any = self._states[str(operation.given["input"])]
        elif operation.kind == "coreml_update_state":
            made = values[str(operation.given["value"])]
            self._states[str(operation.given["state"])] = made
        else:
            given = {name: _looked_up(at, values) for name, at in operation.given.items()}
            made = OPERATIONS[operation.kind](**given)
        several = made if isinstance(made, tuple) else (made,)
        for result, value in zip(operation.results, several, strict=False):
            values[result.name] = _typed(value, result.dtype)


def _looked_up(at: str | tuple[str, ...], values: Values) -> Any:
    return values[at] if isinstance(at, str) else tuple(values[name] for name in at)


def _typed(value: Any, dtype: np.dtype[Any] | None) -> Any:
    if dtype is None or not isinstance(value, np.ndarray | np.generic) or value.dtype == dtype:
        return value
    with np.errstate(over="ignore"):  # to infinity, as float16 does
        return value.astype(dtype)
