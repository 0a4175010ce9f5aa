"""Names of people, places and organisations in a text: a small classifier, weighed by context.

What it finds are findings like any others; `screen.screen_whole` joins them with those of patterns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from skerry.guardrails.networks import INSTALLED, Networks

if TYPE_CHECKING:
    from skerry.guardrails.names.naming import Name


def find(text: str, networks: Networks = INSTALLED) -> list[Name]:
    """The names in `text`, a plain copy (`normal.normalise`), by the classifier of
    `networks`.

    Raises:
        GuardrailError: its files are missing, were changed or cannot be loaded.
    """
    from skerry.guardrails.names.fusion import names

    return names(networks.names(), text)


def find_written(text: str, networks: Networks = INSTALLED) -> list[Name]:
    """The names in `text`, a plain copy of a document: those only that are surely names.

    Raises:
        GuardrailError: as `find`.
    """
    from skerry.guardrails.names.fusion import WRITTEN, names

    return names(networks.names(), text, WRITTEN)
