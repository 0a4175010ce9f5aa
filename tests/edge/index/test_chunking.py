"""Chunking: where pieces begin and end, and what must hold for any document."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skerry.edge.index.chunking import Piece, chunk
from skerry.edge.index.parse import BlockKind, Parsed, parse_data


def words(text: str) -> int:
    return len(text.split())


def word_pieces(text: str) -> int:
    """As an encoder counts: two marks at the ends, long words in several tokens."""
    return 2 + sum(1 + len(word) // 8 for word in re.findall(r"\w+|[^\w\s]", text))


def utf8(text: str) -> int:
    return len(text.encode("utf-8", errors="replace"))


COUNTERS: tuple[Callable[[str], int], ...] = (words, word_pieces, len, utf8)


def markdown(text: str) -> Parsed:
    return parse_data(text.encode(), "test.md")


def cut(text: str, target: int = 18, limit: int = 24) -> list[Piece]:
    return chunk(markdown(text), target_tokens=target, max_tokens=limit, count_tokens=words)


def sentence(size: int, name: str = "w") -> str:
    return " ".join([name.capitalize(), *[name] * (size - 2), name + "."])


def test_a_short_document_is_one_piece() -> None:
    assert cut("# Fridge\n\nKeep it cold.\n\n- a\n- b") == [
        Piece("Fridge\n\nKeep it cold.\n\n- a\n- b", ("Fridge",), 0, 30)
    ]


def test_headings_begin_pieces_and_make_the_path() -> None:
    pieces = cut(
        "intro\n\n# A\n\none\n\n## B\n\ntwo\n\n### C\n\nthree\n\n## D\n\nfour\n\n# E\n\nfive"
    )
    assert [(piece.heading, piece.text) for piece in pieces] == [
        ((), "intro"),
        (("A",), "A\n\none"),
        (("A", "B"), "B\n\ntwo"),
        (("A", "B", "C"), "C\n\nthree"),
        (("A", "D"), "D\n\nfour"),
        (("E",), "E\n\nfive"),
    ]


def test_a_heading_with_nothing_of_its_own_goes_with_the_lower_one() -> None:
    pieces = cut("# A\n\n## B\n\ntext\n\n# C\n\n# D\n\nmore")
    assert [(piece.heading, piece.text) for piece in pieces] == [
        (("A", "B"), "A\n\nB\n\ntext"),
        (("C",), "C"),
        (("D",), "D\n\nmore"),
    ]


def test_neighbours_are_joined_up_to_the_target() -> None:
    pieces = cut("\n\n".join(sentence(6, name) for name in "abcdefgh"))
    assert [words(piece.text) for piece in pieces] == [18, 18, 12]


def test_a_section_may_end_above_the_target() -> None:
    pieces = cut("\n\n".join(sentence(6, name) for name in "abcdefg"))
    assert [words(piece.text) for piece in pieces] == [18, 24]


@pytest.mark.parametrize(
    "block",
    [
        "\n".join(f"- item {n}" for n in range(8)),
        "| a | b |\n|---|---|\n" + "\n".join(f"| {n} | {n} |" for n in range(3)),
        "```\n" + "\n".join(f"x = {n}" for n in range(8)) + "\n```",
    ],
    ids=["list", "table", "code"],
)
def test_a_list_table_or_code_that_fits_is_whole(block: str) -> None:
    parsed = markdown(f"# H\n\n{sentence(10)}\n\n{block}\n\n{sentence(10)}")
    inner = next(
        b for b in parsed.blocks if b.kind in (BlockKind.LIST, BlockKind.TABLE, BlockKind.CODE)
    )
    pieces = chunk(parsed, target_tokens=18, max_tokens=24, count_tokens=words)
    assert any(piece.start <= inner.start and inner.end <= piece.end for piece in pieces)


def test_a_long_table_is_split_by_rows_under_its_header() -> None:
    rows = "\n".join(f"| drug{n} | {n} mg |" for n in range(12))
    parsed = markdown(f"| name | dose |\n|---|---|\n{rows}")
    pieces = chunk(parsed, target_tokens=18, max_tokens=24, count_tokens=words)
    assert len(pieces) > 2
    for piece in pieces:
        lines = piece.text.split("\n")
        assert lines[0] == "| name | dose |"
        assert all(line.startswith("| drug") and line.endswith("mg |") for line in lines[1:])
    for piece in pieces[1:]:
        assert piece.text == "| name | dose |\n" + parsed.text[piece.start : piece.end]


def test_a_header_that_fills_half_a_piece_is_not_repeated() -> None:
    header = "| " + " ".join(["name"] * 14) + " | dose |"
    rows = "\n".join(f"| drug{n} | {n} mg |" for n in range(12))
    assert sum("dose" in piece.text for piece in cut(f"{header}\n|---|---|\n{rows}")) == 1


def test_a_long_list_is_split_by_items() -> None:
    items = [f"- {sentence(7, name)}" for name in "abcdef"]
    pieces = cut("\n".join(items))
    assert [piece.text.split("\n") for piece in pieces] == [items[:2], items[2:4], items[4:]]


def test_long_code_is_split_by_lines() -> None:
    lines = [f"value_{n} = compute. Again {n}" for n in range(20)]
    pieces = cut("```\n" + "\n".join(lines) + "\n```")
    assert [line for piece in pieces for line in piece.text.split("\n")] == lines


def test_a_long_paragraph_is_split_by_sentences() -> None:
    pieces = cut(" ".join(sentence(7, name) for name in "abcdefgh"))
    assert all(piece.text.endswith(".") and piece.text[0].isupper() for piece in pieces)
    assert [words(piece.text) for piece in pieces] == [14, 14, 14, 14]


def test_a_heading_stays_with_a_paragraph_that_must_then_be_split() -> None:
    pieces = cut(f"# Two words\n\n{sentence(12)} {sentence(11)}")
    assert [words(piece.text) for piece in pieces] == [14, 11]
    assert pieces[0].text.startswith("Two words\n\nW")


def test_a_sentence_without_an_end_is_split_between_words() -> None:
    pieces = cut("word " * 100)
    assert max(words(piece.text) for piece in pieces) <= 24
    assert sum(words(piece.text) for piece in pieces) == 100


def test_a_word_without_an_end_is_split_between_characters() -> None:
    pieces = chunk(markdown("x" * 1000), target_tokens=18, max_tokens=24, count_tokens=len)
    assert max(len(piece.text) for piece in pieces) <= 24
    assert "".join(piece.text for piece in pieces) == "x" * 1000


def test_a_character_of_too_many_tokens_is_let_through() -> None:
    pieces = chunk(markdown("\u2603\u2603"), target_tokens=2, max_tokens=2, count_tokens=utf8)
    assert [piece.text for piece in pieces] == ["\u2603", "\u2603"]


def test_an_endless_heading_does_not_fill_the_paths() -> None:
    pieces = cut("# " + "word " * 5000 + "\n\ntext")
    assert all(len(piece.heading[0]) <= 200 for piece in pieces)


@pytest.mark.parametrize(("target", "limit"), [(0, 10), (11, 10), (-1, -1)])
def test_sizes_that_make_no_sense_are_refused(target: int, limit: int) -> None:
    with pytest.raises(ValueError, match="target_tokens"):
        cut("text", target, limit)


WORDS = st.sampled_from("a the 5 mg 0.5 Dr. e.g. fridge. Stop. Why? [1] *b* `c` é 你好。 ☃".split())
LINE = st.lists(WORDS, min_size=1, max_size=30).map(" ".join)
HEADING = st.tuples(st.integers(1, 6), LINE).map(lambda pair: "#" * pair[0] + " " + pair[1])
LIST = st.lists(
    st.tuples(st.sampled_from(["- ", "  - ", "1. "]), LINE), min_size=1, max_size=12
).map(lambda items: "\n".join(marker + line for marker, line in items))
TABLE = st.lists(st.tuples(LINE, LINE), min_size=1, max_size=12).map(
    lambda rows: "| a | b |\n|---|---|\n" + "\n".join(f"| {a} | {b} |" for a, b in rows)
)
CODE = st.lists(LINE, min_size=1, max_size=12).map(
    lambda lines: "```\n" + "\n".join(lines) + "\n```"
)
QUOTE = st.lists(LINE, min_size=1, max_size=5).map(lambda ls: "\n".join("> " + line for line in ls))
BLOB = st.integers(1, 400).map("x".__mul__)
DOCUMENTS = st.one_of(
    st.lists(st.one_of(HEADING, LINE, LIST, TABLE, CODE, QUOTE, BLOB), min_size=1, max_size=15).map(
        "\n\n".join
    ),
    st.text(st.characters(exclude_categories=("Cc", "Cs")) | st.just("\n"), max_size=300).map(
        lambda text: f"x {text}"
    ),
)


@settings(max_examples=150, deadline=None)
@given(
    DOCUMENTS,
    st.sampled_from(COUNTERS),
    st.sampled_from([(1, 5), (10, 12), (18, 24), (60, 80), (180, 240)]),
)
def test_what_holds_for_any_document(
    text: str, count: Callable[[str], int], sizes: tuple[int, int]
) -> None:
    parsed = markdown(text)
    pieces = chunk(parsed, target_tokens=sizes[0], max_tokens=sizes[1], count_tokens=count)
    _holds_every_character_once(parsed, pieces)
    for piece in pieces:
        own = parsed.text[piece.start : piece.end]
        assert own == own.strip() or parsed.text[piece.start - 1 : piece.start] in ("\n", "")
        assert piece.text.endswith(own)
        _repeats_only_a_table_header(parsed, piece)
        assert count(piece.text) <= sizes[1] or len(own) == 1
        assert len(piece.text) <= 16 * sizes[1]


def _holds_every_character_once(parsed: Parsed, pieces: list[Piece]) -> None:
    at = 0
    for piece in pieces:
        assert at <= piece.start < piece.end
        assert not parsed.text[at : piece.start].strip()
        at = piece.end
    assert not parsed.text[at:].strip()


def _repeats_only_a_table_header(parsed: Parsed, piece: Piece) -> None:
    before = piece.text.removesuffix(parsed.text[piece.start : piece.end])
    headers = {
        parsed.text[block.start : block.body] for block in parsed.blocks if block.body is not None
    }
    assert before == "" or before in headers


@settings(max_examples=100, deadline=None)
@given(DOCUMENTS)
def test_blocks_that_fit_are_never_split(text: str) -> None:
    parsed = markdown(text)
    pieces = chunk(parsed, target_tokens=18, max_tokens=24, count_tokens=words)
    for block in parsed.blocks:
        own = parsed.text[block.start : block.end]
        kept = block.kind in (BlockKind.LIST, BlockKind.TABLE, BlockKind.CODE, BlockKind.HEADING)
        if kept and words(own) <= 24 and len(own) <= 24 * 16:
            assert any(p.start <= block.start and block.end <= p.end for p in pieces)


@settings(max_examples=100, deadline=None)
@given(DOCUMENTS)
def test_no_heading_stands_after_text_in_a_piece(text: str) -> None:
    parsed = markdown(text)
    for piece in chunk(parsed, target_tokens=60, max_tokens=80, count_tokens=words):
        kinds = [
            b.kind is BlockKind.HEADING for b in parsed.blocks if piece.start <= b.start < piece.end
        ]
        assert kinds == sorted(kinds, reverse=True)


class Counting:
    """Counts words, and how often and over how much text it was asked."""

    def __init__(self) -> None:
        self.calls = 0
        self.characters = 0
        self.seconds = 0.0

    def __call__(self, text: str) -> int:
        begun = time.perf_counter()
        self.calls += 1
        self.characters += len(text)
        counted = words(text)
        self.seconds += time.perf_counter() - begun
        return counted


SECTION = (
    "# Title\n\n"
    + sentence(60) + "\n\n" + sentence(30) + " " + sentence(30)
    + "\n\n- one two\n- three four\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n"
)  # fmt: skip


def test_a_megabyte_takes_little_time_and_few_counts() -> None:
    parsed = markdown(SECTION * (2**20 // len(SECTION)))
    count = Counting()
    begun = time.perf_counter()
    pieces = chunk(parsed, count_tokens=count)
    assert time.perf_counter() - begun - count.seconds < 1
    assert count.calls < 2 * (len(parsed.blocks) + len(pieces))
    assert count.characters < 3 * len(parsed.text)


@pytest.mark.parametrize("unit", ["word ", "x", "Wash your hands. ", "a\u00a0"])
def test_megabytes_on_one_line_take_linear_time(unit: str) -> None:
    parsed = parse_data((unit * (3_000_000 // len(unit))).encode(), "one.txt")
    begun = time.perf_counter()
    pieces = chunk(parsed, count_tokens=words)
    assert time.perf_counter() - begun < 60
    _holds_every_character_once(parsed, pieces)


def test_a_table_that_the_encoder_can_take_whole_is_not_split() -> None:
    table = "# Tents\n\n| Tent | Kg |\n|---|---|\n" + "\n".join(
        f"| T{at} | {at} |" for at in range(9)
    )
    sizes = {"target_tokens": 30, "max_tokens": 40, "count_tokens": words}
    assert len(chunk(markdown(table), **sizes)) > 1
    assert len(chunk(markdown(table), table_tokens=60, **sizes)) == 1
