"""The tool that looks things up in the documents of this device."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import StringConstraints

from skerry.edge.tools.definition import Context, tool
from skerry.edge.tools.errors import SoftFail
from skerry.guardrails.answer import Evidence
from skerry.guardrails.gate import NOT_FOUND

NAME = "look_up"
Query = Annotated[str, StringConstraints(min_length=1, max_length=10_000)]


def _passages(found: Sequence[Evidence]) -> str:
    return "\n\n".join(f"[{one.mark}] {one.context}\n{one.text}" for one in found)


@tool(name=NAME, say=_passages, understand=lambda question, now: None)  # noqa: ARG005
def look_up(query: Query, context: Context) -> list[Evidence]:
    """Look something up in the documents."""
    found = [one for one in context.search(query) if one.in_force]
    if not found:
        raise SoftFail(NOT_FOUND)
    return found
