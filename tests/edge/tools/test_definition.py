"""A tool is what a typed function says that it is."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Literal

import pytest
from pydantic import Field

from skerry.edge.tools import Context, Impact, Tool, ToolInvalid, tool


class Fridge(StrEnum):
    VACCINE = "vaccine"
    STAFF = "staff"


@tool
def read_fridge(
    fridge: Fridge, unit: Literal["celsius", "kelvin"] = "celsius", since: date | None = None
) -> str:
    """Tell the temperature of a fridge.

    Whatever comes after the first line is for those who read the code.
    """
    return f"{fridge} in {unit} since {since}"


def test_the_types_are_the_schema() -> None:
    assert read_fridge.name == "read_fridge"
    assert read_fridge.description == "Tell the temperature of a fridge."
    assert read_fridge.impact is Impact.READ
    schema = read_fridge.schema
    assert schema["required"] == ["fridge"]
    assert schema["additionalProperties"] is False
    assert schema["properties"]["since"]["anyOf"][0]["format"] == "date"


def test_it_can_still_be_called() -> None:
    assert read_fridge(Fridge.STAFF) == "staff in celsius since None"


def test_the_context_is_no_argument() -> None:
    @tool(name="now", impact=Impact.HIGH)
    def tell_time(context: Context) -> str:
        """Tell the time."""
        return str(context.now)

    assert tell_time.schema["properties"] == {}
    assert tell_time.context == "context"


def untyped(fridge) -> str:  # type: ignore[no-untyped-def]
    """Doc."""
    return ""


def undocumented(fridge: str) -> str:
    return fridge


def starred(*fridges: str) -> str:
    """Doc."""
    return ""


def a_function(call: Any = lambda: 1) -> str:
    """Doc."""
    return ""


def no_schema(thing: Tool) -> str:
    """Doc."""
    return ""


def no_grammar(thing: Annotated[str, Field(pattern=r"\bb")]) -> str:
    """Doc."""
    return ""


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (untyped, "'fridge'"),
        (undocumented, "docstring"),
        (starred, "fridges"),
        (no_schema, "JSON Schema"),
        (no_grammar, "grammar"),
        (a_function, "schema"),
    ],
)
def test_what_is_no_tool(function: Any, words: str) -> None:
    with pytest.raises(ToolInvalid, match=words):
        tool(function)


def test_a_name_is_plain() -> None:
    with pytest.raises(ToolInvalid, match="no name"):
        tool(name="Read Fridge!")(undocumented)
