"""How large a JSON schema may be: what is looked at before anything is built from it.

Validating a schema takes about half a millisecond for each of its objects, so that a small body
could hold the processor for minutes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from skerry.edge.errors import GrammarError

MAX_PARTS = 4000
"""Objects and lists of all schemas of one request."""

MAX_VALUES = 40_000
"""Everything in them: objects, lists, texts, numbers."""

MAX_CHOICES = 256
"""Objects and lists in one list. (Some lists must not repeat themselves: each pair is compared.)"""


def check_limits(schemas: Iterable[object]) -> None:
    """Raises GrammarError if `schemas` together are more than one request may bring."""
    values = 0
    for part, (is_list, inside) in enumerate(_insides(list(schemas))):
        values += len(inside)
        if part >= MAX_PARTS or values > MAX_VALUES:
            raise _too_large(f"{MAX_PARTS:,} objects and lists, or {MAX_VALUES:,} values")
        if is_list and sum(isinstance(one, dict | list) for one in inside) > MAX_CHOICES:
            raise _too_large(f"{MAX_CHOICES} objects in one list")


def _insides(pending: list[object]) -> Iterator[tuple[bool, list[object]]]:
    """What is directly inside each list (True) and object. A loop, as schemas may be deep."""
    while pending:
        node = pending.pop()
        if isinstance(node, dict | list):
            inside = list(node.values()) if isinstance(node, dict) else node
            yield isinstance(node, list), inside
            pending += inside


def _too_large(limit: str) -> GrammarError:
    return GrammarError(f"the JSON schema has more than {limit}", hint="ask for less at once")
