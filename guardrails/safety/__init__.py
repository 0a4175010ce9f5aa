"""Signs of danger in a text, by class, sentence by sentence: a small network beside the patterns.

What it finds are findings like any others; `screen.screen` joins them with those of patterns.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from skerry.guardrails.networks import INSTALLED, Networks

if TYPE_CHECKING:
    from skerry.guardrails.wording.signs import Sign
    from skerry.guardrails.wording.words import Words

CLASSES = (
    "self_harm",
    "clinical_red_flag",
    "violence",
    "hate",
    "sexual",
    "dangerous_advice",
)


def find(
    words: Words, least: Mapping[str, float] | None = None, networks: Networks = INSTALLED
) -> list[Sign]:
    """The signs of danger in a text with these words (`wording.read_shared`).

    `least` are scores from which a class counts, by class; 0.8 for those that it does not name.

    Raises:
        GuardrailError: the classifier's files are missing, were changed or cannot be loaded; or
            `least` names a class that there is not, or is no score.
    """
    return networks.safety().signs(words, least or {})


def strongest(words: Words, networks: Networks = INSTALLED) -> float:
    """The highest score of any class in any sentence with these words, in [0, 1]; 0 without any.

    Raises:
        GuardrailError: as for `find`.
    """
    return networks.safety().strongest(words)
