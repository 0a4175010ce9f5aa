"""What the GenAI export takes, what it says of the rest, and what it knows without torch."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from tokenizers import Tokenizer, models, pre_tokenizers

from skerry.export.errors import ExportError
from skerry.export.genai.__main__ import main
from skerry.export.genai.build import export_genai
from skerry.export.genai.source import mend_pre_tokenizer, open_source


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "model"
    made.mkdir()
    (made / "config.json").write_text("{}")
    return made


def test_a_hugging_face_folder_is_taken_as_it_is(folder: Path, tmp_path: Path) -> None:
    (folder / "README.md").write_text("---\nlanguage: en\nlicense: apache-2.0\n---\n# A model\n")
    (folder / "model.safetensors").write_bytes(b"weights")
    source = open_source(folder, tmp_path)
    assert (source.folder, source.name, source.licence) == (folder, "model", "apache-2.0")
    assert len(source.digest) == 64


@pytest.mark.parametrize("card", ["# A model\nlicense: mit\n", "", None])
def test_a_folder_that_states_no_licence(folder: Path, tmp_path: Path, card: str | None) -> None:
    if card is not None:
        (folder / "README.md").write_text(card)
    assert open_source(folder, tmp_path).licence is None


@pytest.mark.parametrize("content", [b"", b"text", b"GGUF", b"GGUF" + bytes(100), None])
def test_a_source_that_is_none(tmp_path: Path, content: bytes | None) -> None:
    source = tmp_path / "model.gguf"
    if content is not None:
        source.write_bytes(content)
    with pytest.raises(ExportError, match=r"model\.gguf") as caught:
        open_source(source, tmp_path)
    assert caught.value.hint


def test_nothing_is_overwritten(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="exists already"):
        export_genai(folder, folder, "int4")


@pytest.mark.parametrize("given", [[], ["--tiny", "--source", "x"]])
def test_the_command_wants_one_source(given: list[str], tmp_path: Path) -> None:
    done = CliRunner().invoke(main, [*given, "--out", str(tmp_path / "out")])
    assert done.exit_code == 2
    assert "either --source or --tiny" in done.output


def test_digits_are_split_as_llama_cpp_does(tmp_path: Path) -> None:
    file = tmp_path / "tokenizer.json"
    core = Tokenizer(models.BPE({"1": 0, "2": 1, "12": 2}, [("1", "2")]))
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.save(str(file))
    before = json.loads(file.read_text())
    mend_pre_tokenizer(file, "gpt-2")
    assert json.loads(file.read_text()) == before
    assert Tokenizer.from_file(str(file)).encode("12").tokens == ["12"]
    mend_pre_tokenizer(file, "smollm")
    assert Tokenizer.from_file(str(file)).encode("12").tokens == ["1", "2"]
