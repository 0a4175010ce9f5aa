"""llama.cpp's own tokenizer, of a GGUF file whose weights are not loaded."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from skerry.bundles.llama.errors import LlamaError
from skerry.export.errors import OutputFailed

if TYPE_CHECKING:
    from skerry.bundles.llama.vocab import Vocabulary


@contextmanager
def vocab_of(path: Path) -> Iterator[Vocabulary]:
    """The vocabulary of a GGUF file; OutputFailed when llama.cpp does not take it."""
    from skerry.bundles.llama.vocab import vocabulary_of

    try:
        with vocabulary_of(path) as vocabulary:
            yield vocabulary
    except LlamaError as error:
        what = f"llama.cpp does not take the vocabulary of {path}: {error.what}"
        raise OutputFailed(what, hint=error.hint) from error
