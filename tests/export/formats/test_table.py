"""The table of parity: kept row by row, gone on with, and honest about what was not measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from skerry.export.errors import OutputFailed
from skerry.export.exporter import Kind
from skerry.export.formats.__main__ import main
from skerry.export.formats.parity import compare_encoder, compare_llm
from skerry.export.formats.registry import keys
from skerry.export.formats.table import Row, markdown, read_rows, write_rows

LLM = Row("onnx", "llm", "int4", "s", 12.5, 3.0, {"kl_mean_nats": 0.01, "top1_agreement": 0.97})
BERT = Row(
    "onnx", "encoder", "int8", "s", 22.5, 3.0, {"cosine_mean": 0.9975, "neighbour_agreement": 0.94}
)
ABSENT = Row("mlc", "llm", "q4f16_1", "s", why_not="not installed: pip install")


def test_rows_are_kept(tmp_path: Path) -> None:
    file = tmp_path / "parity.json"
    assert read_rows(file) == {}
    kept = {row.key: row for row in (LLM, BERT, ABSENT)}
    write_rows(file, kept)
    write_rows(file, kept)
    assert read_rows(file) == kept
    assert [path.name for path in tmp_path.iterdir()] == ["parity.json"]


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"rows": [{"format": "onnx"}]}'])
def test_another_file_is_not_replaced(content: str, tmp_path: Path) -> None:
    file = tmp_path / "mine.json"
    file.write_text(content)
    with pytest.raises(OutputFailed, match="no table of parity"):
        read_rows(file)
    done = CliRunner().invoke(main, ["parity", "--out", str(file), "--llm", str(tmp_path)])
    assert done.exit_code == 1
    assert file.read_text() == content


def test_the_table() -> None:
    text = markdown({row.key: row for row in (LLM, BERT, ABSENT)})
    assert "| onnx | llm | int4 | 12.5 | 0.01000 | 97.0% | | |" in text
    assert "| onnx | encoder | int8 | 22.5 | | | 0.9975 | 94.0% |" in text
    assert "| mlc | llm | q4f16_1 | – | not installed | | | |" in text


def test_every_format_is_listed() -> None:
    done = CliRunner().invoke(main, ["list"])
    assert done.exit_code == 0
    assert all(f"{format_} ({kind}): " in done.output for format_, kind in keys())


def test_a_source_is_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("skerry.export.formats.__main__._packaged", dict)
    done = CliRunner().invoke(main, ["parity", "--out", str(tmp_path / "x.json")])
    assert done.exit_code == 2
    assert "--llm" in done.output


@dataclass(frozen=True, slots=True)
class Fixed:
    """Stands for a model whose scores are known."""

    scores: Any

    def tokenize(self, text: str) -> list[int]:
        return [int(word) for word in text.split()]

    def logits(self, ids: Sequence[int]) -> Any:
        return np.array(self.scores, np.float32)

    def encode(self, texts: Sequence[str]) -> Any:
        return np.array(self.scores, np.float32)

    def close(self) -> None: ...


def test_language_models_are_compared() -> None:
    source, wider = Fixed(np.log([[0.5, 0.5]] * 2)), Fixed([[0, 0, -9], [0, 1, -9]])
    found = compare_llm(wider, source, "0 1")
    expected = (
        0 + np.log(0.5) - 0.5 * np.log(1 / (1 + np.e)) - 0.5 * np.log(np.e / (1 + np.e))
    ) / 2
    assert found.kl_mean_nats == pytest.approx(expected, abs=1e-4)
    assert (found.tokens, found.top1_agreement) == (2, 0.5)
    with pytest.raises(ValueError, match="fewer"):
        compare_llm(source, source, "0")


def test_encoders_are_compared() -> None:
    vectors = np.eye(4)[[0, 0, 1, 1]]
    found = compare_encoder(Fixed(vectors), Fixed(vectors), ["a"] * 4)
    assert (found.cosine_mean, found.cosine_least, found.neighbour_agreement) == (1, 1, 1)
    longer = compare_encoder(Fixed(vectors * 1.001), Fixed(vectors), ["a"] * 4)
    assert longer.cosine_mean == 1
    assert Kind.ENCODER == "encoder"
