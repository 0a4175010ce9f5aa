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


def smaller(path: Path, texts: Iterable[str]) -> tuple[dict[str, Any], list[int]]:
    """The document of a tokenizer.json with `KEPT` pieces, and the ids that they had.

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
    kept = sorted(list(order)[:KEPT])
    return renumbered(document, kept), kept
