"""Measurements are written whole and read back, whoever wrote them."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from skerry.export.errors import OutputFailed
from skerry.export.measure.errors import MeasureFailed
from skerry.export.measure.results import SCHEMA
from skerry.export.measure.saved import read_measurements, write_measured
from tests.export.evaluation.made_up import measured


def _document(name: str = "gguf-q4_0") -> dict[str, Any]:
    return {"schema": SCHEMA, **asdict(measured(name))}


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    for name in ("gguf-q8_0", "gguf-q4_0"):
        write_measured(_document(name), tmp_path / "measured")
    found = read_measurements(tmp_path / "measured")
    assert [one.name for one in found] == ["gguf-q4_0", "gguf-q8_0"]
    assert found[1] == measured("gguf-q8_0")
    assert read_measurements(tmp_path / "measured" / "gguf-q4_0.measured.json") == found[:1]


def test_a_folder_that_is_a_file_loses_nothing(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("mine")
    with pytest.raises(OutputFailed):
        write_measured(_document(), tmp_path / "taken")
    assert (tmp_path / "taken").read_text() == "mine"


def _changed(**fields: Any) -> str:
    return json.dumps({**_document(), **fields})


HOSTILE = {
    "empty": ("", "is not JSON"),
    "half": ('{"schema": "skerry.measure/1", "name"', "is not JSON"),
    "deep": ("[" * 100_000, "is not JSON"),
    "list": ("[]", "no measurement of the schema"),
    "other version": (_changed(schema="skerry.measure/9"), "'skerry.measure/9'"),
    "missing": ('{"schema": "skerry.measure/1"}', "name"),
    "wrong type": (_changed(size_bytes="many"), "size_bytes"),
    "not text": ("\udcff", "is not JSON"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_no_measurement_is_refused(tmp_path: Path, name: str) -> None:
    text, said = HOSTILE[name]
    (tmp_path / "x.measured.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(MeasureFailed) as error:
        read_measurements(tmp_path)
    assert said in f"{error.value} {error.value.hint}"


def test_nothing_and_too_much_are_refused(tmp_path: Path) -> None:
    with pytest.raises(MeasureFailed, match="was measured"):
        read_measurements(tmp_path)
    with pytest.raises(MeasureFailed, match="cannot be read"):
        read_measurements(tmp_path / "none.json")
    with (tmp_path / "huge.measured.json").open("wb") as file:
        file.truncate(17 << 20)
    with pytest.raises(MeasureFailed, match="larger than"):
        read_measurements(tmp_path)


def test_two_of_one_name_are_refused(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.measured.json").write_text(json.dumps(_document()))
    with pytest.raises(MeasureFailed, match="two measurements of gguf-q4_0"):
        read_measurements(tmp_path)
