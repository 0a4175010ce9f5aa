"""A sum of small decision trees, as gradient boosting makes them (Friedman 2001). Plain data."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

LEAF = -1


@dataclass(frozen=True, slots=True)
class Tree:
    """Nodes in arrays, the root first, children after their parent.

    Node i asks whether `feature[i]` is at most `threshold[i]` and goes `left[i]`, else `right[i]`;
    where `left[i]` is LEAF, the tree says `value[i]`.
    """

    feature: Sequence[int]
    threshold: Sequence[float]
    left: Sequence[int]
    right: Sequence[int]
    value: Sequence[float]

    @classmethod
    def of(cls, given: Mapping[str, Any], features: int) -> Self:
        """The tree in a JSON object.

        Raises:
            KeyError, TypeError, ValueError: it is none, over `features` features.
        """
        tree = cls(**{name: tuple(given[name]) for name in cls.__dataclass_fields__})
        tree._check(features)
        return tree

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def says(self, measured: Sequence[float]) -> float:
        """The value of the leaf that these features, float [features], lead to."""
        node = 0
        while self.left[node] != LEAF:
            under = measured[self.feature[node]] <= self.threshold[node]
            node = self.left[node] if under else self.right[node]
        return self.value[node]

    def _check(self, features: int) -> None:
        size = len(self.value)
        columns = (self.feature, self.threshold, self.left, self.right)
        if not size or any(len(column) != size for column in columns):
            raise ValueError("the columns of a tree have different lengths")
        if not all(map(math.isfinite, (*self.threshold, *self.value))):
            raise ValueError("a number of a tree is not finite")
        for node in range(size):
            self._check_node(node, features)

    def _check_node(self, node: int, features: int) -> None:
        left, right = self.left[node], self.right[node]
        if left == LEAF:
            return
        if not (node < left < len(self.value) and node < right < len(self.value)):
            raise ValueError("a child of a tree is not after its parent")
        if not 0 <= self.feature[node] < features:
            raise ValueError("a tree asks for a feature that there is not")
