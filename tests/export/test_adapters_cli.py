"""`skerry export lora` and `finetune` at the command line. No torch."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner, Result

from skerry.edge.cli.app import app
from skerry.edge.cli.export_adapters import said
from skerry.export.adapters.__main__ import main as task
from skerry.export.adapters.tensors import read_folder
from skerry.export.errors import ExportError, OutputFailed, SourceRefused
from tests.export.llama_logits import llama_logits
from tests.export.test_adapters_gguf import CLOSE, IDS, dora_tensors
from tests.export.tiny_llama import lora_tensors, weights, write_adapter, write_folder, write_gguf

SCHEMAS = Path(__file__).parents[2] / "docs" / "schemas" / "cli.schema.json"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    write_folder(tmp_path / "hf", weights())
    write_gguf(tmp_path / "base.gguf", weights())
    write_adapter(tmp_path / "lora", lora_tensors())
    write_adapter(tmp_path / "dora", dora_tensors(), use_dora=True)
    return tmp_path


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["export", *map(str, arguments)])


def test_an_adapter_becomes_gguf(place: Path) -> None:
    out = place / "x.gguf"
    done = run("lora", place / "lora", "--source", place / "hf", "--out", out, "--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    schema = json.loads(SCHEMAS.read_text())
    jsonschema.validate(told, schema | {"$ref": "#/$defs/skerry.export.lora~11"})
    assert (told["form"], told["method"], told["matrices"]) == ("adapter", "lora", 14)
    assert told["size"] == out.stat().st_size
    plain, made = (llama_logits(place / "base.gguf", IDS, one) for one in (None, out))
    assert abs(plain - made).max() > 100 * CLOSE


def test_dora_is_merged_into_a_folder(place: Path) -> None:
    given = ("lora", place / "dora", "--source", place / "hf", "--out")
    refused = run(*given, place / "x.gguf")
    assert isinstance(refused.exception, ExportError)
    assert "--merge" in refused.exception.hint
    assert not (place / "x.gguf").exists()
    done = run(*given, place / "merged", "--merge")
    assert done.exit_code == 0, done.output
    assert "dora of 14 matrices" in done.output
    assert len(read_folder(place / "merged")) == len(weights())
    again = run(*given, place / "merged", "--merge")
    assert isinstance(again.exception, OutputFailed)


@pytest.mark.parametrize(
    ("more", "says"),
    [(("--precision", "q8_0"), "an adapter is of f32 or f16"),
     (("--precision", "f16", "--merge"), "keeps its source's precision")],
)  # fmt: skip
def test_a_precision_that_cannot_be(place: Path, more: tuple[str, ...], says: str) -> None:
    done = run("lora", place / "lora", "--source", place / "hf", "--out", place / "out", *more)
    assert done.exit_code == 2
    assert says in done.output


@pytest.mark.parametrize(
    "more", [("--rank", "0"), ("--epochs", "0"), ("--held-out", "1"), ("--learning-rate", "nan"),
             ("--alpha", "-1"), ("--method", "ia3")],
    ids=" ".join,
)  # fmt: skip
def test_a_recipe_that_cannot_be_is_wrong_usage(place: Path, more: tuple[str, ...]) -> None:
    done = run("finetune", "--source", place / "hf", "--examples", "x", "--out", place / "o", *more)
    assert done.exit_code == 2


def test_examples_are_checked_before_anything_is_loaded(place: Path) -> None:
    (place / "x.jsonl").write_text("{}\n")
    done = run("finetune", "--source", place / "hf", "--examples", place / "x.jsonl",
               "--out", place / "out")  # fmt: skip
    assert isinstance(done.exception, SourceRefused)
    assert "line 1" in done.exception.what
    assert not (place / "out").exists()


def test_the_examples_of_the_small_task(tmp_path: Path) -> None:
    out = tmp_path / "x.jsonl"
    done = CliRunner().invoke(task, [str(out), "--examples", "7"])
    assert done.exit_code == 0
    assert len(out.read_text().splitlines()) == 7
    again = CliRunner().invoke(task, [str(out)])
    assert again.exit_code == 1
    assert "give a new file" in again.output
    assert len(out.read_text().splitlines()) == 7


def test_what_a_person_is_told() -> None:
    score = {"loss_nats": 6.05, "token_agreement": 0.1, "exact": 0.0}
    scores = {"before": score, "after": score | {"loss_nats": 0.0, "exact": 1.0}}
    card = {"method": "lora", "rank": 16, "data": {"held_out": 40}, "held_out": scores}
    assert said(card, Path("notes")) == (
        "notes: lora of rank 16. Of 40 chats held out, 0% were answered exactly before, "
        "100% after (6.050 and 0.000 nats per token)."
    )
