"""What may be declared of a document: a pure check, before anything is taken in."""

from __future__ import annotations

import math
from collections.abc import Iterable

from skerry.edge.errors import InputError
from skerry.edge.index.types import Metadata

LONGEST = 500
"""Characters of a title, version, domain or label. They are shown, and titles are encoded."""
MOST_LABELS = 100


def check(metadata: Metadata) -> None:
    """Raises InputError for what is too long, no time, or a label that nobody can hold."""
    for name in ("title", "version", "domain"):
        check_length(name, getattr(metadata, name) or "")
    check_labels(metadata.labels or ())
    for name in ("valid_from", "expires_at"):
        when = getattr(metadata, name)
        if when is not None and not (
            math.isfinite(when) or (name, when) == ("expires_at", math.inf)
        ):
            raise InputError(f"{name}={when} is not a time", hint="Give Unix seconds.")


def check_length(name: str, value: str) -> None:
    """Raises InputError for a text of more than 500 characters."""
    if len(value) > LONGEST:
        what = f"the {name} '{value[:40]}…' has {len(value):,} characters"
        raise InputError(what, hint=f"It has at most {LONGEST}.")


def check_labels(labels: Iterable[str]) -> None:
    """Raises InputError for labels that are too many, too long, or that nobody can hold.

    Whoever holds labels lists them between commas, without the spaces around them.
    """
    labels = list(labels)
    if len(labels) > MOST_LABELS:
        raise InputError(
            f"{len(labels):,} labels are too many", hint=f"Give at most {MOST_LABELS}."
        )
    for label in labels:
        check_length("label", label)
        if not label or label != label.strip() or "," in label:
            hint = "Give each label by itself, without commas or spaces around it."
            raise InputError(f"nobody can hold the label '{label}'", hint=hint)
