"""An encoder's folder: `encoder.json`, and the files that it names with their digests.

What is loaded is what was checked (`skerry.guardrails.weights`). Says nothing about what the bytes
mean; `minilm` does.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from skerry.edge.errors import EncoderError
from skerry.guardrails.weights import MODEL, TOKENIZER, Weights

DEFAULT_FOLDER = Path(__file__).parent / "minilm-l6-int8"
MANIFEST = "encoder.json"

_REBUILD = "Reinstall skerry, or build it again with `python -m skerry.export.encoder --out DIR`."


@dataclass(frozen=True, slots=True)
class Manifest:
    """What `encoder.json` says, and the files that it names."""

    weights: Weights
    dimensions: int
    max_tokens: int

    @property
    def id(self) -> str:
        """Name and digest of model and tokenizer: equal ids give comparable vectors."""
        parts = "".join(self.weights.sha256[name] for name in (MODEL, TOKENIZER))
        return f"{self.weights.name}@{hashlib.sha256(parts.encode()).hexdigest()[:16]}"

    def check(self) -> None:
        """Reads every file.

        Raises:
            EncoderError: one is missing, truncated or was changed.
        """
        for name in (MODEL, TOKENIZER):
            self.weights.content(name)


def read_manifest(folder: Path, *, sha256: str | None = None) -> Manifest:
    """The manifest of the encoder in `folder`; `sha256` is its digest, where a bundle says it.

    Raises:
        EncoderError: it is missing, or not a manifest.
    """
    weights = Weights.read(folder, MANIFEST, EncoderError, sha256=sha256)
    try:
        _ = weights.sha256[MODEL], weights.sha256[TOKENIZER]
        sizes = (int(weights.settings[name]) for name in ("dimensions", "max_tokens"))
        return Manifest(weights, *sizes)
    except (ValueError, KeyError, TypeError) as error:
        what = f"'{folder / MANIFEST}' is not an encoder's manifest: {error!r}"
        raise EncoderError(what, hint=_REBUILD) from error
