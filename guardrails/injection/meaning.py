"""The head on sentence vectors: how much a sentence's meaning is that of an order to the model.

The vectors are those of the runtime's encoder (all-MiniLM-L6-v2, normalised); who has it hands it
in, since one pass serves many heads.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skerry.guardrails.errors import GuardrailError
from skerry.guardrails.weights import Weights
from skerry.guardrails.wording.arrays import arrays

HEAD = "meaning.npz"
_NAMES = ("hidden", "hidden_bias", "out", "out_bias")
_MOST = 12.0

Encode = Callable[[Sequence[str]], NDArray[np.float32]]
"""Texts to their vectors, float32 [texts, 384], of length 1."""


@dataclass(frozen=True, slots=True)
class MeaningHead:
    """A layer of hidden units over a vector. hidden [384, units], out [units, 1], float32."""

    _parts: dict[str, Any] = field(repr=False)

    @classmethod
    def load(cls, weights: Weights) -> MeaningHead:
        """The head in the folder of `weights`.

        Raises:
            GuardrailError: its file is missing, was changed, or is no such head.
        """
        found = {name: one.astype(np.float32) for name, one in arrays(weights, HEAD).items()}
        if set(found) != set(_NAMES) or len(found["hidden_bias"]) != len(found["out"]):
            what = f"'{weights.folder / HEAD}' is not a head on sentence vectors"
            raise GuardrailError(what, hint="Reinstall skerry.")
        return cls(found)

    def logits(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """The logit of each vector, in [-12, 12].

        Raises:
            GuardrailError: they are vectors of another encoder.
        """
        if vectors.shape[1] != len(self._parts["hidden"]):
            what = f"the encoder's vectors have {vectors.shape[1]} dimensions, not "
            raise GuardrailError(
                f"{what}{len(self._parts['hidden'])}", hint="Use the encoder of skerry."
            )
        inner = np.maximum(vectors @ self._parts["hidden"] + self._parts["hidden_bias"], 0)
        made = (inner @ self._parts["out"] + self._parts["out_bias"])[:, 0]
        bounded: NDArray[np.float32] = np.clip(made, -_MOST, _MOST)
        return bounded
