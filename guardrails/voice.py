"""Keeps the words of documents and models apart from the runtime's own. Pure.

Where a text that is released speaks as the runtime does ("This answer was checked", "The documents
do not say"), it is put in quotation marks. Markup that acts on what comes after it, or on whoever
shows it, is left out: code fences, source marks, images, tags that load or run something.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from skerry.guardrails.normal import normalise

MARKS = re.compile(r"\s?\[(\d{1,3}(?:\s?,\s?\d{1,3}){0,9})\]")
"""The marks of sources, as in `[1]` and `[1, 2]`."""
_MOST_NESTED = 8
_FENCE = re.compile(r"`{3,}|~{3,}")
_IMAGE = re.compile(r"!(?=\[[^\]\n]{0,400}\][(\[])")
_TAG = re.compile(
    r"<(?=/?(?:img|script|iframe|style|svg|video|audio|object|embed|link|form|meta|base|picture|"
    r"source|body|html|a)\b|!--)",
    re.IGNORECASE,
)
_VOICE = re.compile(
    r"(?:^|[.!?:;\n\"'”’)\]]\s*)[\W_]*"
    r"(?:(?:the )?documents (?:do not say|may not answer|say nothing)|another document says|"
    r"the rest of this is withheld|no document was read|"
    r"not sure that this answers|skerry\b|(?:sources?|receipt|verdict|confidence|system|assistant|"
    r"runtime|gate|checked|verified|read as|note to the reader)\s*:)"
    r"|\bthis (?:answer|reply|response|sentence|statement|text)\b.{0,60}"
    r"\b(?:checked|verified|confirmed|released|approved|reviewed|validated|certified|grounded)\b"
    r"|\b(?:checked|verified|confirmed|released|approved|reviewed) by (?:skerry|"
    r"the (?:gate|runtime|system|assistant|guardrails?))\b",
    re.IGNORECASE,
)
_QUOTES = str.maketrans("“”„‟", "‘’‚‛")


def without_marks(text: str) -> str:
    """The text without source marks, those that come about as others are left out too."""
    for _ in range(_MOST_NESTED):
        bare = MARKS.sub("", text)
        if bare == text:
            return text
        text = bare
    return text.replace("[", "(").replace("]", ")")


def plainly(text: str) -> str:
    """The text without marks, and without markup that acts."""
    text = _IMAGE.sub("", _FENCE.sub("", without_marks(text)))
    return _TAG.sub("< ", text)


def speaks_as_we_do(text: str) -> bool:
    """Whether it may be taken for the runtime's own words."""
    return _VOICE.search(normalise(text).text) is not None


def quoted(text: str) -> str:
    """The text in quotation marks of its own; those in it become single ones."""
    body = text.strip()
    return text.replace(body, f"“{body.translate(_QUOTES)}”", 1) if body else text


def apart(text: str) -> str:
    """The text `plainly`, quoted where it speaks as the runtime does."""
    text = plainly(text)
    return quoted(text) if speaks_as_we_do(text) else text


def with_marks(claim: str, marks: Sequence[int]) -> str:
    """The claim with marks before its closing punctuation and trailing space.

    After the quotation marks, where the sentence speaks as the runtime does.
    """
    shown = "".join(f" [{mark}]" for mark in marks)
    body = claim.rstrip()
    space = claim[len(body) :]
    if speaks_as_we_do(body):
        return f"{quoted(body)}{shown}{space}"
    closing = re.search(r"[.!?:;]*$", body)
    cut = closing.start() if closing else len(body)
    return f"{body[:cut]}{shown}{body[cut:]}{space}"
