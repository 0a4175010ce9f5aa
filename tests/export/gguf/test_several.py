"""Several precisions in one go, and the command of this room."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from skerry.export.errors import Unsupported
from skerry.export.gguf.__main__ import main
from skerry.export.gguf.exporter import FILE, GgufExporter
from skerry.export.gguf.imatrix import load
from skerry.export.gguf.opened import read_back
from skerry.export.gguf.plan import load_plan
from skerry.export.gguf.several import make_all
from tests.export.gguf import tiny


@pytest.fixture
def model(tmp_path: Path) -> Path:
    tiny.save_model(tmp_path / "model")
    return tmp_path / "model"


ONE = ("--threads", 1)


def run(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


def test_each_is_made_and_measured(model: Path, tmp_path: Path) -> None:
    out = tmp_path / "several"
    out.mkdir()
    rows = make_all(model, out, ("f16", "q8_0", "q4_0"), tokens=200, threads=1)
    assert [row.made.precision for row in rows] == ["f16", "q8_0", "q4_0"]
    lost = [row.fidelity.kl_mean_nats for row in rows]
    assert lost == sorted(lost)
    assert lost[0] < 1e-5 < lost[1]
    assert {row.fidelity.tokens for row in rows} == {200}
    assert sorted(path.name for path in out.iterdir()) == ["f16", "q4_0", "q8_0"]


def test_a_type_that_is_none_leaves_no_float_copy(model: Path, tmp_path: Path) -> None:
    out = tmp_path / "several"
    out.mkdir()
    with pytest.raises(Unsupported):
        make_all(model, out, ("q4_9",), weighed=False, tokens=40, threads=1)
    assert not list(out.iterdir())


def test_the_command_makes_compares_and_measures(model: Path, tmp_path: Path) -> None:
    made = run("make", model, tmp_path / "float", "--precision", "f32")
    assert made.exit_code == 0, made.output
    assert "32.0 bits per weight" in made.output
    gguf, text = tmp_path / "float" / FILE, tmp_path / "text.txt"
    text.write_text("The emergency trolley is checked every day before 09:00. " * 50)
    compared = run("compare", gguf, tmp_path / "several", "--precisions", "q8_0,q4_k_m", *ONE)
    assert compared.exit_code == 0, compared.output
    assert compared.output.splitlines()[2].startswith("q4_k_m")
    measured = run("imatrix", gguf, tmp_path / "imatrix.gguf", "--text", text, *ONE)
    assert measured.exit_code == 0, measured.output
    assert "blk.0.attn_q.weight" in load(tmp_path / "imatrix.gguf").sums
    weighed = ("--precision", "iq3_xxs", "--imatrix", tmp_path / "imatrix.gguf")
    assert run("make", gguf, tmp_path / "weighed", *weighed).exit_code == 0


def test_the_command_follows_a_plan(model: Path, tmp_path: Path) -> None:
    plan = tmp_path / "plan.toml"
    plan.write_text('format = 1\nprecision = "q4_0"\n[tensors]\n"blk.0.ffn_down.weight" = "q8_0"\n')
    made = run("make", model, tmp_path / "made", "--plan", plan)
    assert made.exit_code == 0, made.output
    types = {one.name: one.kind.name for one in read_back(tmp_path / "made" / FILE).tensors}
    assert types["blk.0.ffn_down.weight"] == "q8_0"
    assert load_plan(plan).precision == "q4_0"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("make", "none", "made"), "there is no model 'none'"),
        (("make", "model", "made", "--precision", "iq1_s"), "needs an importance matrix"),
        (("make", "model", "made", "--plan", "none"), "cannot be read"),
        (("imatrix", "model/config.json", "made"), "not a GGUF model"),
        (("search", "model", "made"), "give either --kl or --mb"),
        (("search", "model", "model", "--kl", "1"), "exists already"),
    ],
)
def test_the_command_says_what_is_wrong(
    words: tuple[str, ...],
    said: str,
    model: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run(*words)
    assert result.exit_code
    assert said in result.output
    assert not isinstance(result.exception, SystemExit) or "Traceback" not in result.output
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model"]


def test_an_exporter_is_data(tmp_path: Path) -> None:
    assert GgufExporter() == GgufExporter()
    assert GgufExporter().missing() is None
    assert GgufExporter().runs_here() is None
    assert GgufExporter(calibration=tmp_path).precisions()[0] == "q4_k_m"
