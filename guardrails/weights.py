"""The folder of a small model, a guardrail or the encoder: a manifest, files with their digests.

What is loaded is what was checked: the bytes are read once. A manifest has a seal, a digest of all
the rest of it, thresholds too. What a model means is said where it is used.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from skerry.guardrails.errors import GuardrailError

if TYPE_CHECKING:
    from tokenizers import Tokenizer

MODEL = "model.onnx"
TOKENIZER = "tokenizer.json"
SEAL = "seal"
_TELEMETRY = "ORT_DISABLE_TELEMETRY"
_REINSTALL = "Reinstall skerry."
_FETCH = "See `skerry bundle verify`; fetch the bundle again."


def sealed(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """The manifest with the SHA-256 of all that it says, as JSON with its keys in order."""
    said = {key: value for key, value in manifest.items() if key != SEAL}
    content = json.dumps(said, sort_keys=True, separators=(",", ":"))
    return {**said, SEAL: hashlib.sha256(content.encode()).hexdigest()}


def write_manifest(path: Path, manifest: Mapping[str, Any]) -> None:
    """Writes it, sealed."""
    path.write_text(json.dumps(sealed(manifest), indent=2) + "\n", encoding="utf-8")


class Fault(Protocol):
    """Makes the error of the room whose model it is."""

    def __call__(self, what: str, *, hint: str = "") -> Exception: ...


@dataclass(frozen=True, slots=True)
class Weights:
    """The manifest's content, and where it lies. `sha256` maps a file's name to its digest.

    `fault` makes what is raised: GuardrailError unless another room says otherwise.
    """

    folder: Path
    name: str
    sha256: Mapping[str, str]
    settings: Mapping[str, Any]
    fault: Fault = GuardrailError

    hint: str = _REINSTALL

    @classmethod
    def read(
        cls,
        folder: Path,
        manifest: str,
        fault: Fault = GuardrailError,
        *,
        sha256: str | None = None,
    ) -> Weights:
        """The manifest `manifest` of the model in `folder`.

        Args:
            sha256: the manifest's own digest, where a bundle says it; None believes its seal.

        Raises:
            GuardrailError: it is missing, not a manifest, or not as it was sealed.
        """
        hint = _REINSTALL if sha256 is None else _FETCH
        content = _read(folder / manifest, fault, hint)
        if sha256 is not None and hashlib.sha256(content).hexdigest() != sha256:
            what = f"'{folder / manifest}' was changed: its digest is not the bundle's"
            raise fault(what, hint=hint)
        try:
            document = json.loads(content)
            digests = {str(name): str(one) for name, one in document["sha256"].items()}
            found = cls(folder, str(document["name"]), digests, document, fault, hint)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            what = f"'{folder / manifest}' is not a model's manifest: {error!r}"
            raise fault(what, hint=hint) from error
        if document.get(SEAL) != sealed(document)[SEAL]:
            what = f"'{folder / manifest}' was changed: its seal is not right"
            raise fault(what, hint=hint)
        return found

    def content(self, name: str) -> bytes:
        """The content of a file, which has the digest that the manifest gives.

        Raises:
            GuardrailError: the file is not named, missing, truncated or was changed.
        """
        content = _read(self.folder / name, self.fault, self.hint)
        if hashlib.sha256(content).hexdigest() != self.sha256.get(name):
            where = self.folder / name
            what = f"'{where}' is truncated or was changed: its digest is not the manifest's"
            raise self.fault(what, hint=self.hint)
        return content

    def session(self, threads: int = 1) -> Any:
        """The model on ONNX Runtime's CPU provider.

        Raises:
            GuardrailError: the file is missing or changed, or this runtime cannot run it.
        """
        os.environ[_TELEMETRY] = "1"  # before the library is first used: nothing leaves unasked
        import onnxruntime as ort
        from onnxruntime.capi import onnxruntime_pybind11_state as state

        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        content = self.content(MODEL)
        refused = (state.Fail, state.InvalidProtobuf, state.InvalidGraph, state.NotImplemented)
        try:
            return ort.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        except refused as error:
            what = f"'{self.folder / MODEL}' is no model that this ONNX Runtime can run: {error}"
            raise self.fault(what, hint="Install onnxruntime 1.22 or later.") from error

    def tokenizer(self) -> Tokenizer:
        """The tokenizer; what looks like a special token in a text is text to it.

        Raises:
            GuardrailError: the file is missing, changed, or not a tokenizer.
        """
        from tokenizers import Tokenizer

        content = self.content(TOKENIZER)
        try:
            tokenizer = Tokenizer.from_buffer(content)
        except ValueError as error:
            where = self.folder / TOKENIZER
            raise self.fault(f"'{where}' is not a tokenizer: {error}") from error
        tokenizer.encode_special_tokens = True
        return tokenizer


def _read(path: Path, fault: Fault, hint: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        what = f"the model's file '{path}' cannot be read: {error.strerror}"
        raise fault(what, hint=hint) from error
