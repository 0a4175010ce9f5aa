"""A small bundle to try things on: real files, of no real model."""

from __future__ import annotations

from pathlib import Path

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
    Suiting,
    Suits,
    Tool,
    Variant,
    describe,
    write_bundle,
)
from skerry.device_profiles import Format

Content = dict[str, tuple[Role, bytes]]

CONTENT: Content = {
    "parts/policy/policy.toml": (Role.POLICY, b'version = "1"\n'),
    "variants/gguf-q4_0/model.gguf": (Role.VARIANT, b"GGUF" + b"4" * 4000),
    "variants/gguf-q8_0/model.gguf": (Role.VARIANT, b"GGUF" + b"8" * 8000),
    "variants/onnx-int4/genai_config.json": (Role.VARIANT, b"{}"),
    "variants/onnx-int4/model.onnx": (Role.VARIANT, b"onnx"),
}
SHAPE = Shape(
    parameters=1000,
    kv_values=2 * 2 * 64,
    embedding=64,
    feed_forward=128,
    vocabulary=300,
    context_tokens=512,
)


def suits(profile: str) -> Suits:
    return Suits(
        profile=profile,
        fits=Suiting.YES,
        total_mb=50.0,
        limit_mb=2048.0,
        tokens_per_s=None,
        why=("it fits",),
    )


def variant(name: str, content: Content, *profiles: str) -> Variant:
    kind, _, precision = name.partition("-")
    return Variant(
        name=name,
        model="tiny",
        format=Format(kind),
        precision=precision,
        files=tuple(sorted(path for path in content if path.startswith(f"variants/{name}/"))),
        made_by=(Step(tool="hand", version="1", did=f"wrote {precision}"),),
        suits=tuple(map(suits, profiles)),
        evaluation={"kl_mean": 0.25},
    )


def model(name: str = "tiny") -> Model:
    return Model(
        name=name,
        kind=Kind.LLM,
        architecture="llama",
        licence="Apache-2.0",
        source=Source(name="tiny.gguf", format="gguf", sha256="a" * 64, size=1),
        shape=SHAPE,
    )


def files_below(folder: Path, content: Content) -> tuple[tuple[File, ...], dict[str, Path]]:
    """Writes the content into `folder`; its entries in a manifest, and where each is."""
    sources = {}
    for path, (_, data) in content.items():
        sources[path] = folder / path
        sources[path].parent.mkdir(parents=True, exist_ok=True)
        sources[path].write_bytes(data)
    entries = [describe(sources[path], path, content[path][0]) for path in sorted(content)]
    return tuple(entries), sources


def manifest_of(files: tuple[File, ...], content: Content = CONTENT) -> Manifest:
    return Manifest(
        schema="skerry.bundle/1",
        name="tiny",
        models=(model(),),
        variants=(
            variant("gguf-q8_0", content, "workstation"),
            variant("gguf-q4_0", content, "phone-mid"),
            variant("onnx-int4", content),
        ),
        files=files,
        tools=(Tool(name="hand", version="1", licence="Apache-2.0"),),
    )


def make(folder: Path, out: Path, content: Content = CONTENT) -> Bundle:
    """Writes the bundle `out` from sources below `folder`."""
    files, sources = files_below(folder, content)
    return write_bundle(manifest_of(files, content), sources, out)
