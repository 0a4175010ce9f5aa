"""What hints are worth: a trie of drafted tokens that continues what is verified. Pure.

A hint is checked by value. One that starts behind the end must repeat what has been verified since;
what goes on from there is kept. One that starts beyond the end goes on from a node there, of the
token that it says that it follows. Where it begins otherwise than what is there, it is an
alternative, at hand when the target corrects the other. One that follows something that is not
there waits for it. A hint that is late, lost, repeated, reordered or a lie can cost time, never a
token: the output is what the target chooses, and the trie only says what it is asked to look at
together.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from skerry.cloud.hints.trace import trace
from skerry.cloud.hints.tree import ROOT, Tree

MOST_NODES = 512
"""Nodes kept of all hints of one generation."""
_MOST_WAITING = 8
"""Hints that wait for what they follow; another takes the place of the oldest."""


class Worth(StrEnum):
    """What became of a hint."""

    KEPT = "kept"
    KNOWN = "known"
    LATE = "late"
    WRONG = "wrong"
    WAITING = "waiting"
    FULL = "full"


@dataclass(slots=True, eq=False)
class _Node:
    token: int
    rank: int
    position: int
    children: dict[int, _Node] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Hint:
    """Drafted tokens; those without a parent in the tree are for the absolute `position`, after a
    token with the trace `after`."""

    position: int
    tree: Tree
    after: int


class Matcher:
    """The hints of one generation. `start` is the absolute position of its first token."""

    def __init__(self, start: int) -> None:
        self._start = start
        self._verified: list[int] = []
        self._root = _Node(-1, 0, start - 1)
        self._at: dict[int, list[_Node]] = defaultdict(list)
        """The nodes of each position."""
        self._nodes = 0
        self._offered = 0
        self._waiting: deque[Hint] = deque(maxlen=_MOST_WAITING)

    @property
    def end(self) -> int:
        """The absolute position of the next token."""
        return self._start + len(self._verified)

    def offer(self, hint: Hint) -> Worth:
        """Takes what a hint has to say about tokens that are not verified yet."""
        if not len(hint.tree):
            return Worth.KNOWN
        if hint.position > self.end:
            return self._offer_ahead(hint)
        return self._offer_here(hint)

    def is_next(self, position: int, after: int) -> bool:
        """Whether what follows a token with the trace `after` at `position` is what comes next."""
        return position == self.end and self._follows(position, after)

    def best(self, most: int) -> Tree:
        """At most `most` nodes to verify together: those that were offered first, and before each
        of them what it continues."""
        nodes = sorted(_below(self._root), key=lambda one: one[0].rank)[:most]
        index = {id(node): i for i, (node, _) in enumerate(nodes)}
        parents = (index.get(id(parent), ROOT) for _, parent in nodes)
        return Tree(tuple(node.token for node, _ in nodes), tuple(parents))

    def trunk(self, most: int) -> tuple[int, ...]:
        """At most `most` tokens to verify as a chain: at each place what was offered first."""
        tokens: list[int] = []
        node = self._root
        while node.children and len(tokens) < most:
            node = min(node.children.values(), key=lambda one: one.rank)
            tokens.append(node.token)
        return tuple(tokens)

    def advance(self, tokens: Sequence[int]) -> None:
        """Tells of tokens that the target has chosen."""
        for token in tokens:
            self._verified.append(token)
            self._root = self._root.children.get(token) or _Node(token, 0, self.end - 1)
        self._count()
        waiting = list(self._waiting)
        self._waiting.clear()
        for hint in waiting:
            self.offer(hint)

    def _count(self) -> None:
        self._at.clear()
        nodes = sorted((node for node, _ in _below(self._root)), key=lambda one: one.rank)
        for node in nodes:
            self._at[node.position].append(node)
        self._nodes = len(nodes)

    def _offer_here(self, hint: Hint) -> Worth:
        """A hint that starts at the end or behind it."""
        if hint.position < self._start or not self._follows(hint.position, hint.after):
            return Worth.WRONG
        at = ROOT
        for token in self._verified[hint.position - self._start :]:
            child = hint.tree.child(at, token)
            if child is None:
                leaf = at not in hint.tree.parents
                return Worth.LATE if leaf else Worth.WRONG
            at = child
        if at != ROOT and at not in hint.tree.parents:
            return Worth.LATE
        return self._graft(hint.tree, at, self._root)

    def _follows(self, position: int, after: int) -> bool:
        """Whether `after` is the trace of the verified token before `position`; of those of the
        prompt nothing is known."""
        before = position - self._start - 1
        return before < 0 or trace(self._verified[before]) == after

    def _offer_ahead(self, hint: Hint) -> Worth:
        """A hint that goes on from a node, or waits until it does."""
        for place in self._at.get(hint.position - 1, ()):
            if trace(place.token) == hint.after:
                return self._graft(hint.tree, ROOT, place)
        self._waiting.append(hint)
        return Worth.WAITING

    def _graft(self, tree: Tree, top: int, onto: _Node) -> Worth:
        """Puts what is below `top` of a tree under a node of the trie."""
        placed = {top: onto}
        before = self._nodes
        for i, (token, parent) in enumerate(zip(tree.tokens, tree.parents, strict=True)):
            if parent not in placed or i == top:
                continue
            node = placed[parent].children.get(token)
            if node is None:
                if self._nodes == MOST_NODES:
                    return Worth.FULL
                self._offered += 1
                above = placed[parent]
                node = _Node(token, self._offered, above.position + 1)
                above.children[token] = node
                self._at[node.position].append(node)
                self._nodes += 1
            placed[i] = node
        return Worth.KEPT if self._nodes > before else Worth.KNOWN


def _below(top: _Node) -> Iterator[tuple[_Node, _Node]]:
    """All nodes below `top`, each with its parent."""
    stack = [(child, top) for child in top.children.values()]
    while stack:
        node, parent = stack.pop()
        yield node, parent
        stack += [(child, node) for child in node.children.values()]
