"""Which tools, in which versions, make a variant: for the bill of materials and for the cache."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import cache
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

from skerry.bundles import Tool
from skerry.device_profiles.profile import Format
from skerry.export.exporter import Exporter

OURS = "skerry"
_OURS_LICENCE = "Apache-2.0"
_EXPORT = Path(__file__).parents[1]
_NOT_OF_EXPORTERS = frozenset(["building", "planning", "measure", "report", "evaluation"])

_PACKAGES = {
    Format.GGUF: ("llama-cpp-python", "numpy", "gguf"),
    Format.ONNX: ("onnx", "onnxruntime", "onnxruntime-genai", "torch", "transformers"),
    Format.COREML: ("coremltools", "torch", "transformers"),
    Format.EXECUTORCH: ("executorch", "torch", "torchao", "transformers"),
    Format.LITERT: ("litert-torch", "torch", "transformers"),
    Format.MLC: ("mlc-llm", "apache-tvm"),
}
"""What exporters use that do not say it themselves."""


def tools_of(exporter: Exporter) -> tuple[Tool, ...]:
    """The tools of one exporter, Skerry first; those that are not installed are left out."""
    needs = getattr(exporter, "needs", None)
    packages = getattr(needs, "packages", ()) or _PACKAGES[exporter.format]
    found = (tool_of(name) for name in packages)
    return (ours(), *(tool for tool in found if tool is not None))


def ours() -> Tool:
    return tool_of(OURS) or Tool(name=OURS, version="unknown", licence=_OURS_LICENCE)


@cache
def tool_of(package: str) -> Tool | None:
    """An installed package with its version, without the local part that names a build."""
    try:
        about = metadata(package)
    except PackageNotFoundError:
        return None
    stated = [about[key] for key in ("License-Expression", "License") if key in about]
    lines = (stated[0] if stated else "").strip().splitlines()
    line = lines[0][:200] if lines else ""
    return Tool(name=package, version=about["Version"].partition("+")[0], licence=line)


@cache
def exporting_code() -> str:
    """SHA-256 of the code of all exporters: what another version made is not taken for its own."""
    return _code(
        path
        for path in _EXPORT.rglob("*.py")
        if path.relative_to(_EXPORT).parts[0] not in _NOT_OF_EXPORTERS
    )


@cache
def measuring_code() -> str:
    """SHA-256 of the code and the texts of the measuring."""
    folder = _EXPORT / "measure"
    return _code(path for path in folder.rglob("*") if path.suffix not in (".pyc", ""))


def _code(paths: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in sorted(paths):
        digest.update(f"{path.relative_to(_EXPORT)}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()
