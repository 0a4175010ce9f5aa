"""Conversations by their first words."""

from __future__ import annotations

from pathlib import Path

import pytest

from skerry.edge.session import SessionStore


def talk(store: SessionStore, question: str, receipt: str | None = "r-1") -> str:
    session = store.create().id
    store.append(session, "user", question)
    store.append(session, "assistant", "Yes.", receipt_id=receipt)
    return session


@pytest.mark.parametrize("on_disk", [True, False])
def test_those_with_a_receipt_by_their_first_question(tmp_path: Path, on_disk: bool) -> None:
    with SessionStore.open(tmp_path / "state.sqlite", store_text=on_disk) as store:
        first, second = talk(store, "How often?"), talk(store, "Where\n  to?")
        talk(store, "Plain talk with a model.", receipt=None)
        store.create()
        store.append(first, "user", "And who?")
        found = store.openings()
        assert [(one.info.id, one.words) for one in found] == [
            (first, "How often?"),
            (second, "Where to?"),
        ]
        assert found[0].info.turns == 3
        assert [one.info.id for one in store.openings(1)] == [first]
        assert store.on_disk is on_disk


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("x" * 1000, "x" * 400),
        ("é" * 1000, "é" * 200),
        ("a" + "é" * 1000, "a" + "é" * 199),
        ("half \ud83d of it", "half of it"),
        ("a\x00b", "a\x00b"),
    ],
    ids=["long", "two bytes each", "cut in a character", "half a character", "NUL"],
)
def test_words_are_text_whatever_was_asked(tmp_path: Path, question: str, words: str) -> None:
    with SessionStore.open(tmp_path / "state.sqlite") as store:
        talk(store, question)
        assert [one.words for one in store.openings()] == [words]
