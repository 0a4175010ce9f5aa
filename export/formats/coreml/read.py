"""Reads a package's program into plain data, with coremltools' protobuf and blob reader.

Compressed weights are widened when the program is read, once.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from skerry.export.errors import OutputFailed, Unsupported
from skerry.export.formats.coreml.mil import Operation, Program, Result
from skerry.export.formats.coreml.ops import OPERATIONS

_NUMPY: Mapping[str, Any] = {
    "FLOAT16": np.float16, "FLOAT32": np.float32, "BOOL": np.bool_,
    "INT8": np.int8, "INT16": np.int16, "INT32": np.int32, "INT64": np.int64, "INT4": np.int8,
    "UINT8": np.uint8, "UINT16": np.uint16, "UINT32": np.uint32, "UINT6": np.uint8,
    "UINT4": np.uint8, "UINT3": np.uint8, "UINT2": np.uint8, "UINT1": np.uint8,
}  # fmt: skip
_READ = {"FLOAT32": "float", "FLOAT16": "fp16"}
_CONSTEXPR = "constexpr_"


def read_package(package: Path) -> Program:
    """The program of a `.mlpackage`.

    Raises:
        OutputFailed: it is damaged.
        Unsupported: it is no program, or has more than one block.
    """
    import coremltools as ct

    try:
        spec = ct.utils.load_spec(str(package))
    except Exception as error:  # coremltools raises what protobuf and the system raise
        raise OutputFailed(f"'{package}' cannot be read: {error}", hint="export again") from error
    if spec.WhichOneof("Type") != "mlProgram":
        raise Unsupported(f"'{package}' is no MIL program", hint="export for iOS 18")
    function = spec.mlProgram.functions["main"]
    block = function.block_specializations[function.opset]
    return _Reader(package, spec.description).program(function, block)


class _Reader:
    def __init__(self, package: Path, description: Any) -> None:
        self._description = description
        self._weights = package / "Data" / "com.apple.CoreML" / "weights"
        self._blobs: dict[str, Any] = {}
        self._constants: dict[str, Any] = {}

    def program(self, function: Any, block: Any) -> Program:
        operations = []
        for operation in block.operations:
            if operation.type == "const":
                self._constants[operation.outputs[0].name] = self._value(
                    operation.attributes["val"]
                )
            elif operation.type.startswith(_CONSTEXPR) and operation.type in OPERATIONS:
                self._widen(operation)
            else:
                operations.append(self._operation(operation))
        states = {
            state.name: tuple(state.type.stateType.arrayType.shape)
            for state in self._description.state
        }
        inputs = tuple(one.name for one in function.inputs if one.name not in states)
        outputs = tuple(block.outputs)
        return Program(inputs, outputs, tuple(operations), self._constants, states)

    def _operation(self, operation: Any) -> Operation:
        given = {name: self._given(bound) for name, bound in operation.inputs.items()}
        results = tuple(Result(one.name, _dtype(one.type)) for one in operation.outputs)
        return Operation(operation.type, given, results)

    def _given(self, bound: Any) -> str | tuple[str, ...]:
        names = tuple(self._name(argument) for argument in bound.arguments)
        return names[0] if len(names) == 1 else names

    def _name(self, argument: Any) -> str:
        if argument.WhichOneof("binding") == "name":
            return str(argument.name)
        name = f"in place {len(self._constants)}"
        self._constants[name] = self._value(argument.value)
        return name

    def _widen(self, operation: Any) -> None:
        given = {name: self._constants_of(bound) for name, bound in operation.inputs.items()}
        self._constants[operation.outputs[0].name] = OPERATIONS[operation.type](**given)

    def _constants_of(self, bound: Any) -> Any:
        return self._constants[str(self._given(bound))]

    def _value(self, value: Any) -> Any:
        kind, shape = _kind(value.type), _shape(value.type)
        if value.WhichOneof("value") == "blobFileValue":
            return self._blob(value.blobFileValue, kind).reshape(shape)
        tensor = value.immediateValue.tensor
        held = tensor.WhichOneof("value")
        if held is None:
            return np.zeros(shape, _NUMPY.get(kind, np.float32))
        values = getattr(tensor, held).values
        if kind == "STRING":
            return values[0]
        made = np.frombuffer(values, _NUMPY[kind]) if held == "bytes" else np.array(values)
        made = made.astype(_NUMPY[kind]).reshape(shape)
        return made if shape else made[()]

    def _blob(self, value: Any, kind: str) -> Any:
        from coremltools.libmilstoragepython import _BlobStorageReader

        name = Path(value.fileName).name
        if name not in self._blobs:
            self._blobs[name] = _BlobStorageReader(str(self._weights / name))
        read = getattr(self._blobs[name], f"read_{_READ.get(kind, kind.lower())}_data")
        data = np.asarray(read(value.offset))
        return data.view(np.float16) if kind == "FLOAT16" else data.astype(_NUMPY[kind])


def _kind(type_: Any) -> str:
    from coremltools.proto.MIL_pb2 import DataType

    return str(DataType.Name(type_.tensorType.dataType))


def _shape(type_: Any) -> tuple[int, ...]:
    return tuple(one.constant.size for one in type_.tensorType.dimensions)


def _dtype(type_: Any) -> np.dtype[Any] | None:
    found = _NUMPY.get(_kind(type_)) if type_.WhichOneof("type") == "tensorType" else None
    return None if found is None else np.dtype(found)
