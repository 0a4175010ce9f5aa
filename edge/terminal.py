"""Text of documents, questions, services and errors, shown so that it cannot act on a terminal."""

from __future__ import annotations

import unicodedata

# What moves the cursor, colours, retitles, turns text round or hides it; surrogates are no text.
_ACTING = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_PARTS_OF_WORDS = "\u00ad\u200c\u200d"  # soft hyphen and joiners, of the category Cf too


def visible(text: str) -> str:
    """`text` with escapes for what a terminal would obey or hide; line ends and tabs stay."""
    return "".join(char if char in "\n\t" else _shown(char) for char in text)


def visible_line(text: str) -> str:
    """`text` on one line: `visible`, with escapes for line ends and tabs as well."""
    return "".join(map(_shown, text))


def _shown(char: str) -> str:
    if unicodedata.category(char) not in _ACTING or char in _PARTS_OF_WORDS:
        return char
    return char.encode("unicode_escape").decode()
