"""The command of the benchmarks: what it lists, and how it draws a run."""

import json

import pytest
from click.testing import CliRunner

from benchmarks.__main__ import NAMES, main
from benchmarks.contract import Figure

_PNG = b"\x89PNG\r\n"


@pytest.fixture
def document() -> str:
    figures = {
        "p50_ms": Figure(7.1, "ms", "lower", 10, peers={"hnswlib": 0.13}),
        "recall": Figure(None, "share", "higher", note="not here"),
    }
    return json.dumps(
        {
            "name": "search",
            "machine": {"processor": "a processor", "cores": 2},
            "figures": {key: figure.as_json() for key, figure in figures.items()},
        }
    )


def test_a_run_is_drawn(tmp_path, document) -> None:
    (tmp_path / "run.json").write_text(document)
    result = CliRunner().invoke(main, ["plot", str(tmp_path / "run.json"), str(tmp_path / "a.png")])
    assert result.exit_code == 0, result.output
    assert (tmp_path / "a.png").read_bytes().startswith(_PNG)


@pytest.mark.parametrize(
    ("text", "file", "said"),
    [
        ("no JSON", "a.png", "no output of"),
        ("[1]", "a.png", "no output of"),
        ('{"figures": {}}', "a.png", "no output of"),
        (None, "a.txt", "cannot be drawn"),
        (None, "none/a.png", "cannot be drawn"),
    ],
)
def test_what_cannot_be_drawn_is_an_error(tmp_path, document, text, file, said) -> None:
    (tmp_path / "run.json").write_text(document if text is None else text)
    result = CliRunner().invoke(main, ["plot", str(tmp_path / "run.json"), str(tmp_path / file)])
    assert result.exit_code == 1
    assert said in result.output


def test_every_benchmark_names_its_figures() -> None:
    listed = json.loads(CliRunner().invoke(main, ["list", "--json"]).output)
    assert set(listed) == set(NAMES)
    assert all(listed.values())
