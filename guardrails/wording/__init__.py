"""What the sentences of a text mean, at a glance: vectors of words, and a small convolution.

One table of word vectors serves every head; `injection` and `safety` each have a head, and say
what its numbers mean.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from skerry.guardrails.wording.words import Words


def read_shared(text: str) -> Words:
    """The words of `text`, a plain copy (`normal.normalise`), by the table of the package.

    Raises:
        GuardrailError: the table is missing, was changed or cannot be loaded.
    """
    from skerry.guardrails.wording import table, words

    return words.read(text, table.shared())
