"""What callers declare of documents, and how long that holds. Pure functions.

Whoever adds a file again without a word must not undo what was said before: least of all may
a document lose the labels that keep it from others.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace

from skerry.edge.index.types import Kind, Metadata


@dataclass(frozen=True, slots=True)
class Declaration:
    """What a caller says of a document. None, of the kind too, is not said."""

    kind: Kind | None
    metadata: Metadata

    def as_text(self) -> str:
        """The declaration as text that is equal when the declaration is."""
        labels = self.metadata.labels
        fields = {
            **asdict(self.metadata),
            "labels": None if labels is None else sorted(labels),
            "kind": self.kind,
        }
        return json.dumps(fields, sort_keys=True)


def from_text(text: str) -> Declaration:
    """The declaration that `as_text` wrote."""
    fields = json.loads(text)
    kind, labels = fields.pop("kind"), fields.pop("labels")
    metadata = Metadata(**fields, labels=None if labels is None else frozenset(labels))
    return Declaration(None if kind is None else Kind(kind), metadata)


def again(new: Declaration, old: Declaration) -> Declaration:
    """What holds of the same content declared again: where nothing is said now, what was."""
    said = asdict(new.metadata).items()
    kept = replace(old.metadata, **{name: value for name, value in said if value is not None})
    return Declaration(new.kind or old.kind, kept)


def of_content(others: Iterable[Declaration], labels: frozenset[str]) -> Metadata:
    """What goes with a content to a new place: all its labels, and the narrowest validity.

    Version, title and domain are declared of a place. Dates are safety's: a copy must not be served
    before the original begins, or after it has expired.

    Args:
        others: what was declared of the content in its other places.
        labels: all that it has there.
    """
    said = [other.metadata for other in others]
    begins = [one.valid_from for one in said if one.valid_from is not None]
    ends = [one.expires_at for one in said if one.expires_at is not None]
    return Metadata(
        valid_from=max(begins, default=None),
        expires_at=min((end for end in ends if end != math.inf), default=None),
        labels=labels or None,
    )


def renewed(new: Declaration, old: Declaration, labels: frozenset[str]) -> Declaration:
    """What holds of new content in the place of the old.

    Version and beginning were said of the old content alone.

    Args:
        labels: all that the old content had, its own too: they stay until the caller says
            otherwise, for front matter that was damaged or forgotten must not open a document.
    """
    kept = replace(old.metadata, version=None, valid_from=None, labels=labels or None)
    return again(new, Declaration(old.kind, kept))


def merged(said: Metadata, declared: Metadata) -> Metadata:
    """What the document says of itself and what was declared of it, as one.

    The caller's word stands before the document's, but labels add up: neither can widen who
    may read it.
    """
    expires_at = said.expires_at if declared.expires_at is None else declared.expires_at
    return Metadata(
        title=declared.title or said.title,
        version=declared.version or said.version,
        valid_from=said.valid_from if declared.valid_from is None else declared.valid_from,
        expires_at=None if expires_at == math.inf else expires_at,
        labels=(declared.labels or frozenset()) | (said.labels or frozenset()),
        domain=declared.domain or said.domain,
    )
