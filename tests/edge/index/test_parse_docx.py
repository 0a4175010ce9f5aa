"""Word documents: what is kept of them, and those that cannot be taken."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import pytest

from skerry.edge.errors import DocumentError
from skerry.edge.index.parse import confined, formats, governance, parse_data

pytest.importorskip("mammoth")

W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
TYPES = (
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="xml" ContentType="application/xml"/></Types>'
)
STYLES = "".join(
    f'<w:style w:type="paragraph" w:styleId="{id_}"><w:name w:val="{name}"/></w:style>'
    for id_, name in (("Title", "Title"), ("H1", "heading 1"), ("H2", "heading 2"))
)
NUMBERS = (
    '<w:abstractNum w:abstractNumId="0"><w:lvl w:ilvl="0"><w:numFmt w:val="bullet"/></w:lvl>'
    '<w:lvl w:ilvl="1"><w:numFmt w:val="bullet"/></w:lvl></w:abstractNum>'
    '<w:abstractNum w:abstractNumId="1"><w:lvl w:ilvl="0"><w:numFmt w:val="decimal"/></w:lvl>'
    '</w:abstractNum><w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num>'
    '<w:num w:numId="2"><w:abstractNumId w:val="1"/></w:num>'
)
CORE = (
    '<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/'
    'core-properties" xmlns:dc="http://purl.org/dc/elements/1.1/" '
    'xmlns:dcterms="http://purl.org/dc/terms/"><dc:title>Vaccine fridge</dc:title>'
    "<dcterms:modified>2026-01-02T00:00:00Z</dcterms:modified></cp:coreProperties>"
)


def p(text: str, style: str = "", item: tuple[int, int] | None = None) -> str:
    """A paragraph; `item` is the number of its list and its level there."""
    properties = f'<w:pStyle w:val="{style}"/>' if style else ""
    if item:
        properties += f'<w:numPr><w:ilvl w:val="{item[1]}"/><w:numId w:val="{item[0]}"/></w:numPr>'
    return f"<w:p><w:pPr>{properties}</w:pPr><w:r><w:t>{text}</w:t></w:r></w:p>"


def table(*rows: tuple[str, ...]) -> str:
    cells = ("".join(f"<w:tc>{p(cell)}</w:tc>" for cell in row) for row in rows)
    return f"<w:tbl>{''.join(f'<w:tr>{row}</w:tr>' for row in cells)}</w:tbl>"


def docx(body: str, more: Mapping[str, str | bytes] | None = None) -> bytes:
    files: dict[str, str | bytes] = {
        "[Content_Types].xml": TYPES,
        "word/document.xml": f"<w:document {W}><w:body>{body}</w:body></w:document>",
        "word/styles.xml": f"<w:styles {W}>{STYLES}</w:styles>",
        "word/numbering.xml": f"<w:numbering {W}>{NUMBERS}</w:numbering>",
        **(more or {}),
    }
    packed = BytesIO()
    with ZipFile(packed, "w", ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return packed.getvalue()


BODY = (
    p("The fridge", "Title")
    + p("Stock", "H1")
    + p("Kept between 2 and 8 degrees.")
    + table(("Vaccine", "Least stock"), ("Influenza", "20 doses"), ("Measles", "5 doses"))
    + p("Steps", "H2")
    + p("Open it", item=(2, 0))
    + p("Close it", item=(2, 0))
    + p("Mind", item=(1, 0))
    + p("the door", item=(1, 1))
)


def test_headings_lists_and_tables_are_kept() -> None:
    parsed = parse_data(docx(BODY), "fridge.docx")
    assert [(b.kind, b.level, parsed.text[b.start : b.end]) for b in parsed.blocks] == [
        ("heading", 1, "The fridge"),
        ("heading", 1, "Stock"),
        ("paragraph", 0, "Kept between 2 and 8 degrees."),
        (
            "table",
            0,
            "| Vaccine | Least stock |\n| Influenza | 20 doses |\n| Measles | 5 doses |",
        ),
        ("heading", 2, "Steps"),
        ("list", 0, "1. Open it\n2. Close it"),
        ("list", 0, "- Mind\n  - the door"),
    ]
    (grid,) = [block for block in parsed.blocks if block.kind == "table"]
    assert grid.body is not None
    assert parsed.text[grid.body :].startswith("| Influenza")
    assert parsed.title == "The fridge"


def test_a_first_row_with_figures_is_no_header() -> None:
    parsed = parse_data(docx(table(("Influenza", "20"), ("Measles", "5"))), "a.docx")
    assert [block.body for block in parsed.blocks] == [None]


def test_title_and_date_of_change() -> None:
    parsed = parse_data(docx(BODY, {"docProps/core.xml": CORE}), "a.docx")
    assert (parsed.title, governance(parsed).valid_from) == ("Vaccine fridge", 1767312000.0)


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"text", "is damaged or no Word document"),
        (b"PK\x03\x04 and no more", "is damaged or no Word document"),
        (docx(BODY)[:-200], "is damaged or no Word document"),
        (docx("<w:p>"), "is damaged or no Word document"),
        (b"\xd0\xcf\x11\xe0 and so on", "is encrypted, or of an older Word"),
        (docx(p("")), "is empty"),
        (b"", "is empty"),
    ],
)
def test_a_word_document_that_cannot_be_taken_says_why(data: bytes, what: str) -> None:
    with pytest.raises(DocumentError, match=what) as caught:
        parse_data(data, "a.docx")
    assert caught.value.hint


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limits")
def test_one_that_unpacks_to_very_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(confined, "MEMORY_BYTES", 400 * 2**20)
    with pytest.raises(DocumentError, match="memory"):
        parse_data(docx(p("x") * 500_000), "a.docx")


def test_entities_are_not_unpacked() -> None:
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10 if n else "ha"}">' for n in range(10))
    bomb = f"<!DOCTYPE x [{laughs}]><w:document {W}><w:body>{p('&l9;')}</w:body></w:document>"
    with pytest.raises(DocumentError, match=r"damaged|memory|seconds"):
        parse_data(docx("", {"word/document.xml": bomb}), "a.docx")


def test_without_the_reader_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    without = {key: value for key, value in formats.SUPPORTED.items() if key != ".docx"}
    monkeypatch.setattr(formats, "SUPPORTED", without)
    with pytest.raises(DocumentError, match=r"not supported \(\.docx\)") as caught:
        parse_data(docx(BODY), "a.docx")
    assert "skerry[docx]" in caught.value.hint
