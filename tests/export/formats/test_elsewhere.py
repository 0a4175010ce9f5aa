"""Tools in another Python: found by a variable, run as a process, clear where they fail."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from skerry.export.errors import MissingExtra, OutputFailed
from skerry.export.formats.elsewhere import Elsewhere

VARIABLE = "SKERRY_TEST_PYTHON"
TOOL = Elsewhere(VARIABLE, ("numpy",), ("numpy",), "pip install numpy")
ABSENT = Elsewhere(VARIABLE, ("a_tool_that_nobody_has",), (), "pip install it")


def test_this_python_where_none_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    assert TOOL.python() == sys.executable
    assert TOOL.missing() is None
    assert ABSENT.missing() == "pip install it"
    with pytest.raises(MissingExtra, match=f"a_tool_that_nobody_has.*{VARIABLE}"):
        ABSENT.check("exporting")


def test_the_python_that_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(VARIABLE, sys.executable)
    assert ABSENT.python() == sys.executable
    monkeypatch.setenv(VARIABLE, str(tmp_path / "none"))
    assert TOOL.missing() == "pip install numpy"


def test_versions_are_asked_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, sys.executable)
    import numpy as np

    assert TOOL.versions() == {"numpy": np.__version__}
    with pytest.raises(OutputFailed):
        ABSENT.versions()


def test_a_script_runs_with_skerry_on_its_path(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text("import sys, skerry.export.errors\nprint(sys.argv[1])")
    assert TOOL.run(script, "said") == "said\n"


def test_a_script_that_fails_has_its_last_words_told(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text("raise ValueError('no such thing')")
    with pytest.raises(OutputFailed, match="ValueError: no such thing") as caught:
        TOOL.run(script)
    assert caught.value.hint == "pip install numpy"


def test_what_is_no_python_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "python").write_text("")
    monkeypatch.setenv(VARIABLE, str(tmp_path / "python"))
    with pytest.raises(OutputFailed, match="did not run"):
        TOOL.run(tmp_path / "script.py")
