"""Which sequences of the memory the nodes of a tree belong to. Pure."""

from __future__ import annotations

from skerry.cloud.hints.tree import ROOT, Tree


def leaves(tree: Tree) -> list[int]:
    """Nodes that nothing continues, in their order."""
    inner = set(tree.parents)
    return [node for node in range(len(tree)) if node not in inner]


def with_leaves(tree: Tree, most: int) -> Tree:
    """The tree without its branches beyond the first `most`."""
    ends = leaves(tree)
    if len(ends) <= most:
        return tree
    kept = sorted({node for leaf in ends[:most] for node in _up(tree, leaf)})
    index = {node: i for i, node in enumerate(kept)}
    return Tree(
        tuple(tree.tokens[node] for node in kept),
        tuple(index.get(tree.parents[node], ROOT) for node in kept),
    )


def owners(tree: Tree) -> list[list[int]]:
    """[nodes]: the numbers of the leaves that each node leads to, ascending."""
    found: list[list[int]] = [[] for _ in range(len(tree))]
    for number, leaf in enumerate(leaves(tree)):
        for node in _up(tree, leaf):
            found[node].append(number)
    return found


def _up(tree: Tree, node: int) -> list[int]:
    """The node and what it continues."""
    path = []
    while node != ROOT:
        path.append(node)
        node = tree.parents[node]
    return path
