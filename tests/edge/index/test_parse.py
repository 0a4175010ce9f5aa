"""Parsing as a whole: files that cannot be taken, encodings, plain text, tables, invariants."""

from __future__ import annotations

import codecs
import csv
import os
import threading
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skerry.edge.errors import DocumentError
from skerry.edge.index.parse import SUPPORTED, Block, BlockKind, Parsed, parse, parse_data

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4


def outline(parsed: Parsed) -> list[tuple[str, str]]:
    return [(block.kind.value, parsed.text[block.start : block.end]) for block in parsed.blocks]


@dataclass(frozen=True)
class Bad:
    name: str
    file: str
    data: bytes
    what: str


BAD = [
    Bad("nothing", "a.md", b"", "is empty"),
    Bad("only space", "a.txt", b" \r\n\t\n", "is empty"),
    Bad("only a byte order mark", "a.txt", codecs.BOM_UTF8, "is empty"),
    Bad("only front matter", "a.md", b"---\ntitle: x\n---\n", "is empty"),
    Bad("only a comment", "a.md", b"<!-- nothing -->", "is empty"),
    Bad("only a script", "a.html", b"<script>let x = 1</script>", "is empty"),
    Bad("only NUL", "a.txt", b"\0\0\0", "is a binary file"),
    Bad("one NUL", "a.md", b"Wash your hands.\0 Dry them.", "is a binary file"),
    Bad("NUL far down", "a.csv", b"a,b\n" * 5_000 + b"1,\0\n", "is a binary file"),
    Bad("picture", "a.md", PNG, "is an image"),
    Bad("bytes", "a.md", bytes(range(256)) * 8, "is a binary file"),
    Bad("UTF-16 without a mark", "a.txt", "some text in here".encode("utf-16-le"), "binary"),
    Bad("archive", "a.txt", b"PK\x03\x04" + b"x" * 100, "is a ZIP"),
    Bad("PDF by another name", "a.md", b"%PDF-1.7\n%%EOF", "is a PDF"),
    Bad("no suffix", "README", b"text", "not supported"),
    Bad("unknown suffix", "a.xlsx", b"text", "not supported"),
    Bad("quote without an end", "a.csv", b'a,b\n"x,1\n', "is not a table"),
    Bad("too many cells", "a.csv", b"," * 2_000_000, "more than 2,000,000 cells"),
    Bad("nested to do harm", "a.html", b"<div>" * 100_000, "nests more than"),
]


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: bad.name)
def test_a_document_that_cannot_be_taken_says_why(bad: Bad, tmp_path: Path) -> None:
    path = tmp_path / bad.file
    path.write_bytes(bad.data)
    with pytest.raises(DocumentError, match=bad.what) as caught:
        parse(path)
    assert bad.file in caught.value.what
    assert caught.value.hint


def test_a_file_that_is_missing_or_not_a_file(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.md"
    os.mkfifo(pipe)
    for path in (tmp_path / "none.md", tmp_path, pipe):
        with pytest.raises(DocumentError, match="is not a file"):
            parse(path)


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="needs Linux's /proc")
def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    path.symlink_to("/proc/self/mem")
    with pytest.raises(DocumentError, match=r"a\.md cannot be read: Input/output error"):
        parse(path)


