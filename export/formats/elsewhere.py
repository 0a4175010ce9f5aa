"""Tools that live in a Python environment of their own, since their pins fit no other.

An environment variable names the interpreter; without it, this one is used if it has the tool.
What is run there is a script of Skerry's, with this Skerry on its path.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import skerry.export
from skerry.export.errors import MissingExtra, OutputFailed
from skerry.export.formats.needs import is_installed
from skerry.export.with_parent import last_words, script_command

_TIMEOUT_S = 2 * 3600
_LOOK_TIMEOUT_S = 120
_LOOK = """
import importlib.metadata as m, importlib.util as u, json, sys
modules, packages = json.loads(sys.argv[1])
if any(u.find_spec(one) is None for one in modules):
    sys.exit(3)
print(json.dumps({one: m.version(one).partition("+")[0] for one in packages}))
"""


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """`variable` names the interpreter, which has `modules`; `install` makes it."""

    variable: str
    modules: tuple[str, ...]
    packages: tuple[str, ...]
    install: str

    def python(self) -> str | None:
        """The interpreter, or None when nothing has the tool."""
        named = os.environ.get(self.variable)
        if named:
            return named if Path(named).is_file() else None
        return sys.executable if all(map(is_installed, self.modules)) else None

    def missing(self) -> str | None:
        """None, or the commands that make the environment."""
        return None if self.python() else self.install

    def check(self, what: str) -> None:
        """Raises MissingExtra when nothing has the tool; `what` is what needs it."""
        if self.python() is None:
            names = ", ".join(self.modules)
            what = f"{what} needs {names}, in an environment of its own ({self.variable})"
            raise MissingExtra(what, hint=self.install)

    def versions(self) -> dict[str, str]:
        """Of `packages`, as that interpreter has them."""
        import json

        self.check("this")
        asked = json.dumps([self.modules, self.packages])
        command = [str(self.python()), "-c", _LOOK, asked]
        said: dict[str, str] = json.loads(self._start(command, _LOOK_TIMEOUT_S))
        return said

    def run(self, script: Path, *given: str) -> str:
        """Runs a script there; returns what it printed.

        Raises:
            OutputFailed: it failed, with its last words.
        """
        self.check("this")
        return self._start(script_command(str(self.python()), script, *given), _TIMEOUT_S)

    def _start(self, command: list[str], limit: float) -> str:
        try:
            done = subprocess.run(  # noqa: S603  (an interpreter that the user named)
                command,
                capture_output=True, text=True, timeout=limit, check=False, env=_environment(),
            )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired) as error:
            raise OutputFailed(
                f"'{self.python()}' did not run: {error}", hint=self.install
            ) from error
        if done.returncode != 0:
            last = last_words(done.returncode, done.stderr)
            raise OutputFailed(f"'{self.python()}' failed: {last}", hint=self.install)
        return done.stdout


def _environment() -> dict[str, str]:
    root = Path(str(skerry.export.__file__)).parents[2]
    quiet = {"HF_HUB_OFFLINE": "1", "DO_NOT_TRACK": "1", "TOKENIZERS_PARALLELISM": "false"}
    return {**os.environ, **quiet, "PYTHONPATH": str(root)}
