"""Splits text into the words that lexical search compares: lower case, no accents, Porter stems.

SQLite's own FTS5 tokenizer does it, in a table in memory that holds nothing afterwards.
"""

from __future__ import annotations

import re
import sqlite3
import threading
from collections.abc import Iterable, Sequence

from skerry.guardrails.english import FUNCTION_WORDS

_LONGEST_WORD = 64  # characters; longer runs are encoded data, not words

_NAME = re.compile(r"(?<=[^.?!:\n] )[A-Z][\w-]+")

_OF_QUESTIONS = """
out off up between during before after via one doing need much many often
s t re ve ll d m
please tell give show explain find know let
"""
"""What says nothing in a question beside the function words; the letters are ends of "it's"."""

_TABLES = """
CREATE VIRTUAL TABLE texts USING fts5 (text, content='', tokenize='porter unicode61');
CREATE VIRTUAL TABLE words USING fts5vocab (texts, 'instance');
"""


def plain(text: str) -> str:
    """The text without what UTF-8 and SQLite cannot hold: NUL and lone surrogates."""
    return text.replace("\0", " ").encode("utf-8", "replace").decode("utf-8")


class WordSplitter:
    """Counts the words of texts. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(
            ":memory:", isolation_level=None, check_same_thread=False
        )
        self._connection.executescript(_TABLES)
        self._function_words = self.counts([" ".join((_OF_QUESTIONS, *FUNCTION_WORDS))])[0].keys()

    def counts(self, texts: Sequence[str]) -> list[dict[str, int]]:
        """For each text, each of its words and how often it has it."""
        found: list[dict[str, int]] = [{} for _ in texts]
        with self._lock:
            for row, word, count in self._rows(texts):
                found[row][word] = count
        return found

    def telling(self, words: Iterable[str]) -> frozenset[str]:
        """Those of a query's words that say what it is about, of questions in English.

        Words of other languages all count as telling.
        """
        return frozenset(words) - self._function_words

    def names(self, text: str) -> frozenset[str]:
        """The words of what a query names: those with a capital that begin no sentence."""
        found = " ".join(_NAME.findall(text))
        return self.telling(self.counts([found])[0]) if found else frozenset()

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    def _rows(self, texts: Sequence[str]) -> list[tuple[int, str, int]]:
        execute = self._connection.execute
        execute("BEGIN")
        try:
            for row, text in enumerate(texts):
                execute("INSERT INTO texts (rowid, text) VALUES (?, ?)", (row, plain(text)))
            return execute(
                "SELECT doc, term, count(*) FROM words WHERE length(term) <= ? GROUP BY doc, term",
                (_LONGEST_WORD,),
            ).fetchall()
        finally:
            execute("ROLLBACK")