def test_a_file_that_is_too_large(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("x" * 101)
    with pytest.raises(DocumentError, match="larger than 100 bytes"):
        parse(path, max_bytes=100)
    assert parse(path, max_bytes=101).text == "x" * 101


@dataclass(frozen=True)
class Encoded:
    name: str
    data: bytes
    text: str


ENCODED = [
    Encoded("UTF-8", "2 °C, “cold”".encode(), "2 °C, “cold”"),
    Encoded("UTF-8 with a mark", "2 °C".encode("utf-8-sig"), "2 °C"),
    Encoded("UTF-16 little", codecs.BOM_UTF16_LE + "2 °C ☃".encode("utf-16-le"), "2 °C ☃"),
    Encoded("UTF-16 big", codecs.BOM_UTF16_BE + "2 °C ☃".encode("utf-16-be"), "2 °C ☃"),
    Encoded("UTF-32", codecs.BOM_UTF32_LE + "2 °C".encode("utf-32-le"), "2 °C"),
    Encoded("Windows-1252", "2 °C, “cold”".encode("cp1252"), "2 °C, “cold”"),
    Encoded("Latin-1", b"2 \xb0C \x81", "2 °C \x81"),
    Encoded("damaged UTF-8", "à la carte é è ".encode() + b"\xff.", "à la carte é è \ufffd."),
    Encoded("lone surrogate in UTF-16", codecs.BOM_UTF16_LE + b"a\x00\x00\xd8b\x00", "a\ufffdb"),
    Encoded(
        "lone surrogate in UTF-8", "é è à ç ".encode() + b"\xed\xa0\x80", "é è à ç " + "\ufffd" * 3
    ),
    Encoded("a stray bell", b"Wash your hands.\x07 Dry them.", "Wash your hands. Dry them."),
    Encoded("carriage returns", b"a\r\nb\rc", "a\nb\nc"),
    Encoded("soft hyphen", "am\u00adbu\u00adlance".encode(), "ambulance"),
    Encoded("zero width", "am\u200bbulance".encode(), "ambulance"),
    Encoded("written backwards", "a\u202eb\u202c".encode(), "ab"),
    Encoded("tag characters", "a\U000e0061\U000e0062".encode(), "a"),
    Encoded("joiners are kept", "می\u200cخواهم".encode(), "می\u200cخواهم"),
    Encoded("no-break space", "5\u00a0mg".encode(), "5 mg"),
]


@pytest.mark.parametrize("case", ENCODED, ids=lambda case: case.name)
def test_encodings(case: Encoded) -> None:
    assert parse_data(case.data, "a.txt").text == case.text


def test_the_encoding_that_a_page_declares() -> None:
    page = '<meta charset="iso-8859-2"><p>Łódź</p>'.encode("iso-8859-2")
    assert parse_data(page, "a.html").text == "Łódź"


@pytest.mark.parametrize("declared", ["no-such", "hex", "idna", "undefined"])
def test_a_declared_encoding_that_cannot_be_used_is_passed_over(declared: str) -> None:
    page = f'<meta charset="{declared}"><p>caf\xe9'.encode("latin-1")
    assert parse_data(page, "a.html").text == "café"


def test_plain_text() -> None:
    parsed = parse_data(
        b"One line\nand one more.\n\n- a\n- b\n  b2\n\n3. x\n4. y\n", "notes_on-care.txt"
    )
    assert parsed.title == "Notes on care"
    assert outline(parsed) == [
        ("paragraph", "One line\nand one more."),
        ("list", "- a\n- b\n  b2"),
        ("list", "3. x\n4. y"),
    ]


@dataclass(frozen=True)
class Titled:
    name: str
    text: str
    title: str = "Hours"
    headings: tuple[str, ...] = ()


TITLED = [
    Titled("first line alone", "Opening hours\n\nFrom 8 to 6.", "Opening hours",
           ("Opening hours",)),
    Titled("in the middle", "\n\n    HARBOUR BIKES\n\nFrom 8 to 6.", "HARBOUR BIKES",
           ("HARBOUR BIKES",)),
    Titled("question", "When are we open?\n\nFrom 8.", "When are we open?", ("When are we open?",)),
    Titled("underlined", "Opening hours\n-------------\nFrom 8.", "Opening hours",
           ("Opening hours",)),
    Titled("above underlined ones", "Bikes\n\nHours\n=====\nFrom 8.", "Bikes", ("Bikes", "Hours")),
    Titled("front matter", "---\ntitle: T\n---\nHours\n\nFrom 8.", "T", ("Hours",)),
    Titled("a sentence", "We are open.\n\nFrom 8 to 6."),
    Titled("a greeting", "Dear parents,\n\nschool is closed."),
    Titled("before a list", "We sell:\n\n- bikes"),
    Titled("in a paragraph", "Opening hours\nFrom 8 to 6."),
    Titled("all there is", "Opening hours"),
    Titled("things to do", "Buy milk\n\nCall Bob\n\nPay rent"),
    Titled("long", f"{'word ' * 20}\n\nFrom 8 to 6."),
    Titled("item", "1. Scope\n\nFrom 8 to 6."),
    Titled("directive", ".. hours\n\nFrom 8 to 6."),
    Titled("number", "2026-11-23\n\nFrom 8 to 6."),
]  # fmt: skip


@pytest.mark.parametrize("case", TITLED, ids=lambda case: case.name)
def test_titles_of_plain_text(case: Titled) -> None:
    parsed = parse_data(case.text.encode(), "hours.txt")
    assert parsed.title == case.title
    assert tuple(text for kind, text in outline(parsed) if kind == "heading") == case.headings


def test_a_cell_of_any_length() -> None:
    long = "word " * 60_000
    parsed = parse_data(f"name,text\nx,{long}\n".encode(), "opening-hours.csv")
    assert parsed.title == "Opening hours"
    assert parsed.text.count("word") == 60_000
    assert csv.field_size_limit() == 131_072


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("opening-hours.csv", "Opening hours"),
        ("on_call--rota.tsv", "On call rota"),
        ("iPhone-setup.txt", "iPhone setup"),
        ("2026-rota.csv", "2026 rota"),
        ("-.csv", "-.csv"),
    ],
)
def test_titles_from_names(name: str, title: str) -> None:
    assert parse_data(b"a,b\n1,2\n", name).title == title


