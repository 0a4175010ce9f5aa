"""Tables and long lines on a narrow terminal."""

from __future__ import annotations

import io
import re
import sys

import pytest
from rich.console import Console
from rich.table import Table

from skerry.edge.cli.output import PathCell, hanging, table

PATH = "/home/somebody/documents/clinic/handbook/emergency-trolley.md"


@pytest.mark.parametrize("width", [30, 60, 80, 120])
def test_a_path_keeps_its_end(width: int) -> None:
    drawn = Table("id", "path", box=None)
    drawn.add_row("1", PathCell(PATH))
    console = Console(file=io.StringIO(), width=width)
    console.print(drawn)
    assert isinstance(console.file, io.StringIO)
    _, row = console.file.getvalue().splitlines()
    assert row.rstrip().endswith("emergency-trolley.md")
    assert ("…" in row) is (PATH not in row)
    assert len(row.rstrip()) <= width


COLUMNS = ("id", "title", "state", "fits", "source")
ROW = ("7", "Opening hours and contacts", "in force", "fits", "/documents/opening-hours.md")


def plain(said: str) -> str:
    return re.sub(r"\x1b\[[\d;]*m", "", said)


def at_terminal(monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", str(columns))


def test_a_table_that_does_not_fit_is_told_in_lines(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    at_terminal(monkeypatch, 40)
    table("Documents", COLUMNS, [ROW])
    first, head, *rest = plain(capsys.readouterr().out).splitlines()
    assert (first, head) == ("Documents", "7  Opening hours and contacts")
    assert " ".join(line.strip() for line in rest) == f"state in force · fits · source {ROW[-1]}"
    assert max(map(len, rest)) <= 40
    assert all(line.startswith("  ") for line in rest)


def test_a_table_that_fits_is_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    at_terminal(monkeypatch, 100)
    table("", COLUMNS, [ROW])
    head, row = plain(capsys.readouterr().out).splitlines()
    assert head.split() == list(COLUMNS)
    assert all(cell in row for cell in ROW)


def test_a_long_line_hangs_on_a_terminal_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    at_terminal(monkeypatch, 20)
    line = "ok  one two three four five six"
    assert hanging(line, 4) == "ok  one two three\n    four five six"
    monkeypatch.setattr(sys.stdout, "isatty", lambda: False)
    assert hanging(line, 4) == line
