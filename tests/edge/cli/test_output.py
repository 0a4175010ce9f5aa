"""Tables of paths on a narrow terminal."""

from __future__ import annotations

import io

import pytest
from rich.console import Console
from rich.table import Table

from skerry.edge.cli.output import PathCell

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
