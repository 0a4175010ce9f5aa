"""From a file to text with its blocks, title, dates and labels. One small module per format.

Knows nothing of chunks, of the index's file, or of which version is in force.
"""

from __future__ import annotations

from skerry.edge.index.parse.document import parse, parse_data
from skerry.edge.index.parse.formats import SUPPORTED, how_to_convert
from skerry.edge.index.parse.metadata import KEYS, governance
from skerry.edge.index.parse.parsed import Block, BlockKind, Parsed

__all__ = [
    "KEYS",
    "SUPPORTED",
    "Block",
    "BlockKind",
    "Parsed",
    "governance",
    "how_to_convert",
    "parse",
    "parse_data",
]
