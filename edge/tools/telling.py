"""Puts the result of a tool into words: data as plain text, in which nothing acts on a reader."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, is_dataclass
from typing import Any

from pydantic import BaseModel

from skerry.edge.terminal import visible
from skerry.edge.tools.definition import Tool

_LINK = re.compile(r"\]\s{0,9}(?=[(\[])|<(?=[a-zA-Z/!])")


def told(tool: Tool, value: Any) -> str:
    """The result as text: in the tool's own words, or as its fields, a line each."""
    text = tool.say(value) if tool.say is not None else "\n".join(_lines(_data(value)))
    return defused(visible(str(text))).strip() or "Done."


def defused(text: str) -> str:
    """Text in which no Markdown link or image and no HTML element is left: a page that renders it
    loads nothing and leads nowhere that the text chose."""
    return _LINK.sub(lambda found: f"{found.group().rstrip()} ", text)


def _data(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    return value


def _lines(value: Any) -> list[str]:
    if value is None:
        return []
    if isinstance(value, dict):
        return [f"{name}: {_short(item)}" for name, item in value.items()]
    if isinstance(value, list | tuple | set | frozenset):
        return [f"- {_short(_data(item))}" for item in value]
    return [str(value)]


def _short(value: Any) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, default=str)
