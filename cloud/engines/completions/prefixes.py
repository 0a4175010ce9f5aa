"""A tree of drafts as a batch of prefixes, and what it comes to. Pure.

A target that continues each of `[context, context + d1, context + d1 + d2, …]` by one token has
verified the draft d1, d2, …: it holds as far as each token is what the one before was followed by.
"""

from __future__ import annotations

from collections.abc import Sequence

from skerry.cloud.engines.completions.answers import Choice
from skerry.cloud.hints.tree import ROOT, Tree


def paths(tree: Tree) -> list[list[int]]:
    """[1 + nodes]: the drafted tokens before each token that is asked for; the first has none."""
    found: list[list[int]] = [[]]
    for token, parent in zip(tree.tokens, tree.parents, strict=True):
        found.append([*found[parent + 1], token])
    return found


def shallow(tree: Tree, depth: int) -> Tree:
    """The nodes that have fewer than `depth` nodes before them."""
    kept = [node for node, deep in enumerate(tree.depths()) if deep < depth]
    if len(kept) == len(tree):
        return tree
    index = {ROOT: ROOT} | {node: i for i, node in enumerate(kept)}
    return Tree(
        tuple(tree.tokens[node] for node in kept),
        tuple(index[tree.parents[node]] for node in kept),
    )


def accepted(
    tree: Tree, choices: Sequence[Choice], ends: frozenset[int]
) -> tuple[list[Choice], int]:
    """The tokens that are verified, the last of them not drafted or an end; how many were drafted.

    `choices` [1 + nodes] are what follows the prefixes of `paths`.
    """
    node, found = ROOT, list[Choice]()
    while True:
        choice = choices[node + 1]
        found.append(choice)
        child = tree.child(node, choice.token)
        if child is None or choice.ended or choice.token in ends:
            return found, len(found) - 1
        node = child
