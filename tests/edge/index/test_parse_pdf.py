"""PDF: small files written here byte by byte, whole and damaged."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pytest

from skerry.edge.errors import DocumentError
from skerry.edge.index.parse import parse_data


@dataclass(frozen=True)
class Type:
    """A line of type: its size and the height of its base line, in points."""

    size: int
    y: int
    text: str


def make_pdf(
    pages: Sequence[Sequence[Type]], info: Mapping[str, str] | None = None, trailer: str = ""
) -> bytes:
    """A PDF 1.4 file with one content stream a page (ISO 32000-1, 7.5)."""
    objects: list[bytes] = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"",
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        "<< {} >>".format(" ".join(f"/{k} ({v})" for k, v in (info or {}).items())).encode(),
    ]
    kids = []
    for lines in pages:
        stream = b"\n".join(_type(line) for line in lines)
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream))
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents %d 0 R"
            b" /Resources << /Font << /F 3 0 R >> >> >>" % len(objects)
        )
        kids.append(b"%d 0 R" % len(objects))
    objects[1] = b"<< /Type /Pages /Kids [%s] /Count %d >>" % (b" ".join(kids), len(kids))
    return assembled(objects, trailer.encode())


def _type(line: Type) -> bytes:
    text = line.text.encode("cp1252")
    for special in (b"\\", b"(", b")"):
        text = text.replace(special, b"\\" + special)
    return b"BT /F %d Tf 72 %d Td (%s) Tj ET" % (line.size, line.y, text)


def assembled(objects: Sequence[bytes], trailer: bytes = b"") -> bytes:
    out = bytearray(b"%PDF-1.4\n")
    offsets = []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    out += b"trailer\n<< /Size %d /Root 1 0 R /Info 4 0 R %s >>" % (len(objects) + 1, trailer)
    return bytes(out + b"\nstartxref\n%d\n%%%%EOF\n" % table)


FRIDGE = make_pdf(
    [
        [
            Type(24, 770, "Fridge"),
            Type(12, 730, "The fridge is kept at 2 to 8 °C. Read it twice"),
            Type(12, 716, "a day and write it down. Do not over-"),
            Type(12, 702, "fill it."),
            Type(12, 670, "A new paragraph (short)."),
            Type(16, 640, "Alarms"),
            Type(12, 615, "When it rings:"),
            Type(12, 601, "• close the door"),
            Type(12, 587, "• wait for five"),
            Type(12, 573, "minutes"),
        ],
        [],
        [Type(12, 770, "1. First"), Type(12, 756, "2. Second")],
    ],
    {"Title": "Vaccine fridge", "CreationDate": "D:20260102030405+01'00'"},
)


def test_blocks_pages_and_metadata() -> None:
    parsed = parse_data(FRIDGE, "a.pdf")
    assert [
        (block.kind.value, block.level, parsed.text[block.start : block.end])
        for block in parsed.blocks
    ] == [
        ("heading", 1, "Fridge"),
        (
            "paragraph",
            0,
            "The fridge is kept at 2 to 8 °C. Read it twice a day and write it down. "
            "Do not overfill it.",
        ),
        ("paragraph", 0, "A new paragraph (short)."),
        ("heading", 2, "Alarms"),
        ("paragraph", 0, "When it rings:"),
        ("list", 0, "- close the door\n- wait for five minutes"),
        ("list", 0, "1. First\n2. Second"),
    ]
    assert parsed.title == "Vaccine fridge"
    assert parsed.metadata == {"title": "Vaccine fridge", "date": "2026-01-02"}


def test_the_page_of_an_offset() -> None:
    parsed = parse_data(FRIDGE, "a.pdf")
    assert len(parsed.pages) == 3
    assert parsed.page_at(0) == 1
    assert parsed.page_at(parsed.text.index("minutes")) == 1
    assert parsed.page_at(parsed.text.index("First")) == 3
    assert parse_data(b"text", "a.txt").page_at(0) is None


PLAIN = make_pdf([[Type(12, 700, "Some text that fills a line. " * 3)]])
ENCRYPTED = make_pdf(
    [[Type(12, 700, "secret")]],
    trailer="/ID [<00> <00>] /Encrypt << /Filter /Standard /V 1 /R 2 /P -4"
    f" /O <{'41' * 32}> /U <{'42' * 32}> >>",
)


@dataclass(frozen=True)
class Bad:
    name: str
    data: bytes
    what: str
    hint: str


BAD = [
    Bad("cut in the middle", PLAIN[: len(PLAIN) // 2], "truncated", "again"),
    Bad("cut near the end", PLAIN[:-30], "truncated", "again"),
    Bad("no PDF", b"words %%EOF", "damaged or not a PDF", "export"),
    Bad("no objects", b"%PDF-1.7\n%%EOF", "damaged or not a PDF", "export"),
    Bad("encrypted", ENCRYPTED, "is encrypted", "password"),
    Bad("scanned", make_pdf([[], []]), "has no text", "ocrmypdf"),
    Bad("no pages", make_pdf([]), "damaged or not a PDF", "export"),
]


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: bad.name)
def test_a_pdf_that_cannot_be_taken_says_why(bad: Bad) -> None:
    with pytest.raises(DocumentError, match=bad.what) as caught:
        parse_data(bad.data, "a.pdf")
    assert bad.hint in caught.value.hint


@pytest.mark.parametrize("place", range(9, len(PLAIN) - 40, 37))
def test_a_damaged_byte_is_read_over_or_refused(place: int) -> None:
    data = PLAIN[:place] + b"\xff" + PLAIN[place + 1 :]
    try:
        text = parse_data(data, "a.pdf").text
    except DocumentError as error:
        text = error.hint
    assert text.strip()


def test_several_threads_may_read_at_once() -> None:
    texts: list[str] = []
    threads = [
        threading.Thread(target=lambda: texts.append(parse_data(FRIDGE, "a.pdf").text))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(texts) == 8
    assert len(set(texts)) == 1
