"""The interpreter of MIL programs, on programs made here. Needs no coremltools."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from skerry.export.errors import Unsupported
from skerry.export.formats.coreml.mil import Interpreter, Operation, Program, Result, unknown
from skerry.export.formats.coreml.ops import OPERATIONS, blockwise, erf, lut

F16 = np.dtype(np.float16)


def operation(kind: str, name: str, dtype: Any = F16, **given: str | tuple[str, ...]) -> Operation:
    return Operation(kind, given, (Result(name, dtype),))


def program(*operations: Operation, **constants: Any) -> Program:
    return Program(("x",), (operations[-1].results[0].name,), operations, constants)


def test_a_layer() -> None:
    weight = np.arange(6, dtype=np.float16).reshape(2, 3)
    made = Interpreter(
        program(
            operation("linear", "h", x="x", weight="w", bias="b"),
            operation("softmax", "y", x="h", axis="axis"),
            w=weight,
            b=np.array([0.5, 0], np.float16),
            axis=np.int32(-1),
        )
    ).run(x=np.array([[0.1, 0, 0.05]], np.float16))
    expected = np.exp([0.6, 0.55])
    assert made["y"].dtype == F16
    assert np.allclose(made["y"], expected / expected.sum(), atol=1e-3)


def test_float16_overflows_where_the_program_says_so() -> None:
    double = operation("add", "y", x="x", y="x")
    made = Interpreter(program(double)).run(x=np.array([60000], np.float16))
    assert np.isinf(made["y"]).all()
    wide = operation("add", "y", np.dtype(np.float32), x="x", y="x")
    assert Interpreter(program(wide)).run(x=np.array([60000], np.float16))["y"] == 120000


def test_a_state_is_kept_until_it_is_reset() -> None:
    counting = Program(
        ("x",),
        ("now",),
        (
            operation("read_state", "before", input="s"),
            operation("add", "now", x="before", y="x"),
            operation("coreml_update_state", "after", state="s", value="now"),
        ),
        {},
        {"s": (1,)},
    )
    interpreter = Interpreter(counting)
    one = np.ones(1, np.float16)
    assert [float(interpreter.run(x=one)["now"][0]) for _ in range(3)] == [1, 2, 3]
    interpreter.reset()
    assert interpreter.run(x=one)["now"] == 1


def test_operations_that_are_not_known_are_all_named() -> None:
    odd = program(operation("conv", "h", x="x"), operation("topk", "y", x="h"))
    assert unknown(odd) == ("conv", "topk")
    with pytest.raises(Unsupported, match="conv, topk") as caught:
        Interpreter(odd)
    assert "macOS" in caught.value.hint


def test_an_input_that_is_missing_is_named() -> None:
    with pytest.raises(Unsupported, match="x"):
        Interpreter(program(operation("identity", "y", x="x"))).run(z=np.zeros(1))


def test_erf() -> None:
    points = np.linspace(-5, 5, 201)
    assert np.allclose(erf(points), [math.erf(point) for point in points], atol=2e-7)


X = np.arange(24, dtype=np.float32).reshape(2, 3, 4)


@pytest.mark.parametrize(
    ("kind", "given", "expected"),
    [
        ("reshape", {"x": X, "shape": np.array([0, -1])}, X.reshape(2, 12)),
        ("transpose", {"x": X, "perm": np.array([0, -1, -2])}, X.swapaxes(1, 2)),
        ("gather", {"x": X, "indices": np.array([2, 0]), "axis": 1}, X[:, [2, 0]]),
        ("expand_dims", {"x": X, "axes": np.array([1, -1])}, X[:, None, ..., None]),
        ("squeeze", {"x": X[:1], "axes": np.array([0])}, X[0]),
        ("concat", {"values": (X, X), "axis": -1}, np.concatenate([X, X], -1)),
        ("tile", {"x": X, "reps": np.array([1, 1, 2])}, np.concatenate([X, X], -1)),
        ("reduce_mean", {"x": X, "axes": np.array([-1]), "keep_dims": True}, X.mean(-1)[..., None]),
        ("reduce_l2_norm", {"x": X, "axes": np.array([2])}, np.linalg.norm(X, axis=2)),
        ("select", {"cond": X > 3, "a": X, "b": -X}, np.where(X > 3, X, -X)),
        ("clip", {"x": X, "alpha": 2.0, "beta": 5.0}, X.clip(2, 5)),
        ("silu", {"x": X}, X / (1 + np.exp(-X))),
        ("rsqrt", {"x": X + 1}, 1 / np.sqrt(X + 1)),
        ("matmul", {"x": X, "y": X, "transpose_y": True}, X @ X.swapaxes(1, 2)),
        ("cast", {"x": X, "dtype": "int32"}, X.astype(np.int32)),
        ("gelu", {"x": np.float32([0.5]), "mode": "TANH_APPROXIMATION"}, np.float32([0.345714])),
        ("gelu", {"x": np.float32([0.5]), "mode": "EXACT"}, np.float32([0.345731])),
        (
            "slice_by_index",
            {
                "x": X, "begin": np.array([0, 1, 0]), "end": np.array([0, 3, 0]),
                "begin_mask": np.array([True, False, True]),
                "end_mask": np.array([True, False, True]),
            },
            X[:, 1:3],
        ),
        (
            "slice_by_index",
            {
                "x": X, "begin": np.array([1, 0, 0]), "end": np.array([0, 3, 4]),
                "squeeze_mask": np.array([True, False, False]), "stride": np.array([1, 2, 1]),
            },
            X[1, 0:3:2],
        ),
    ],
)  # fmt: skip
def test_operations(kind: str, given: dict[str, Any], expected: np.ndarray) -> None:
    made = OPERATIONS[kind](**given)
    assert made.shape == expected.shape
    assert np.allclose(made, expected, rtol=1e-5)


def test_split() -> None:
    first, second = OPERATIONS["split"](x=X, axis=2, num_splits=2)
    assert np.array_equal(first, X[..., :2])
    assert np.array_equal(second, X[..., 2:])
    sizes = OPERATIONS["split"](x=X, axis=2, split_sizes=np.array([1, 3]))
    assert [part.shape[2] for part in sizes] == [1, 3]


def test_compressed_weights_are_widened() -> None:
    codes = np.array([[1, 2, 3, 4], [-1, -2, -3, -4]], np.int8)
    for_channels = blockwise(codes, np.array([[2.0], [0.5]], np.float16))
    assert np.array_equal(for_channels, [[2, 4, 6, 8], [-0.5, -1, -1.5, -2]])
    for_blocks = blockwise(codes, np.array([[1, 10], [1, 1]], np.float16))
    assert np.array_equal(for_blocks[0], [1, 2, 30, 40])
    moved = blockwise(codes, np.ones((1, 1), np.float16), np.ones((1, 1), np.int8))
    assert np.array_equal(moved, codes - 1)


def test_palettes_are_looked_up() -> None:
    indices = np.array([[0, 1], [1, 1]], np.uint8)
    palettes = np.array([[[[7], [8]]], [[[1], [2]]]], np.float16)
    assert np.array_equal(lut(indices, palettes), [[7, 8], [2, 2]])
