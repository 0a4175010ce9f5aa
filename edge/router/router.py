"""The router: what kind of request it is, from its vector and its form.

Pure arithmetic over weights that `skerry.edge.router.train` made; where a request goes is
`edge/policy`'s business.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from skerry.edge.errors import InputError, ModelInvalid, ModelNotFound
from skerry.edge.router.features import NAMES, text_features
from skerry.edge.router.heads import Array, Dense, sigmoid, softmax
from skerry.edge.types import Classification, RequestClass

DEFAULT_WEIGHTS = Path(__file__).parent / "weights" / "router.npz"
CLASSES: tuple[RequestClass, ...] = tuple(RequestClass)

# Chosen on development data: the validation part of CLINC150, and half of our held-out phrases.
_KNOWN_INTENT = 7.0
_KNOWN_WEIGHT = 2.0
_FAMILIAR = (-4.0, 2.0)
# What numpy, zipfile and zlib raise for a file that is damaged or of another kind.
_UNREADABLE = (
    OSError, ValueError, EOFError, TypeError, RuntimeError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip
_FETCH = "See `skerry bundle verify`; fetch the bundle again."
_REINSTALL = "Reinstall skerry, or train it again with `python -m skerry.edge.router.train`."


@dataclass(frozen=True, slots=True)
class Router:
    """Heads on one sentence vector. Thread-safe.

    `encoder_id` is the encoder that the heads were trained on; vectors of another one give
    nonsense without an error, so compare it with `TextEncoder.id`.
    """

    encoder_id: str
    dimensions: int
    _kind: Dense
    _temperature: float
    _intents: Dense
    _familiar: Dense
    _scope: Dense
    _complexity: Dense
    _reasoning: Dense

    @classmethod
    def load(cls, path: Path | None = None, *, sha256: str | None = None) -> Router:
        """The router in the file `path`, or the one that comes with the package.

        `sha256` is the digest of the file, where a bundle says it.

        Raises:
            ModelNotFound: there is no such file.
            ModelInvalid: it is not a router's weights, or those of other classes or features.
        """
        path = DEFAULT_WEIGHTS if path is None else path
        return cls.from_arrays(_read(path, sha256), str(path))

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray], name: str) -> Router:
        """The router whose weights are `arrays`; `name` is what an error calls them."""
        try:
            _check(arrays, name)
            router = cls(
                encoder_id=str(arrays["encoder"]),
                dimensions=len(arrays["intents/weight0"]),
                _kind=_dense(arrays, "kind"),
                _temperature=float(arrays["temperature"]),
                _intents=_dense(arrays, "intents"),
                _familiar=_dense(arrays, "familiar"),
                _scope=_dense(arrays, "scope"),
                _complexity=_dense(arrays, "complexity"),
                _reasoning=_dense(arrays, "reasoning"),
            )
            router.classify(np.zeros(router.dimensions, np.float32), "")  # do the shapes fit?
        except (KeyError, ValueError, TypeError, IndexError) as error:
            what = f"'{name}' does not hold a router's weights: {error}"
            raise ModelInvalid(what, hint=_REINSTALL) from error
        return router

    def classify(self, vector: Array, text: str) -> Classification:
        """The opinion of one request.

        Args:
            vector: its unit vector by the encoder, float32 [dimensions].
            text: the request itself.

        Raises:
            InputError: the vector has another shape or is not finite.
        """
        self._check_vector(vector)
        inputs = np.concatenate([vector, text_features(text)])
        scores = softmax(self._kind(inputs) / self._temperature)
        best = int(scores.argmax())
        return Classification(
            request_class=CLASSES[best],
            confidence=float(scores[best]),
            complexity=_probability(self._complexity, inputs),
            reasoning=_probability(self._reasoning, inputs),
            in_scope=_probability(self._scope, self._scope_evidence(vector, inputs)),
            scores={name: float(score) for name, score in zip(CLASSES, scores, strict=True)},
        )

    def _scope_evidence(self, vector: Array, inputs: Array) -> Array:
        return scope_evidence(self._intents(vector), self._familiar(inputs))

    def _check_vector(self, vector: Array) -> None:
        if vector.shape != (self.dimensions,):
            raise InputError(f"the router takes a vector [{self.dimensions}], not {vector.shape}")
        if not np.isfinite(vector).all():
            raise InputError("the router was given a vector that is not finite")


def scope_evidence(intents: Array, familiar: Array) -> Array:
    """How much a request is in scope: because its intent is known, or it looks familiar.

    The log of the summed exponentials of all logits tells a known intent from an unknown one
    better than the largest probability does (Liu et al. 2020, arXiv:2010.03759). Below a
    threshold it says nothing, and beyond its bounds the familiar look adds nothing.

    Args:
        intents: logits of the known intents, [..., intents].
        familiar: the logit of the familiar look, [..., 1].

    Returns:
        One score, [..., 2]: the part up to what a familiar look alone can reach, and the rest.
    """
    best = intents.max(axis=-1, keepdims=True)
    energy = np.log(np.exp(intents - best).sum(axis=-1, keepdims=True)) + best
    known = _KNOWN_WEIGHT * np.maximum(energy - _KNOWN_INTENT, 0)
    score = known + np.clip(familiar, *_FAMILIAR)
    split: Array = np.concatenate([score.clip(max=_FAMILIAR[1]), score - _FAMILIAR[1]], axis=-1)
    split[..., 1] = split[..., 1].clip(min=0)
    return split


def _probability(head: Dense, inputs: Array) -> float:
    return float(sigmoid(head(inputs))[0])


def _read(path: Path, sha256: str | None) -> dict[str, np.ndarray]:
    try:
        content = path.read_bytes()
        if sha256 is not None and hashlib.sha256(content).hexdigest() != sha256:
            what = f"the router's weights '{path}' were changed: their digest is not the bundle's"
            raise ModelInvalid(what, hint=_FETCH)
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except FileNotFoundError as error:
        raise ModelNotFound(
            f"the router's weights '{path}' are missing", hint=_REINSTALL
        ) from error
    except _UNREADABLE as error:
        what = f"the router's weights '{path}' cannot be read: {error}"
        raise ModelInvalid(what, hint=_REINSTALL) from error


def _check(arrays: Mapping[str, np.ndarray], name: str) -> None:
    known = ([str(c) for c in arrays["classes"]], [str(f) for f in arrays["features"]])
    if known != (list(CLASSES), list(NAMES)):
        what = f"'{name}' was trained for other classes or features than this version has"
        raise ModelInvalid(what, hint=_REINSTALL)


def _dense(arrays: Mapping[str, np.ndarray], name: str) -> Dense:
    layers = sum(key.startswith(f"{name}/weight") for key in arrays)
    weights = [arrays[f"{name}/weight{i}"].astype(np.float32) for i in range(layers)]
    biases = [arrays[f"{name}/bias{i}"].astype(np.float32) for i in range(layers)]
    for weight, bias in zip(weights, biases, strict=True):
        if weight.ndim != 2 or bias.shape != weight.shape[1:]:
            raise ValueError(f"a layer of '{name}' is {weight.shape} with {bias.shape}")
    return Dense(tuple(weights), tuple(biases))
