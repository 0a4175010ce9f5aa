"""Tools for models whose chat template does not know them: said in the system message."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

TOOL_INSTRUCTION = (
    "You may call one of these functions. To call one, answer only with a JSON object "
    '{"name": the function\'s name, "arguments": an object of its parameters}.\n'
)


def with_tools(
    messages: Sequence[Mapping[str, Any]], tools: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """`messages` with the tools described at the end of the system message (made if missing)."""
    said = TOOL_INSTRUCTION + "\n".join(json.dumps(tool, ensure_ascii=False) for tool in tools)
    talk = [dict(message) for message in messages]
    if talk and talk[0]["role"] == "system":
        talk[0]["content"] = f"{talk[0]['content']}\n\n{said}"
        return talk
    return [{"role": "system", "content": said}, *talk]
