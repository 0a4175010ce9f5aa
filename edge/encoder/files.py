"""An encoder's folder: `encoder.json`, and the files that it names with their digests.

Reading gives bytes whose digests were checked, so that what is loaded is what was checked.
Says nothing about what the bytes mean; `minilm` does.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from skerry.edge.errors import EncoderError

DEFAULT_FOLDER = Path(__file__).parent / "minilm-l6-int8"
MANIFEST = "encoder.json"
MODEL = "model.onnx"
TOKENIZER = "tokenizer.json"

_REINSTALL = "Reinstall skerry, or build it again with `python -m skerry.export.encoder --out DIR`."


@dataclass(frozen=True, slots=True)
class Manifest:
    """`encoder.json`: `sha256` maps a file's name to its digest in hex."""

    name: str
    dimensions: int
    max_tokens: int
    sha256: Mapping[str, str]

    @property
    def id(self) -> str:
        """Name and digest of model and tokenizer: equal ids give comparable vectors."""
        parts = "".join(self.sha256[name] for name in (MODEL, TOKENIZER))
        return f"{self.name}@{hashlib.sha256(parts.encode()).hexdigest()[:16]}"


def read_manifest(folder: Path) -> Manifest:
    """The manifest of the encoder in `folder`.

    Raises:
        EncoderError: it is missing, or not a manifest.
    """
    content = _read(folder / MANIFEST)
    try:
        document = json.loads(content)
        return Manifest(
            name=str(document["name"]),
            dimensions=int(document["dimensions"]),
            max_tokens=int(document["max_tokens"]),
            sha256={name: str(document["sha256"][name]) for name in (MODEL, TOKENIZER)},
        )
    except (ValueError, KeyError, TypeError) as error:
        what = f"'{folder / MANIFEST}' is not an encoder's manifest: {error!r}"
        raise EncoderError(what, hint=_REINSTALL) from error


def read_verified(folder: Path, manifest: Manifest, name: str) -> bytes:
    """The content of the file `name`, which has the digest that the manifest gives.

    Raises:
        EncoderError: the file is missing, truncated or was changed.
    """
    content = _read(folder / name)
    if hashlib.sha256(content).hexdigest() != manifest.sha256[name]:
        what = f"'{folder / name}' is truncated or was changed: its digest is not the manifest's"
        raise EncoderError(what, hint=_REINSTALL)
    return content


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        what = f"the encoder's file '{path}' cannot be read: {error.strerror}"
        raise EncoderError(what, hint=_REINSTALL) from error
