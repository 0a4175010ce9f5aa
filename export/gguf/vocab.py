"""llama.cpp's own tokenizer, of a GGUF file whose weights are not loaded."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from skerry.export.errors import OutputFailed

VocabHandle = int


def tokenize(vocab: VocabHandle, text: str) -> list[int]:
    """The ids of `text` without first and last tokens of the model's own; names of control
    tokens in the text are those tokens, as Hugging Face's tokenizers take them."""
    import llama_cpp

    data = text.encode("utf-8")
    room = len(data) + 2
    while True:
        ids = (ctypes.c_int32 * room)()
        count = llama_cpp.llama_tokenize(vocab, data, len(data), ids, room, False, True)
        if count >= 0:
            return list(ids[:count])
        room = -count


@contextmanager
def vocab_of(path: Path) -> Iterator[VocabHandle]:
    """The vocabulary of a GGUF file; OutputFailed when llama.cpp does not take it."""
    import llama_cpp

    from skerry.edge.engines.llama.native import listening

    params = llama_cpp.llama_model_default_params()
    params.vocab_only = True
    with listening() as complaint:
        model = llama_cpp.llama_model_load_from_file(str(path).encode(), params)
        if not model:
            raise OutputFailed(f"llama.cpp does not take the vocabulary of {path}: {complaint()}")
    try:
        yield llama_cpp.llama_model_get_vocab(model)
    finally:
        llama_cpp.llama_model_free(model)
