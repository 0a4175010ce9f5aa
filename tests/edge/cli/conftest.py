"""Runs `skerry` as a person does: another process, an environment of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema
import pytest

SCHEMAS = Path(__file__).parents[3] / "docs" / "schemas" / "cli.schema.json"


@dataclass(frozen=True)
class Done:
    """How a run of the command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The one object on standard output, checked against its written contract."""
        (line,) = self.out.splitlines()
        return check_contract(json.loads(line))

    @property
    def json_lines(self) -> list[dict[str, Any]]:
        return [check_contract(json.loads(line)) for line in self.out.splitlines()]


def check_contract(printed: dict[str, Any]) -> dict[str, Any]:
    document = json.loads(SCHEMAS.read_text())
    name = printed["schema"]
    assert name in document["$defs"], f"no written contract for {name}"
    jsonschema.validate(printed, {**document, "$ref": f"#/$defs/{name.replace('/', '~1')}"})
    return printed


Skerry = Callable[..., Done]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


COMMAND = (sys.executable, "-c", "from skerry.edge.cli import main; main()")


@pytest.fixture(scope="module")
def environment(home: Path) -> dict[str, str]:
    """Nobody's settings, and a home of one's own."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("SKERRY_")}
    places = ("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME")
    return {**clean, **dict.fromkeys(places, str(home))}


@pytest.fixture(scope="module")
def skerry(home: Path, environment: dict[str, str]) -> Skerry:
    """Runs the command with a home of its own, which the tests of a module share."""

    def run(*arguments: str, stdin: str = "", env: dict[str, str] | None = None) -> Done:
        done = subprocess.run(
            [*COMMAND, *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            env={**environment, **(env or {})},
            cwd=home,
            timeout=240,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    return run
