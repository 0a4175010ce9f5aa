"""Fits the router's heads with scikit-learn, and hands them over as plain arrays."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skerry.edge.router.features import NAMES, text_features
from skerry.edge.router.heads import Array, Dense, softmax
from skerry.edge.router.router import CLASSES, scope_evidence
from skerry.edge.router.train.dataset import SCOPE_SHARES, SHARES
from skerry.edge.router.train.example import Example, balance
from skerry.edge.router.train.metrics import Encode

_VECTOR_SCALE = 6.0  # a unit vector's entries are small beside standardised features
_HIDDEN = 64
_MEMBERS = 4


def inputs_of(examples: Sequence[Example], encode: Encode) -> Array:
    """What the heads see: vector and features, float32 [examples, 384 + features]."""
    texts = [example.text for example in examples]
    features = np.array([text_features(text) for text in texts], np.float32)
    return np.concatenate([encode(texts), features.reshape(-1, len(NAMES))], axis=1)


def fit(
    training: Sequence[Example], development: Sequence[Example], encode: Encode, seed: int
) -> dict[str, NDArray[Any]]:
    """The arrays of a router, as `Router.from_arrays` takes them, without the encoder's id."""
    inputs, dev_inputs = inputs_of(training, encode), inputs_of(development, encode)
    scaling = _Scaling(inputs)
    kind = _fit_kind(training, inputs, scaling, seed)
    intents = _fit_intents(training, inputs)
    familiar = _fit_yes_no("in_scope", training, inputs, scaling, seed)
    return {
        "classes": np.array([str(name) for name in CLASSES]),
        "features": np.array(NAMES),
        "temperature": np.array(_fit_temperature(kind, development, dev_inputs), np.float32),
        **_arrays("kind", kind),
        **_arrays("intents", intents),
        **_arrays("familiar", familiar),
        **_arrays("scope", _fit_scope(intents, familiar, development, dev_inputs)),
        **_arrays("complexity", _fit_yes_no("complex", training, inputs, scaling, seed)),
        **_arrays("reasoning", _fit_yes_no("steps", training, inputs, scaling, seed)),
    }


class _Scaling:
    """Standardises inputs for fitting, and undoes it in the weights of a first layer."""

    def __init__(self, inputs: Array) -> None:
        vector = inputs.shape[1] - len(NAMES)
        features = inputs[:, vector:]
        self.mean = np.concatenate([np.zeros(vector), features.mean(axis=0)])
        self.scale = np.concatenate(
            [np.full(vector, _VECTOR_SCALE), 1 / (features.std(axis=0) + 1e-3)]
        )

    def __call__(self, inputs: Array) -> Array:
        scaled: Array = ((inputs - self.mean) * self.scale).astype(np.float32)
        return scaled

    def undone(self, weights: Sequence[Any], biases: Sequence[Any]) -> Dense:
        """Layers for raw inputs that give what the given ones give for scaled inputs."""
        first = weights[0] * self.scale[:, None]
        return _dense([first, *weights[1:]], [biases[0] - self.mean @ first, *biases[1:]])


def _fit_kind(examples: Sequence[Example], inputs: Array, scaling: _Scaling, seed: int) -> Dense:
    """The class head: the mean of a few perceptrons, side by side in one hidden layer."""
    known = [i for i, example in enumerate(examples) if example.request_class is not None]
    labels = [CLASSES.index(examples[i].request_class) for i in known]
    groups = [(str(examples[i].request_class), examples[i].source) for i in known]
    weights, scaled = balance(groups, SHARES), scaling(inputs[known])
    models = [_perceptron(_HIDDEN, alpha=0.3, rounds=14, seed=seed + i) for i in range(_MEMBERS)]
    for model in models:
        _stop_early(model, scaled, labels, weights)
    return scaling.undone(*_side_by_side(models))


def _side_by_side(models: Sequence[Any]) -> tuple[list[Any], list[Any]]:
    """Weights and biases of one network that gives the mean of the models' logits."""
    first = np.concatenate([model.coefs_[0] for model in models], axis=1)
    first_bias = np.concatenate([model.intercepts_[0] for model in models])
    last = np.concatenate([model.coefs_[1] for model in models]) / len(models)
    last_bias = np.mean([model.intercepts_[1] for model in models], axis=0)
    return [first, last], [first_bias, last_bias]


