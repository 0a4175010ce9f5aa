"""What is a hit at all: near enough in meaning, or with the very words; never what is neither."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import skerry.edge
from skerry.edge.encoder import TextEncoder
from skerry.edge.index import Event, Index, IndexSettings, Query
from skerry.edge.index.bm25 import inverse_frequency
from skerry.edge.index.store import change
from skerry.edge.index.words import WordSplitter
from tests.edge.index.conftest import RandomEncoder, database_of

HOURS = """\
We are open Monday to Friday from 8:30 to 18:00 and on Saturday from 9:00 to 13:00.
A basic service costs 45 euros and takes two working days. The head mechanic is Marta Lindqvist.
Rental bikes must be returned before closing time. Deposits are refunded within five days.
"""
HOUSE = """\
The stopcock is under the kitchen sink. The boiler is serviced by Vega Heating every October.
Bins go out on Wednesday evening. The alarm code is with the neighbour, Yusuf Demir.
The roof was repaired in 2019 by Brandt and Sons. The spare key hangs in the shed.
"""
LAB = """\
The centrifuge is booked until Thursday. Liquid nitrogen is delivered by Aero Gas on Mondays.
The safety officer is Ilse Novak. Sample XR-17 was lost in transit. The autoclave runs at 121
degrees. Visitors must sign the green book. Waste solvents go into the red canister.
"""
MIXED = {"hours": HOURS, "house": HOUSE, "lab": LAB}


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory, encoder: TextEncoder) -> Iterator[Index]:
    """Documents of one chunk each that says many things."""
    folder = tmp_path_factory.mktemp("mixed")
    for name, text in MIXED.items():
        (folder / f"{name}.txt").write_text(text)
    with Index.open(folder / "i.db", encoder) as index:
        index.add(folder)
        yield index


@pytest.fixture(scope="module")
def handbook(tmp_path_factory: pytest.TempPathFactory, encoder: TextEncoder) -> Iterator[Index]:
    folder = Path(skerry.edge.__path__[0]) / "demo" / "handbook"
    with Index.open(tmp_path_factory.mktemp("handbook") / "i.db", encoder) as index:
        index.add(folder)
        yield index


@pytest.mark.parametrize(
    ("question", "name"),
    [
        ("head mechanic", "hours"),
        ("Who is Marta Lindqvist?", "hours"),
        ("Who is the head mechanic?", "hours"),
        ("Tell me about Lindqvist", "hours"),
        ("deposits refunded", "hours"),
        ("Who is Yusuf Demir?", "house"),
        ("Brandt and Sons", "house"),
        ("spare key", "house"),
        ("Ilse Novak", "lab"),
        ("green book", "lab"),
        ("XR-17", "lab"),
        ("How often is a sample lost?", "lab"),
    ],
)
def test_the_very_words_are_found_in_a_chunk_that_says_many_things(
    mixed: Index, question: str, name: str
) -> None:
    (hit, *_) = mixed.search(Query(question))
    assert Path(hit.chunk.source).stem == name


def test_these_words_are_not_near_enough_in_meaning(mixed: Index) -> None:
    """Without the words' own floor they would be lost: the cases above test something."""
    hits = [mixed.search(Query(text)) for text in ("head mechanic", "Brandt and Sons")]
    assert all(found and found[0].similarity < mixed.settings.floor for found in hits)


@pytest.mark.parametrize(
    "question",
    [
        "What is the capital of France?",
        "weather tomorrow",
        "Who won the football match last night?",
        "tell me a joke",
        "play some music",
        "order a pizza",
        "how old is the president",
        "Who is Albert Einstein?",
        "What is the meaning of life?",
        "Who is it?",
    ],
)
def test_what_no_document_answers_finds_nothing(
    handbook: Index, mixed: Index, question: str
) -> None:
    assert handbook.search(Query(question)) == []
    assert mixed.search(Query(question)) == []


OFF = IndexSettings(words_floor=1.1, rare_floor=1.1)


def test_the_words_floor_can_be_switched_off(tmp_path: Path, encoder: TextEncoder) -> None:
    with Index.open(tmp_path / "i.db", encoder, settings=OFF) as index:
        index.ingest([Event("s", "k", HOURS)])
        assert index.search(Query("head mechanic")) == []


