"""Compares llama.cpp's ids with those of the package `tokenizers`, over texts of many kinds."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from skerry.export.errors import MissingExtra, OutputFailed
from skerry.export.gguf.extra import INSTALL
from skerry.export.gguf.special import load_tokenizer
from skerry.export.gguf.token_texts import TEXTS
from skerry.export.gguf.tokenizer import TokenType, Vocabulary
from skerry.export.gguf.vocab import vocab_of

_ADDED_TOKENS_TRIED = 200


@dataclass(frozen=True, slots=True)
class Difference:
    """A text that the two tokenise differently."""

    text: str
    expected: tuple[int, ...]
    got: tuple[int, ...]

    def __str__(self) -> str:
        place = next(
            (
                at
                for at, pair in enumerate(zip(self.expected, self.got, strict=False))
                if pair[0] != pair[1]
            ),
            min(len(self.expected), len(self.got)),
        )
        return (
            f"{self.text[:60]!r}: from token {place} on {self.expected[place : place + 5]} "
            f"became {self.got[place : place + 5]}"
        )


def texts_for(vocabulary: Vocabulary) -> list[str]:
    """What must be equal: texts of many kinds, and every added token alone."""
    return [*TEXTS, *_added(vocabulary)]


def texts_around(vocabulary: Vocabulary) -> list[str]:
    """Added tokens among words: runtimes differ in the blanks beside them."""
    return [f"one{text}two {text} three\n{text}" for text in _added(vocabulary)]


def _added(vocabulary: Vocabulary) -> list[str]:
    named = (TokenType.CONTROL, TokenType.USER_DEFINED)
    kinds = zip(vocabulary.tokens, vocabulary.types, strict=True)
    return [text for text, kind in kinds if kind in named][:_ADDED_TOKENS_TRIED]


def differences(
    gguf: Path, tokenizer: Any, texts: Sequence[str], *, folds: bool
) -> list[Difference]:
    """Of a GGUF file from a tokenizer; `folds`: texts are made NFC first, as it does itself."""
    found = []
    with vocab_of(gguf) as vocab:
        for raw in texts:
            text = unicodedata.normalize("NFC", raw) if folds else raw
            expected = tokenizer.encode(text, add_special_tokens=False).ids
            got = vocab.tokenize(text, special=True)
            if expected != got:
                found.append(Difference(text, tuple(expected), tuple(got)))
    return found


def checked(
    vocabulary: Vocabulary, architecture: str, work: Path
) -> tuple[Vocabulary, tuple[str, ...]]:
    """The vocabulary with the first of its candidates with which llama.cpp gives the tokenizer's
    ids, and what a reader must know.

    Writes vocabularies without weights into `work`.

    Raises:
        OutputFailed: none does; it names a text and where the ids part.
    """
    tokenizer, texts = load_tokenizer(vocabulary.folder), texts_for(vocabulary)
    first: list[Difference] = []
    for pre in vocabulary.pres:
        chosen, trial = replace(vocabulary, pres=(pre,)), work / f"vocabulary-{pre}.gguf"
        _write_alone(chosen, architecture, trial)
        found = differences(trial, tokenizer, texts, folds=vocabulary.folds)
        if not found:
            around = texts_around(vocabulary)
            apart = differences(trial, tokenizer, around, folds=vocabulary.folds)
            return chosen, _notes(vocabulary, apart, len(around))
        first = first or found
    raise OutputFailed(
        f"llama.cpp tokenises {len(first)} of {len(texts)} texts unlike the model's tokenizer; "
        f"{first[0]}",
        hint="the tokenizer is of a kind that llama.cpp does not have: use another format",
    )


def _notes(vocabulary: Vocabulary, apart: Sequence[Difference], tried: int) -> tuple[str, ...]:
    notes = []
    if vocabulary.folds:
        notes.append(
            "the model's tokenizer makes texts NFC first; llama.cpp does not: do it before"
        )
    if apart:
        notes.append(
            f"beside {len(apart)} of {tried} added tokens llama.cpp takes blanks otherwise than "
            f"the model's tokenizer; {apart[0]}"
        )
    return tuple(notes)


def _write_alone(vocabulary: Vocabulary, architecture: str, out: Path) -> None:
    try:
        from gguf import GGUFWriter
    except ImportError as error:
        raise MissingExtra("writing GGUF needs the package gguf", hint=INSTALL) from error
    writer = GGUFWriter(str(out), architecture)
    vocabulary.write(writer)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    writer.close()
