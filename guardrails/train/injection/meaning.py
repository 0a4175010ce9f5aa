"""The head on sentence vectors: what MiniLM says of a sentence, as a second opinion.

Words that nobody foresaw are near others in meaning: of attacks that were written apart, this head
sees many that the convolution misses, and the other way round.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skerry.guardrails.normal import normalise
from skerry.guardrails.train.injection import texts
from skerry.guardrails.train.wording import markup, people, sources

HIDDEN = 128
_EPOCHS = 14
_DECAY = 1e-2
_BATCH = 32
_SHARES = {"clinc150": 3000, "banking77": 2500, "medquad": 2000, "medquad_answers": 1500,
           "wikipedia": 1500, "mts_dialog": 1200}  # fmt: skip

Encode = Callable[[Sequence[str]], NDArray[np.float32]]


def examples(data: Path, number: int, seed: int) -> tuple[list[str], NDArray[np.int64]]:
    """Single sentences and their labels: `number` attacks, as many of our benign, public ones."""
    draw = random.Random(f"meaning {seed}")
    bad = texts.attacks(data, number, seed + 1)
    good = texts.benign_templates(number, seed + 1)
    public = sources.training(data)
    plain: list[str] = []
    for name, share in _SHARES.items():
        found = public[name]
        whole = name in ("clinc150", "banking77", "medquad", "wikipedia")
        plain += draw.sample(found if whole else texts.sentences(found), share)
    forms = markup.wrapped(plain, number // 4, draw) + markup.programs(number // 30, draw)
    forms += people.texts(number // 5, seed)
    labels = np.repeat([1, 0], [len(bad), len(good) + len(plain) + len(forms)])
    return [*bad, *good, *plain, *forms], labels


def encoded(made: Sequence[str], encode: Encode) -> NDArray[np.float32]:
    """The vectors of texts, [texts, dimensions]."""
    plain = [normalise(one).text for one in made]
    runs = [encode(plain[at : at + _BATCH]) for at in range(0, len(plain), _BATCH)]
    return np.concatenate(runs)


def fit(vectors: NDArray[np.float32], labels: NDArray[np.int64], seed: int) -> dict[str, Any]:
    """The arrays of the head's file, `meaning.npz`."""
    from sklearn.neural_network import MLPClassifier

    model = MLPClassifier(
        (HIDDEN,), alpha=_DECAY, max_iter=_EPOCHS, random_state=seed, n_iter_no_change=_EPOCHS
    )
    model.fit(vectors, labels)
    (hidden, out), (hidden_bias, out_bias) = model.coefs_, model.intercepts_
    made = {"hidden": hidden, "hidden_bias": hidden_bias, "out": out, "out_bias": out_bias}
    return {name: one.astype(np.float16) for name, one in made.items()}