def test_restructured_text_headings() -> None:
    text = b"=====\nTitle\n=====\n\nSub\n---\ntext\n\nLower\n~~~~~\n\nNext\n----\n\nToo short\n--\n"
    parsed = parse_data(text, "a.rst")
    assert parsed.title == "Title"
    assert [
        (block.level, parsed.text[block.start : block.end])
        for block in parsed.blocks
        if block.kind is BlockKind.HEADING
    ] == [(1, "Title"), (2, "Sub"), (3, "Lower"), (2, "Next")]
    assert ("paragraph", "text") in outline(parsed)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.csv", b'name,dose\r\nA,"1, or\r\n2"\r\n,\r\nB,3\r\n'),
        ("a.csv", b'name;dose\nA;"1, or 2"\n\nB;3'),
        ("a.tsv", b"name\tdose\nA\t1, or 2\nB\t3\n"),
    ],
)
def test_tables(name: str, data: bytes) -> None:
    parsed = parse_data(data, name)
    assert parsed.text == "| name | dose |\n| A | 1, or 2 |\n| B | 3 |"
    (table,) = parsed.blocks
    assert table.body is not None
    assert parsed.text[: table.body] == "| name | dose |\n"
    assert [parsed.text[cut:] for cut in table.cuts] == ["| B | 3 |"]


def test_suffixes_are_read_in_any_case() -> None:
    assert parse_data(b"# T", "A.MD").media_type == SUPPORTED[".md"] == "text/markdown"


def test_ten_megabytes_on_one_line() -> None:
    (block,) = parse_data(b"word " * 2_000_000, "a.md").blocks
    assert block == Block(BlockKind.PARAGRAPH, 0, 0, 9_999_999)


PARTS = (
    "<div>~</div>~<p>~<ul>~<li>~</ul>~<table>~<tr>~<td>~<th>~</table>~<pre>~</pre>~<h2>~</h2>~"
    "<!--~-->~<b>~<br>~<blockquote>~<script>~</script>~<dl>~<dt>~<caption>~word~ ~\n~\n\n~# ~- ~"
    "1. ~> ~| a | b |\n|---|---|\n~```\n~    ~*~`~[~](x)~&lt;~&#xd800;~&#0;~\\~---\n~"
    'key: value\n~=====\n~,~"~;~\x00~\r'
)
MARKUP = st.lists(st.sampled_from(PARTS.split("~")), max_size=60).map("".join)


@settings(max_examples=400)
@given(
    st.one_of(MARKUP.map(str.encode), st.binary(max_size=300)), st.sampled_from(sorted(SUPPORTED))
)
def test_any_bytes_are_parsed_or_refused(data: bytes, suffix: str) -> None:
    try:
        parsed = parse_data(data, "any" + suffix)
    except DocumentError:
        return
    parsed.text.encode()
    assert "\0" not in parsed.text
    assert parsed.title
    at = 0
    for block in parsed.blocks:
        assert at <= block.start < block.end
        assert not parsed.text[at : block.start].strip()
        assert list(block.cuts) == sorted(set(block.cuts))
        places = [*block.cuts, *([block.body] if block.body is not None else [])]
        assert all(block.start < place < block.end for place in places)
        assert all(parsed.text[place - 1] == "\n" for place in places)
        assert (block.level in range(1, 7)) is (block.kind is BlockKind.HEADING)
        at = block.end
    assert not parsed.text[at:].strip()


def test_documents_may_be_parsed_on_several_threads() -> None:
    texts: list[str] = []
    threads = [
        threading.Thread(
            target=lambda: texts.append(parse_data(b"# A\n\n*b* <i>c</i>", "a.md").text)
        )
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert texts == ["A\n\nb c"] * 8