WORDS = ["oak", "elm", "ash", "fir", "yew", "bay", "fig"]
TEXTS = st.lists(st.lists(st.sampled_from(WORDS), min_size=1, max_size=6), min_size=1, max_size=9)
EXTRA = ("the", "what", "nowhere", "nothing2")


@settings(max_examples=60)
@given(
    texts=TEXTS,
    sealed=st.integers(0, 9),
    asked=st.lists(st.sampled_from([*WORDS, *EXTRA]), min_size=1, max_size=5),
)
def test_without_a_near_one_the_hits_are_those_with_the_words(
    tmp_path_factory: pytest.TempPathFactory,
    texts: list[list[str]],
    sealed: int,
    asked: list[str],
) -> None:
    records = [Event("s", f"k{n}", " ".join(text), "-") for n, text in enumerate(texts)]
    with Index.open(tmp_path_factory.mktemp("i") / "i.db", RandomEncoder()) as index:
        index.ingest(records[:sealed])
        with change(database_of(index)) as transaction:
            transaction.seal(at_least=1)
        index.ingest(records[sealed:])
        query = Query(" ".join(asked), 99, floor=1.5, per_source=99)
        found = sorted(hit.chunk.text for hit in index.search(query))
    shares = [share(text, asked, texts) for text in texts]
    assume(all(abs(one - 0.8) > 1e-9 for one in shares))  # sums may round either way
    expected = [text for text, one in zip(texts, shares, strict=True) if one > 0.8]
    assert found == sorted(" ".join(text) for text in expected)


def share(text: Sequence[str], asked: Sequence[str], texts: Sequence[Sequence[str]]) -> float:
    """The definition, in words of the test."""
    telling = set(asked) - {"the", "what"}
    weights = {
        word: inverse_frequency(sum(word in other for other in texts), len(texts))
        for word in telling
    }
    total = sum(weights.values())
    return sum(weights[word] for word in telling & set(text)) / total if total else 0.0


@pytest.mark.parametrize(
    ("text", "telling"),
    [
        ("Who is the head mechanic?", {"head", "mechan"}),
        ("What's it about?", set()),
        ("Please tell me when the doors are closed", {"door", "close"}),
        ("Wer ist da?", {"wer", "ist", "da"}),
        ("", set()),
    ],
)
def test_telling_words(text: str, telling: set[str]) -> None:
    splitter = WordSplitter()
    assert splitter.telling(splitter.counts([text])[0]) == telling


BOATS = """\
# Boats for hire

All boats have life jackets on board.

| Boat | Seats | Price per hour | Motor |
|---|---|---|---|
| Heron | 4 | 25 € | no |
| Kingfisher | 6 | 38 € | yes |
| Lapwing | 2 | 18 € | no |
| Wren | 3 | 21 € | no |
"""


@pytest.fixture
def boats(tmp_path: Path, encoder: TextEncoder) -> Iterator[Index]:
    (tmp_path / "boats.md").write_text(BOATS)
    (tmp_path / "lab.txt").write_text(LAB)
    with Index.open(tmp_path / "i.db", encoder, settings=IndexSettings(floor=0.6)) as index:
        index.add(tmp_path)
        yield index


@pytest.mark.parametrize(
    ("question", "found"),
    [
        ("What does the Wren cost?", True),  # the table says "Price"
        ("What does the Swift cost?", False),
        ("What does the Wren of the Swift cost?", True),
        ("What does the wren cost?", True),  # hardly any other chunk has the word
    ],
)
def test_what_a_question_names_is_found_though_far_in_meaning(
    boats: Index, question: str, found: bool
) -> None:
    hits = boats.search(Query(question))
    assert [hit.chunk.title for hit in hits] == ["Boats for hire"] * found
    assert not boats.search(Query(question, floor=0.6))


def test_a_name_that_many_chunks_have_tells_none_apart(
    tmp_path: Path, encoder: TextEncoder
) -> None:
    for number in range(8):
        (tmp_path / f"{number}.txt").write_text(f"{LAB} Wren Harbour, page {number}.")
    with Index.open(tmp_path / "i.db", encoder) as index:
        index.add(tmp_path)
        assert not index.search(Query("What does a boat of Wren Harbour cost?"))
