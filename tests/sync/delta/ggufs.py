"""Small GGUF files, made without a library: random blocks of any type, and changed ones."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from skerry.bundles.gguf.ggml import TYPES_BY_NAME
from skerry.sync.delta.layouts import LAYOUTS

_ALIGNED = 32


@dataclass(frozen=True, slots=True)
class Tensor:
    """`data` of `values` values of the ggml type `kind`."""

    name: str
    kind: str
    values: int
    data: bytes


def write_gguf(path: Path, tensors: list[Tensor], *, words: int = 200, name: str = "tiny") -> Path:
    """A GGUF file with a vocabulary of `words` words."""
    head = b"".join([
        b"GGUF", struct.pack("<IQQ", 3, len(tensors), 2),
        _text("general.name"), struct.pack("<I", 8), _text(name),
        _text("tokenizer.ggml.tokens"), struct.pack("<IIQ", 9, 8, words),
        *(_text(f"word{number}") for number in range(words)),
    ])  # fmt: skip
    rows, at = b"", 0
    for one in tensors:
        kind = TYPES_BY_NAME[one.kind].number
        rows += _text(one.name) + struct.pack("<IQIQ", 1, one.values, kind, at)
        at += -(-len(one.data) // _ALIGNED) * _ALIGNED
    body = b"".join(_padded(one.data) for one in tensors)
    path.write_bytes(_padded(head + rows) + body)
    return path


def blocks(kind: str, count: int, seed: int = 0) -> bytes:
    """Random blocks, with scales as models have them."""
    drawn = np.random.default_rng(seed)
    if kind not in LAYOUTS:
        width = TYPES_BY_NAME[kind].bytes
        if kind in ("f32", "f16"):
            return drawn.normal(0, 0.02, count).astype(f"<f{width}").tobytes()
        return drawn.integers(0, 256, count * width).astype(np.uint8).tobytes()
    layout = LAYOUTS[kind]
    parts = layout.split(drawn.integers(0, 256, (count, layout.bytes)).astype(np.uint8))
    parts.words = [_scales(drawn, count) for _ in parts.words]
    return layout.join(parts).tobytes()


def changed(kind: str, data: bytes, seed: int = 1) -> bytes:
    """The blocks with a twentieth of their codes one higher and scales a little larger."""
    drawn = np.random.default_rng(seed)
    if kind not in LAYOUTS:
        values = np.frombuffer(data, np.uint8).copy()
        values[drawn.random(len(values)) < 0.05] ^= 1
        return values.tobytes()
    layout = LAYOUTS[kind]
    parts = layout.split(np.frombuffer(data, np.uint8).reshape(-1, layout.bytes))
    parts.units = parts.units ^ (drawn.random(parts.units.shape) < 0.05).astype(np.uint8)
    parts.words = [word + drawn.integers(0, 3, len(word)).astype(np.uint16) for word in parts.words]
    return layout.join(parts).tobytes()


def model(path: Path, kind: str, *, seed: int = 0, moved: int | None = None, blocks_each: int = 300,
          words: int = 200, name: str = "tiny") -> Path:  # fmt: skip
    """Three tensors of one type and three of f32; `moved` is the seed of a change."""
    tensors, block = [], TYPES_BY_NAME[kind].block
    for number in range(3):
        data = blocks(kind, blocks_each, seed + number)
        data = data if moved is None else changed(kind, data, moved + number)
        tensors.append(Tensor(f"blk.{number}.weight", kind, blocks_each * block, data))
        tensors.append(Tensor(f"blk.{number}.norm", "f32", 64, blocks("f32", 64, seed + number)))
    return write_gguf(path, tensors, words=words, name=name)


def _scales(drawn: np.random.Generator, count: int) -> NDArray[np.uint16]:
    return drawn.normal(0.01, 0.002, count).astype(np.float16).view(np.uint16)


def _text(text: str) -> bytes:
    return struct.pack("<Q", len(text)) + text.encode()


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % _ALIGNED)
