"""The arithmetic of the router's heads: dense layers and calibration, on plain arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Dense:
    """Layers of `weights` [inputs, outputs] and `biases` [outputs], with ReLU between them."""

    weights: tuple[Array, ...]
    biases: tuple[Array, ...]

    def __call__(self, inputs: Array) -> Array:
        """[..., inputs] -> the last layer's outputs, before any softmax."""
        for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            inputs = np.maximum(inputs @ weight + bias, 0)
        outputs: Array = inputs @ self.weights[-1] + self.biases[-1]
        return outputs


def softmax(logits: Array) -> Array:
    """Probabilities along the last axis."""
    shifted = np.exp(logits - logits.max(axis=-1, keepdims=True))
    probabilities: Array = shifted / shifted.sum(axis=-1, keepdims=True)
    return probabilities


def sigmoid(logits: Array) -> Array:
    """Probabilities, elementwise; never overflows."""
    probabilities = 1 / (1 + np.exp(-np.clip(logits, -60, 60)))
    return probabilities.astype(np.float32)
