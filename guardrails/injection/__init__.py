"""Orders to the model in a text, sentence by sentence: by two small networks, beside the patterns.

What it finds are findings like any others; `screen.screen` joins them with those of patterns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from skerry.guardrails.findings import Where
from skerry.guardrails.networks import INSTALLED, Networks

if TYPE_CHECKING:
    from skerry.guardrails.injection.meaning import Encode
    from skerry.guardrails.wording.signs import Sign
    from skerry.guardrails.wording.words import Words


def find(
    text: str,
    words: Words,
    where: Where = Where.INPUT,
    encode: Encode | None = None,
    least: float | None = None,
    *,
    networks: Networks = INSTALLED,
) -> list[Sign]:
    """The orders in `text`, a plain copy (`normal.normalise`), by the detector of `networks`.

    `words` are those of `text` (`wording.read_shared`); `encode` gives the vectors of the runtime's
    encoder, and makes it surer; `least` is the score from which an order counts (None: 0.8).

    Raises:
        GuardrailError: its files are missing, were changed or cannot be loaded.
    """
    return networks.injection().signs(text, words, where, encode, least)
