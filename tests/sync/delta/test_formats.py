"""safetensors and ONNX: tensors are found, and anything else is bytes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from skerry.sync.delta import apply_delta, make_delta, shares
from skerry.sync.delta.places import BF16, BYTES, F16, F32, I8
from skerry.sync.delta.regions import regions


def safetensors(path: Path, tensors: dict[str, tuple[str, bytes]]) -> Path:
    head, at = {}, 0
    for name, (kind, data) in tensors.items():
        head[name] = {"dtype": kind, "shape": [len(data)], "data_offsets": [at, at + len(data)]}
        at += len(data)
    text = json.dumps(head).encode()
    body = b"".join(data for _, data in tensors.values())
    path.write_bytes(len(text).to_bytes(8, "little") + text + body)
    return path


def varint(value: int) -> bytes:
    made = bytearray()
    while value > 127:
        made.append(value & 127 | 128)
        value >>= 7
    return bytes([*made, value])


def field(number: int, data: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(data)) + data


def onnx(path: Path, tensors: dict[str, tuple[int, bytes]]) -> Path:
    """A model whose graph has only initializers; types are those of onnx.proto."""
    rows = b""
    for name, (kind, data) in tensors.items():
        numbers = b"\x08" + varint(len(data)) + b"\x10" + varint(kind)
        rows += field(5, numbers + field(8, name.encode()) + field(9, data))
    path.write_bytes(b"\x08\x08" + field(7, rows))
    return path


def moved(data: bytes, seed: int) -> bytes:
    drawn = np.random.default_rng(seed)
    values = np.frombuffer(data, "<f2").astype(np.float32)
    return (values + drawn.normal(0, 1e-5, len(values))).astype("<f2").tobytes()


def half(seed: int, count: int = 20_000) -> bytes:
    return np.random.default_rng(seed).normal(0, 0.02, count).astype("<f2").tobytes()


def int8(seed: int, scale: float = 1.0) -> bytes:
    values = np.random.default_rng(seed).normal(0, 30, 40_000)
    return np.clip(np.rint(values * scale), -128, 127).astype(np.int8).tobytes()


def size_of_delta(old: Path, new: Path, folder: Path) -> int:
    made = make_delta([old], new, folder / "delta")
    apply_delta(folder / "delta", [old], folder / "out")
    assert (folder / "out").read_bytes() == new.read_bytes()
    assert "weights" in {one.kind for one in shares(made.delta)}
    return made.size


def test_safetensors(tmp_path: Path) -> None:
    old = safetensors(tmp_path / "old", {"a": ("F16", half(1)), "b": ("U8", b"x" * 100)})
    new = safetensors(tmp_path / "new", {"a": ("F16", moved(half(1), 2)), "b": ("U8", b"x" * 100)})
    assert [one.kind for one in regions(old)] == [BYTES, F16, I8]
    assert size_of_delta(old, new, tmp_path) < 0.4 * new.stat().st_size


def test_onnx_integers_whose_scale_has_changed(tmp_path: Path) -> None:
    old = onnx(tmp_path / "old", {"w": (3, int8(1)), "s": (1, b"\0\0\x80\x3f")})
    new = onnx(tmp_path / "new", {"w": (3, int8(1, 1.05)), "s": (1, b"\0\0\x90\x3f")})
    assert [one.kind for one in regions(old) if one.kind != BYTES] == [I8, F32]
    assert size_of_delta(old, new, tmp_path) < 0.3 * new.stat().st_size


def test_bfloat16(tmp_path: Path) -> None:
    old = safetensors(tmp_path / "old", {"a": ("BF16", half(1))})
    assert regions(old)[-1].kind == BF16


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xff\xff\xff\xff\xff\xff\x7f{",
        b"\x02\0\0\0\0\0\0\0{}",
        b"\x02\0\0\0\0\0\0\0[]",
        b"\x09\0\0\0\0\0\0\0{\"a\": 1}",
        b"\x30\0\0\0\0\0\0\0"
        + b'{"a":{"dtype":"F16","shape":[1],"data_offsets":[9,1]}}'[:48],
        b"\x08\x08" + b"\x3a\xff\xff\xff\xff\x0f",
        b"\x08\x08" + field(7, field(5, b"\x4a\x05ab")),
        b"\x08" + b"\xff" * 20,
        b"\x08\x08\x07",
    ],
)  # fmt: skip
def test_what_is_not_what_it_looks_like_is_bytes(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "file").write_bytes(data)
    found = regions(tmp_path / "file")
    assert {one.kind for one in found} <= {BYTES}
    assert sum(one.length for one in found) == len(data)


def test_tensors_that_overlap_are_bytes(tmp_path: Path) -> None:
    head = json.dumps({
        name: {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]} for name in "ab"
    }).encode()  # fmt: skip
    path = tmp_path / "file"
    path.write_bytes(len(head).to_bytes(8, "little") + head + bytes(8))
    assert [one.kind for one in regions(path)] == [BYTES]
