"""Versions of the default model for `skerry demo-fleet`: as it is, spoilt, and as if trained.

Nothing is trained here: `trained` moves the scales of every fourth layer by a fraction of a
percent, as a very short fine-tune of them does to a quantized file. `spoilt` has noise in place of
the first layers.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from skerry.bundles import (
    File,
    Kind,
    Manifest,
    Model,
    Role,
    Shape,
    Source,
    Step,
    Suiting,
    Suits,
    Tool,
    Variant,
    describe,
    write_bundle,
)
from skerry.bundles.gguf.container import TensorInfo, read_gguf
from skerry.bundles.gguf.header import GgufHeader, read_header
from skerry.device_profiles import Format, load_profiles

NAME = "assistant"
_SPOILT_LAYERS = 6
_EVERY = 4
_MB = 1 << 20

Change = Callable[[Path], None]
Bytes = NDArray[np.uint8]


def make_bundle(model: Path, out: Path, change: Change | None = None) -> Path:
    """The bundle `out` of a GGUF model, changed. Raises BundleError: it cannot be written."""
    changed = out.with_suffix(".gguf")
    shutil.copyfile(model, changed)
    if change is not None:
        change(changed)
    header = read_header(changed)
    place = f"variants/gguf-{header.quantization.lower()}/model.gguf"
    file = describe(changed, place, Role.VARIANT)
    write_bundle(_manifest(header, file), {place: changed}, out)
    changed.unlink()
    return out


def spoilt(path: Path) -> None:
    """Puts noise into the first layers."""
    noise = np.random.default_rng(1)
    for tensor in _layers(path, lambda layer: layer < _SPOILT_LAYERS):
        _write(path, tensor, noise.integers(0, 256, tensor.size_bytes, np.uint8))


def trained(path: Path) -> None:
    """Moves the scales of every fourth layer by one step of half precision, up or down."""
    draw = np.random.default_rng(2)
    for tensor in _layers(path, lambda layer: layer % _EVERY == 0):
        if tensor.kind.name.upper() in ("Q4_0", "Q4_1", "Q8_0"):
            blocks = _read(path, tensor).reshape(-1, tensor.kind.bytes)
            scales = blocks[:, :2].copy().view(np.uint16)[:, 0]
            moved = scales + draw.integers(-1, 2, len(scales)).astype(np.uint16)
            blocks[:, :2] = moved.astype("<u2").view(np.uint8).reshape(-1, 2)
            _write(path, tensor, blocks.reshape(-1))


def _layers(path: Path, wanted: Callable[[int], bool]) -> Iterator[TensorInfo]:
    for tensor in read_gguf(path).tensors:
        kind, _, rest = tensor.name.partition(".")
        number = rest.split(".", 1)[0]
        if kind == "blk" and number.isdecimal() and wanted(int(number)):
            yield tensor


def _read(path: Path, tensor: TensorInfo) -> Bytes:
    return np.fromfile(path, np.uint8, tensor.size_bytes, offset=tensor.offset)


def _write(path: Path, tensor: TensorInfo, data: Bytes) -> None:
    with path.open("r+b") as file:
        file.seek(tensor.offset)
        file.write(data.tobytes())


def _manifest(header: GgufHeader, file: File) -> Manifest:
    variant = Variant(
        name=file.path.split("/")[1],
        model=header.name or NAME,
        format=Format.GGUF,
        precision=header.quantization.lower(),
        files=(file.path,),
        made_by=(Step(tool="skerry", version="demo", did="packed it for the demo"),),
        suits=tuple(_suits(profile.name, file.size) for profile in load_profiles()),
    )
    return Manifest(
        schema="skerry.bundle/1",
        name=NAME,
        models=(_model(header, file),),
        variants=(variant,),
        files=(file,),
        tools=(Tool(name="skerry", version="demo", licence="Apache-2.0"),),
    )


def _model(header: GgufHeader, file: File) -> Model:
    return Model(
        name=header.name or NAME,
        kind=Kind.LLM,
        architecture=header.architecture,
        licence="Apache-2.0",
        source=Source(name=header.path.name, format="gguf", sha256=file.sha256, size=file.size),
        shape=Shape(
            parameters=header.parameters,
            kv_values=header.kv_values,
            embedding=header.embedding,
            feed_forward=0,
            vocabulary=header.vocabulary,
            context_tokens=header.context_tokens,
        ),
    )


def _suits(profile: str, size: int) -> Suits:
    needed = size / _MB + 300
    return Suits(
        profile=profile, fits=Suiting.YES, total_mb=needed, limit_mb=needed, tokens_per_s=None,
        why=("the demo asks nobody",),
    )  # fmt: skip
