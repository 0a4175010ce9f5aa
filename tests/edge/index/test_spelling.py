"""A word that no document has is read as the documents spell it, where one letter is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from skerry.edge.encoder import OnnxEncoder
from skerry.edge.index import Index, Metadata, Query


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory, encoder: OnnxEncoder):
    folder: Path = tmp_path_factory.mktemp("spelling")
    (folder / "boats.md").write_text(
        "# Boats\n\nA kayak costs 45 pounds. Children wear dosimeters. Ask Marta Kowalczyk.\n"
        "The boathouse is the old house by the lake; its extension is 301.\n"
        "The paddle checks are signed. Paddles are checked. An emergency. Emergency exits.\n"
    )
    (folder / "secret.md").write_text(
        "# Secret\n\nThe zeppelin is in the hangar, and the kazak beside it.\n"
    )
    with Index.open(folder / "index.db", encoder) as index:
        index.add([folder / "boats.md"])
        index.add([folder / "secret.md"], metadata=Metadata(labels=frozenset({"board"})))
        yield index


@pytest.mark.parametrize(
    ("asked", "read"),
    [
        ("What does a kajak cost?", "What does a kayak cost?"),
        ("Who wears doseimeters?", "Who wears dosimeters?"),
        ("Is the boathuose open?", "Is the boathouse open?"),
        ("Who is Kowalcyk?", "Who is Kowalczyk?"),
        ("What is the extention?", "What is the extension?"),
        ("Is it an emergncy?", "Is it an emergency?"),
        ("Emergensy calls?", "Emergency calls?"),
        ("Are paddles chekced?", "Are paddles checked?"),
    ],
)
def test_one_letter_wrong_is_read_as_the_documents_spell_it(
    index: Index, asked: str, read: str
) -> None:
    assert index.respelled(Query(asked)) == read


@pytest.mark.parametrize(
    "text",
    [
        "What does a kayak cost?",
        "Where is the horse by the lake?",  # one letter from "house", and a word itself
        "What does a kajakk kost?",  # two errors, or too short
        "Qxyzzy blorptang?",
        "?!",
        "",
        "12345 67890",
        "kayаk",  # with a Cyrillic letter in it
    ],
)
def test_the_rest_is_left_as_it_is(index: Index, text: str) -> None:
    read = index.respelled(Query(text))
    assert read == text or "kayak" in read


def test_only_what_the_query_may_see_lends_its_spelling(index: Index) -> None:
    asked = "Where is the zeppelim?"
    assert index.respelled(Query(asked)) == asked
    held = Query(asked, labels=frozenset({"board"}))
    assert index.respelled(held) == "Where is the zeppelin?"


def test_a_word_of_documents_that_may_not_be_seen_is_mended_like_any_other(index: Index) -> None:
    """Whether it is mended must not tell that it is in one of them."""
    assert index.respelled(Query("Who has a kayac?")) == "Who has a kayak?"
    hidden, other = index.respelled(Query("Is it in the hangaar?")), "Is it in the hangaar?"
    assert hidden == other
    assert index.respelled(Query("Where is the kazak?")) == "Where is the kayak?"
    assert index.respelled(Query("Where is the kazak?", labels=frozenset({"board"}))) == (
        "Where is the kazak?"
    )


def test_a_huge_text_is_bounded(index: Index) -> None:
    text = "kajak " * 50_000
    assert index.respelled(Query(text)).startswith("kayak ")
