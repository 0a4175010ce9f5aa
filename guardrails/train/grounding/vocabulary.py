"""A smaller vocabulary: frequent pieces of BERT's, and those that the training text has.

Each piece costs 386 bytes of the file. What is left out is spelled with smaller pieces.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from skerry.export.encoder.vocabulary import read_tokenizer, renumbered, used_ids

KEPT = 21_000


def remembered(folder: Path, path: Path, texts: Iterable[str]) -> tuple[dict[str, Any], list[int]]:
    """As `smaller`, but a run that goes on has the pieces that it began with."""
    kept_file = folder / "pieces.json"
    if not kept_file.exists():
        kept_file.write_text(json.dumps(smaller(path, texts)), encoding="utf-8")
    kept: list[int] = json.loads(kept_file.read_text(encoding="utf-8"))
    return renumbered(read_tokenizer(path), kept), kept


def smaller(path: Path, texts: Iterable[str]) -> list[int]:
    """The ids of the `KEPT` pieces of a tokenizer.json that stay, ascending.

    BERT's ids are in the order of frequency. All single characters are kept, so that every
    word can be spelled; then what the texts use most, then the lowest ids.
    """
    from tokenizers import Tokenizer

    document = read_tokenizer(path)
    tokenizer = Tokenizer.from_str(json.dumps(document))
    counts = Counter(i for text in texts for i in tokenizer.encode(text).ids)
    vocabulary: dict[str, int] = document["model"]["vocab"]
    needed = {i for piece, i in vocabulary.items() if len(piece.removeprefix("##")) == 1}
    needed |= {token["id"] for token in document["added_tokens"]}
    used = [i for i, count in counts.most_common() if count > 1 and i not in needed]
    order = dict.fromkeys([*needed, *used[: KEPT // 2], *used_ids(document)])
    return sorted(list(order)[:KEPT])
