"""What every exporter refuses, and that nothing of it is left. Needs none of their tools."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from skerry.device_profiles.profile import Format
from skerry.export.errors import ExportError, MissingExtra, SourceRefused, Unsupported
from skerry.export.exporter import Kind
from skerry.export.formats.base import FormatExporter
from skerry.export.formats.needs import Needs
from skerry.export.formats.registry import find, keys
from tests.export.conformance.cases import EVERY_EXPORTER, ROWS, Row

StandIn = Callable[[Kind], Path]


def test_every_exporter_and_precision_has_a_row() -> None:
    rows = {(row.format, row.kind) for row in ROWS}
    assert rows == set(keys())


@EVERY_EXPORTER
def test_it_says_what_it_is(row: Row) -> None:
    exporter = row.exporter()
    assert (exporter.format, exporter.kind) == (row.format, row.kind)
    assert exporter.precisions()
    assert len(set(exporter.precisions())) == len(exporter.precisions())
    assert all(row.precision in exporter.precisions() for row in _rows_of(row))
    assert exporter.missing() is None or "pip install" in str(exporter.missing())
    assert exporter.runs_here() is None or len(str(exporter.runs_here())) > 20


@EVERY_EXPORTER
def test_an_unknown_precision(row: Row, stand_in: StandIn, tmp_path: Path) -> None:
    with pytest.raises(Unsupported, match="q17_k") as caught:
        row.exporter().export(stand_in(row.kind), "q17_k", tmp_path / "out")
    assert row.exporter().precisions()[0] in caught.value.hint
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("content", [None, b"", b"text", {}, {"config.json": b"{}"}])
@EVERY_EXPORTER
def test_a_source_that_is_no_model(
    row: Row, content: bytes | dict[str, bytes] | None, tmp_path: Path
) -> None:
    source = tmp_path / "source"
    if isinstance(content, bytes):
        source.write_bytes(content)
    elif content is not None:
        source.mkdir()
        for name, data in content.items():
            (source / name).write_bytes(data)
    with pytest.raises(SourceRefused, match="source") as caught:
        row.exporter().export(source, row.precision, tmp_path / "out")
    assert caught.value.hint
    assert not (tmp_path / "out").exists()


@EVERY_EXPORTER
def test_a_pickle_is_never_opened(row: Row, stand_in: StandIn, tmp_path: Path) -> None:
    source = stand_in(row.kind)
    (source / "model.safetensors").rename(source / "pytorch_model.bin")
    with pytest.raises(SourceRefused, match="pickle"):
        row.exporter().export(source, row.precision, tmp_path / "out")


@EVERY_EXPORTER
def test_nothing_is_written_over(row: Row, stand_in: StandIn, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "mine").write_text("kept")
    with pytest.raises(ExportError, match="exists") as caught:
        row.exporter().export(stand_in(row.kind), row.precision, out)
    assert caught.value.hint
    assert (out / "mine").read_text() == "kept"


@EVERY_EXPORTER
def test_a_tool_that_is_not_installed(row: Row, stand_in: StandIn, tmp_path: Path) -> None:
    exporter = row.exporter()
    if not isinstance(exporter, FormatExporter):
        assert exporter.missing() is None, "has its own way to say so, and its own test"
        return
    line = exporter.missing() or "pip install nothing"
    exporter.needs = Needs(("a_tool_that_nobody_has",), line)
    with pytest.raises(MissingExtra, match="a_tool_that_nobody_has") as caught:
        exporter.export(stand_in(row.kind), row.precision, tmp_path / "out")
    assert caught.value.hint == exporter.missing() == line
    assert not (tmp_path / "out").exists()


@EVERY_EXPORTER
def test_a_folder_that_it_did_not_make(row: Row, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=str(tmp_path)):
        row.exporter().load(tmp_path)


def test_a_format_that_nobody_makes() -> None:
    with pytest.raises(Unsupported, match="no exporter makes"):
        find(Format.GGUF, Kind.ENCODER)


def _rows_of(row: Row) -> list[Row]:
    return [one for one in ROWS if (one.format, one.kind) == (row.format, row.kind)]
