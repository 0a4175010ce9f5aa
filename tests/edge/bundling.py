"""Bundles of the installed parts, with some of them changed."""

from __future__ import annotations

import io
import json
import struct
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from skerry.bundles import (
    Bundle,
    File,
    Kind,
    Manifest,
    Model,
    Role,
    Shape,
    Source,
    Step,
    Tokenizer,
    Tool,
    Variant,
    describe,
    write_bundle,
)
from skerry.device_profiles import Format
from skerry.edge.cli.export_parts import Own, _folders
from skerry.edge.policy.load import DEFAULTS
from skerry.guardrails.weights import sealed

GGUF = "variants/gguf-q4_1/model.gguf"
ENCODER = "parts/encoder/minilm-l6-int8/encoder.json"
ROUTER = "parts/router/router/router.npz"
GROUNDED = "parts/prompt/grounded.txt"
DEFAULT_POLICY = "parts/policy/default.toml"
SAFETY = "parts/guardrails/safety/safety.json"
INJECTION = "parts/guardrails/injection/injection.json"
NAMES = "parts/guardrails/names/names.json"

Content = bytes | Path | None
Changes = Mapping[str, Content]
SHAPE = Shape(
    parameters=134_515_008, kv_values=11_520, embedding=576, feed_forward=1536,
    vocabulary=49_152, context_tokens=8192,
)  # fmt: skip


def make(
    out: Path, changes: Changes | None = None, *, tokenizer: Tokenizer | None = None
) -> Bundle:
    """A bundle of every installed part; `changes` puts other content at a path, or (None) none."""
    sources: dict[str, Content] = {part.path: part.source for part in _folders(Own())}
    sources |= {DEFAULT_POLICY: DEFAULTS, GROUNDED: b"Answer from the sources.", GGUF: b"GGUF"}
    sources |= changes or {}
    kept = {path: content for path, content in sources.items() if content is not None}
    files = tuple(describe(kept[path], path, _role(path)) for path in sorted(kept))
    return write_bundle(_manifest(files, tokenizer), kept, out)


def _role(path: str) -> Role:
    return Role.VARIANT if path.startswith("variants/") else Role(path.split("/")[1])


def _manifest(files: tuple[File, ...], tokenizer: Tokenizer | None) -> Manifest:
    return Manifest(
        schema="skerry.bundle/2",
        name="small",
        models=(
            Model(
                name="smollm2", kind=Kind.LLM, architecture="llama", licence="Apache-2.0",
                source=Source(name="x.gguf", format="gguf", sha256="0" * 64, size=1), shape=SHAPE,
                tokenizer=tokenizer,
            ),
        ),
        variants=(
            Variant(
                name="gguf-q4_1", model="smollm2", format=Format.GGUF, precision="q4_1",
                files=(GGUF,), made_by=(Step(tool="hand", version="1", did="copied"),),
            ),
        ),
        files=files,
        tools=(Tool(name="hand", version="1"),),
    )  # fmt: skip


def installed(path: str) -> Path:
    """The installed file of a part, by its path in a bundle."""
    found = {part.path: part.source for part in _folders(Own())}[path]
    assert isinstance(found, Path)
    return found


def resealed(path: str, change: Callable[[dict[str, Any]], object]) -> bytes:
    """The installed manifest of a network or encoder, changed and sealed again."""
    document = json.loads(installed(path).read_text())
    change(document)
    return json.dumps(sealed(document)).encode()


def router_of(encoder: str) -> bytes:
    """The installed router, as if it had been trained on another encoder."""
    with np.load(installed(ROUTER), allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    made = io.BytesIO()
    np.savez(made, **{**arrays, "encoder": np.array(encoder)})
    return made.getvalue()


def gguf_of(tokens: list[str], **more: str) -> bytes:
    """A GGUF file without tensors, with these tokens and these further keys."""
    texts = b"".join(map(_string, tokens))
    keys = [_string("tokenizer.ggml.tokens") + struct.pack("<IIQ", 9, 8, len(tokens)) + texts]
    keys += [_string(name) + struct.pack("<I", 8) + _string(text) for name, text in more.items()]
    return b"GGUF" + struct.pack("<IQQ", 3, 0, len(keys)) + b"".join(keys)


def _string(text: str) -> bytes:
    return struct.pack("<Q", len(text.encode())) + text.encode()
