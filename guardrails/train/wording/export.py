"""Writes a head with its manifest, and chooses the levels from which it counts."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skerry.guardrails.normal import normalise
from skerry.guardrails.weights import write_manifest
from skerry.guardrails.wording.network import HEAD, Network
from skerry.guardrails.wording.table import WordTable
from skerry.guardrails.wording.words import read


def write(
    arrays: Mapping[str, NDArray[Any]], manifest: Mapping[str, Any], folder: Path, name: str
) -> None:
    """The head's arrays, and `manifest` with their digest as the file `name`."""
    folder.mkdir(parents=True, exist_ok=True)
    named: dict[str, Any] = {key: arrays[key] for key in sorted(arrays)}
    np.savez_compressed(folder / HEAD, **named)
    digest = hashlib.sha256((folder / HEAD).read_bytes()).hexdigest()
    write_manifest(folder / name, {**manifest, "sha256": {HEAD: digest}})


def together(members: Sequence[Mapping[str, NDArray[Any]]]) -> dict[str, NDArray[Any]]:
    """One head that gives the mean of the members' logits: their parts side by side.

    A head's pooled input is the most of every filter, then the mean of every filter, so that each
    member's hidden units read two parts of what is pooled.
    """
    filters = [one["filters_bias"].shape[0] for one in members]
    units = [one["hidden_bias"].shape[0] for one in members]
    hidden = np.zeros((2 * sum(filters), sum(units)), members[0]["hidden"].dtype)
    row = column = 0
    for one, wide, deep in zip(members, filters, units, strict=True):
        hidden[row : row + wide, column : column + deep] = one["hidden"][:wide]
        below = sum(filters) + row
        hidden[below : below + wide, column : column + deep] = one["hidden"][wide:]
        row, column = row + wide, column + deep
    return {
        "filters": np.concatenate([one["filters"] for one in members], axis=1),
        "filters_bias": np.concatenate([one["filters_bias"] for one in members]),
        "hidden": hidden,
        "hidden_bias": np.concatenate([one["hidden_bias"] for one in members]),
        "out": np.concatenate([one["out"] for one in members]) / len(members),
        "out_bias": np.mean([one["out_bias"] for one in members], axis=0),
    }


def network(arrays: Mapping[str, NDArray[Any]], table: WordTable) -> Network:
    """The network of arrays that were just fitted."""
    return Network(table.vectors, {key: one.astype(np.float32) for key, one in arrays.items()})


def most(made: Network, table: WordTable, texts: Sequence[str]) -> NDArray[np.float32]:
    """The greatest logit of any sentence of each text, [texts, outputs]."""
    found = [made.logits(read(normalise(one).text, table)) for one in texts]
    width = next(one.shape[1] for one in found if len(one))
    none = np.full(width, -20, np.float32)
    return np.stack([one.max(axis=0) if len(one) else none for one in found])


def level(logits: NDArray[np.floating[Any]], share: float) -> float:
    """The least logit that no more than `share` of the texts reach."""
    return float(np.quantile(logits, 1 - share, method="higher"))
