"""The JSON Schema of `bundle.json`: `python -m skerry.bundles.schema` prints it.

Written to docs/schemas/bundle.schema.json; a test keeps it true. What a schema cannot say, such as
which paths are safe, is in `paths` and `rules`.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import msgspec

from skerry.bundles.manifest import READ, Manifest


def schema() -> dict[str, Any]:
    """The schema, in the dialect 2020-12."""
    made = msgspec.json.schema(Manifest)
    made["$defs"]["Manifest"]["properties"]["schema"] = {"enum": list(READ)}
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "bundle.json"}
    return {**head, **made}


def text() -> str:
    return json.dumps(schema(), indent=1, ensure_ascii=False, sort_keys=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(text())
