"""A copy of a GGUF model that says the same with other ids for its tokens."""

from __future__ import annotations

import shutil
from itertools import groupby
from pathlib import Path

import gguf
import numpy as np

_NORMAL = 1


def with_other_tokens(source: Path, target: Path) -> Path:
    """Ordinary tokens whose texts are equally long change places, with their rows of embeddings;
    those that control keep theirs. The file keeps its layout."""
    shutil.copyfile(source, target)
    reader = gguf.GGUFReader(target, "r+")
    names, kinds = (reader.fields[f"tokenizer.ggml.{one}"] for one in ("tokens", "token_type"))
    texts = [names.parts[index] for index in names.data]
    normal = [i for i, index in enumerate(kinds.data) if int(kinds.parts[index][0]) == _NORMAL]
    order = np.arange(len(texts))
    for _, alike in groupby(sorted(normal, key=lambda i: len(texts[i])), lambda i: len(texts[i])):
        ids = list(alike)
        order[ids] = ids[::-1]
    told = [np.array(text) for text in texts]
    for i, old in enumerate(order):
        texts[i][:] = told[old]
    tied = [one for one in reader.tensors if one.name in {"token_embd.weight", "output.weight"}]
    for tensor in tied:
        tensor.data[:] = tensor.data[order]
    for part in (reader.data, *(one.data for one in tied)):
        part.flush()
    return target
