"""A tree of drafted tokens, as it is sent and as it is verified."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

ROOT = -1
"""The parent of a node that continues what is verified."""


@dataclass(frozen=True, slots=True)
class Tree:
    """Node `i` is `tokens[i]` after node `parents[i]`, which comes before it, or after `ROOT`.

    No node has two children with one token.
    """

    tokens: tuple[int, ...] = ()
    parents: tuple[int, ...] = ()
    _children: dict[tuple[int, int], int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        pairs = zip(self.parents, self.tokens, strict=True)
        children = {pair: i for i, pair in enumerate(pairs)}
        object.__setattr__(self, "_children", children)

    def __len__(self) -> int:
        return len(self.tokens)

    def child(self, node: int, token: int) -> int | None:
        """The node that continues `node` with `token`, if it was drafted."""
        return self._children.get((node, token))

    @property
    def is_chain(self) -> bool:
        return all(parent == i - 1 for i, parent in enumerate(self.parents))

    def depths(self) -> list[int]:
        """[nodes]: 0 for those that continue what is verified."""
        found: list[int] = []
        for parent in self.parents:
            found.append(0 if parent == ROOT else found[parent] + 1)
        return found


def chain(tokens: Sequence[int]) -> Tree:
    """A tree with one branch."""
    return Tree(tuple(tokens), tuple(range(-1, len(tokens) - 1)))
