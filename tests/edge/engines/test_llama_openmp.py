"""Waiting threads give way, unless the environment says otherwise."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from skerry.bundles.llama.openmp import SPINS, VARIABLE, wait_briefly


@pytest.fixture(autouse=True)
def unset(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (VARIABLE, "OMP_WAIT_POLICY"):
        monkeypatch.delenv(name, raising=False)


def test_it_is_set_where_nobody_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "")  # so that it is taken back afterwards
    monkeypatch.delenv(VARIABLE)
    wait_briefly()
    assert os.environ.pop(VARIABLE) == SPINS


@pytest.mark.parametrize("name", [VARIABLE, "OMP_WAIT_POLICY"])
def test_the_environment_wins(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "active")
    wait_briefly()
    assert os.environ[name] == "active"
    assert os.environ.get(VARIABLE) == ("active" if name == VARIABLE else None)


@pytest.mark.model
def test_it_is_set_before_the_library_is_loaded(smollm2: Path) -> None:
    code = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from skerry.edge.engines.llama import load_llama\n"
        "assert 'llama_cpp' not in sys.modules\n"
        "load_llama(Path(sys.argv[1])).close()\n"
        f"print(os.environ['{VARIABLE}'])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(smollm2)], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == SPINS
