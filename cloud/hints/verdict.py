"""Which of the drafted tokens the target would have chosen itself. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from skerry.cloud.hints.choice import Row, Sampling, choose
from skerry.cloud.hints.tree import ROOT, Tree


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one forward pass gave: `tokens`, of which all but the last were drafted.

    `path` are the nodes of the tree that were accepted, first to last.
    """

    tokens: tuple[int, ...]
    path: tuple[int, ...]


def judged(
    tree: Tree,
    row_of: Callable[[int], Row],
    sampling: Sampling,
    position: int,
    *,
    generated: Sequence[int] = (),
    ends: frozenset[int] = frozenset(),
) -> Verdict:
    """Walks the tree as far as it has what the target chooses.

    `row_of(ROOT)` are the logits [vocabulary] for the absolute `position`, `row_of(node)` those
    after that node. A token of `ends` is the last one, whatever was drafted after it.
    """
    node, tokens, path = ROOT, list[int](), list[int]()
    while True:
        said = [*generated, *tokens] if sampling.penalizes else ()
        token = choose(row_of(node), sampling, position + len(tokens), said)
        tokens.append(token)
        child = tree.child(node, token)
        if child is None or token in ends:
            return Verdict(tuple(tokens), tuple(path))
        path.append(child)
        node = child
