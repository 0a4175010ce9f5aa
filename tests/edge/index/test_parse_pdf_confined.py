"""PDFs made to do harm, and what becomes of the process that reads them."""

from __future__ import annotations

import sys
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from skerry.edge.errors import DocumentError
from skerry.edge.index import Index
from skerry.edge.index.parse import confined, parse_data, pdf
from tests.edge.index.conftest import RandomEncoder
from tests.edge.index.test_parse_pdf import PLAIN, assembled

MIB = 2**20
WORDS = b"BT /F 1 Tf " + b"1 0 0 1 %d %d Tm (word and word) Tj " * 1000 % (*range(2000),) + b"ET\n"


def packed(parts: int, part: bytes, pages: int = 1) -> bytes:
    """A PDF whose pages all have one content stream: `part` again and again, compressed."""
    packer = zlib.compressobj(9, wbits=-15)
    block = packer.compress(part) + packer.flush(zlib.Z_FULL_FLUSH)
    stream = b"\x78\xda" + parts * block + packer.flush()  # PDFium asks for no checksum
    kids = b" ".join([b"6 0 R"] * pages)
    return assembled(
        [
            b"<< /Type /Catalog /Pages 2 0 R >>",
            b"<< /Type /Pages /Kids [%s] /Count %d >>" % (kids, pages),
            b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
            b"<< >>",
            b"<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream" % (len(stream), stream),
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 5000 5000] /Contents 5 0 R"
            b" /Resources << /Font << /F 3 0 R >> >> >>",
        ]
    )


@dataclass(frozen=True)
class Hostile:
    """A PDF that is too much for one of the limits, which is set low to be quick."""

    name: str
    make: Callable[[], bytes]
    limit: str
    value: int
    what: str


HOSTILE = [
    Hostile("unpacks without end", lambda: packed(512, b" " * MIB), "MEMORY_BYTES", 256 * MIB,
            "memory"),
    Hostile("words without end", lambda: packed(500, WORDS), "MEMORY_BYTES", 256 * MIB, "memory"),
    Hostile("pages without end", lambda: packed(1, WORDS, 1000), "PROCESSOR_SECONDS", 1,
            "takes more than"),
    Hostile("many letters", lambda: packed(1, WORDS, 9), "MOST_CHARACTERS", 100_000,
            "characters"),
    Hostile("many lines", lambda: packed(1, WORDS, 9), "MOST_LINES", 5_000, "lines"),
]  # fmt: skip


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limits")
@pytest.mark.parametrize("case", HOSTILE, ids=lambda case: case.name)
def test_a_pdf_that_does_harm_is_refused(case: Hostile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf if case.limit.startswith("MOST") else confined, case.limit, case.value)
    with pytest.raises(DocumentError, match=rf"a\.pdf .*{case.what}") as caught:
        parse_data(case.make(), "a.pdf")
    assert "split it" in caught.value.hint


def test_the_other_files_go_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf, "MOST_LINES", 500)
    (tmp_path / "a.pdf").write_bytes(packed(1, WORDS))
    (tmp_path / "b.pdf").write_bytes(PLAIN)
    with Index.open(tmp_path / "i.db", RandomEncoder()) as index:
        report = index.add([tmp_path])
    assert [Path(source).name for source in report.added] == ["b.pdf"]
    assert "more than" in report.failed[0].what


def test_what_lies_in_the_current_folder_is_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("json.py", "pypdfium2.py", "sitecustomize.py"):
        (tmp_path / name).write_text("raise SystemExit(1)")
    monkeypatch.chdir(tmp_path)
    assert parse_data(PLAIN, "a.pdf").text


def test_a_place_of_type_that_is_no_number_is_read_over() -> None:
    body = WORDS.replace(b"1 0 0 1 0 1 Tm", b"1e38 1e38 1e38 1e38 1e38 1e38 Tm")
    assert parse_data(packed(1, body), "a.pdf").text


@pytest.mark.parametrize(
    ("frozen", "python", "what", "hint"),
    [
        (False, "/nowhere/python", "no process can be started", ".txt"),
        (False, "", "no Python", "set_executable"),
        (True, sys.executable, "no Python", "set_executable"),
    ],
)
def test_without_a_python_to_read_it(
    monkeypatch: pytest.MonkeyPatch, frozen: bool, python: str, what: str, hint: str
) -> None:
    monkeypatch.setattr(sys, "frozen", frozen, raising=False)
    monkeypatch.setattr(confined, "get_executable", lambda: python)
    with pytest.raises(DocumentError, match=what) as caught:
        parse_data(PLAIN, "a.pdf")
    assert hint in caught.value.hint
