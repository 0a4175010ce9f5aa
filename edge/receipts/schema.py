"""The JSON Schema of receipts: `python -m skerry.edge.receipts.schema` prints it."""

from __future__ import annotations

import json
import sys
from typing import Any

from skerry.edge.receipts.codec import adapter
from skerry.edge.receipts.receipt import SCHEMA


def json_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of what `to_json` writes."""
    schema = adapter().json_schema(mode="serialization")
    dialect = "https://json-schema.org/draft/2020-12/schema"
    return {"$schema": dialect, "$id": f"urn:{SCHEMA.replace('/', ':')}", **schema}


def schema_text() -> str:
    """What `docs/schemas/receipt.schema.json` holds."""
    return json.dumps(json_schema(), indent=2, sort_keys=True) + "\n"


if __name__ == "__main__":
    sys.stdout.write(schema_text())
