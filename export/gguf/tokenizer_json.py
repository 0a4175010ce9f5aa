"""Loads the JSON files of a tokenizer, which are larger than those of a config."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from skerry.export.errors import SourceRefused

_MAX_BYTES = 256 << 20


def load_json(path: Path) -> dict[str, Any]:
    """Raises SourceRefused when there is no such file, or it holds no object."""
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise SourceRefused(f"'{path}' is larger than any tokenizer")
        parsed = json.loads(path.read_text("utf-8"))
    except FileNotFoundError as error:
        raise SourceRefused(
            f"there is no '{path}'", hint="a fast tokenizer (tokenizer.json) is needed; save it so"
        ) from error
    except (ValueError, RecursionError) as error:
        raise SourceRefused(f"'{path}' is damaged: {error}", hint="fetch it again") from error
    if not isinstance(parsed, dict):
        raise SourceRefused(f"'{path}' is no JSON object", hint="fetch it again")
    return parsed