def _perceptron(hidden: int, *, alpha: float, rounds: int, seed: int) -> Any:
    from sklearn.neural_network import MLPClassifier

    return MLPClassifier(
        (hidden,), alpha=alpha, batch_size=256, max_iter=rounds, tol=0, random_state=seed
    )


def _stop_early(
    model: Any, inputs: Array, labels: Sequence[Any], weights: Sequence[float] | None = None
) -> None:
    """Fits `model` for its number of rounds; not converging is meant: it keeps heads general."""
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(inputs, labels, sample_weight=weights)


def _fit_temperature(kind: Dense, examples: Sequence[Example], inputs: Array) -> float:
    """Divides the logits so that the likelihood of the development examples is largest.

    Guo et al. 2017, arXiv:1706.04599. Classes count the same. Never below 1: requests from
    elsewhere are harder than these, so there is no reason to be surer.
    """
    known = [i for i, example in enumerate(examples) if example.request_class is not None]
    labels = np.array([CLASSES.index(examples[i].request_class) for i in known])
    groups = [(str(examples[i].request_class), examples[i].source) for i in known]
    weights = np.array(balance(groups, {"held-out": 3.0}))
    logits = kind(inputs[known])
    grid = np.geomspace(1, 5, 200)

    def loss(temperature: float) -> float:
        chosen = softmax(logits / temperature)[np.arange(len(labels)), labels]
        return float(-(weights * np.log(np.maximum(chosen, 1e-12))).sum())

    return float(min(grid, key=loss))


def _fit_intents(examples: Sequence[Example], inputs: Array) -> Dense:
    """Multinomial logistic regression over the 150 intents of CLINC150."""
    from sklearn.linear_model import LogisticRegression

    vectors = inputs[:, : -len(NAMES)]
    known = [i for i, example in enumerate(examples) if example.source == "clinc150"]
    model = LogisticRegression(max_iter=60)
    _stop_early(model, vectors[known] * _VECTOR_SCALE, [examples[i].intent for i in known])
    return _dense([model.coef_.T * _VECTOR_SCALE], [model.intercept_])


def _fit_scope(
    intents: Dense, familiar: Dense, examples: Sequence[Example], inputs: Array
) -> Dense:
    """Turns the score into a probability (Platt 1999), on development examples."""
    from sklearn.linear_model import LogisticRegression

    known = [i for i, example in enumerate(examples) if example.in_scope is not None]
    inside = [examples[i].in_scope for i in known]
    groups = [(str(examples[i].in_scope), examples[i].source) for i in known]
    evidence = scope_evidence(intents(inputs[known][:, : -len(NAMES)]), familiar(inputs[known]))
    model = LogisticRegression().fit(evidence, inside, sample_weight=balance(groups, {}))
    return _dense([model.coef_.T], [model.intercept_])


def _fit_yes_no(
    name: str, examples: Sequence[Example], inputs: Array, scaling: _Scaling, seed: int
) -> Dense:
    """A small perceptron for the attribute `name` of the examples that have it."""
    known = [i for i, example in enumerate(examples) if getattr(example, name) is not None]
    labels = [getattr(examples[i], name) for i in known]
    groups = [(str(getattr(examples[i], name)), examples[i].source) for i in known]
    shares = SCOPE_SHARES if name == "in_scope" else SHARES
    model = _perceptron(32, alpha=0.1, rounds=6, seed=seed)
    _stop_early(model, scaling(inputs[known]), labels, balance(groups, shares))
    return scaling.undone(model.coefs_, model.intercepts_)


def _arrays(name: str, head: Dense) -> dict[str, NDArray[Any]]:
    weights = {f"{name}/weight{i}": weight for i, weight in enumerate(head.weights)}
    return weights | {f"{name}/bias{i}": bias for i, bias in enumerate(head.biases)}


def _dense(weights: Sequence[Any], biases: Sequence[Any]) -> Dense:
    return Dense(
        tuple(np.asarray(weight, np.float32) for weight in weights),
        tuple(np.asarray(bias, np.float32) for bias in biases),
    )
