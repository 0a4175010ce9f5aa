"""Parses one document from standard input, as a process of its own: see `confined.parse_text`.

Prints one JSON object: the fields of `Parsed`; or `what` and `hint`, where it cannot be parsed; or
nothing in it, where memory did not suffice.
"""

from __future__ import annotations

import ast
import json
import sys
from dataclasses import astuple

from skerry.edge.errors import DocumentError
from skerry.edge.index.parse.document import parse_here
from skerry.edge.index.parse.pdf_child import confine


def said(data: bytes, name: str) -> dict[str, object]:
    """What is printed of a document."""
    try:
        parsed = parse_here(data, name)
    except DocumentError as error:
        return {"what": error.what, "hint": error.hint}
    except MemoryError:
        return {}
    return {
        "text": parsed.text,
        "title": parsed.title,
        "blocks": [astuple(block) for block in parsed.blocks],
        "media_type": parsed.media_type,
        "metadata": dict(parsed.metadata),
        "misspelt": dict(parsed.misspelt),
    }


if __name__ == "__main__":
    memory_bytes, processor_seconds, quoted_name = sys.argv[1:]
    confine(int(memory_bytes), int(processor_seconds))
    fields = said(sys.stdin.buffer.read(), ast.literal_eval(quoted_name))
    sys.stdout.write(json.dumps(fields))
