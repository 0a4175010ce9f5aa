"""`skerry index rm`: what it removes, and when it asks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from skerry.edge.cli.index import index
from skerry.edge.errors import InputError


class Shell:
    """Runs the commands on one index, with a person at the keyboard if `answers` are given."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.docs = folder / "docs"
        self._place = ["--index", str(folder / "i.db")]
        self._monkeypatch = monkeypatch

    def __call__(self, *arguments: str, answer: str | None = None) -> Result:
        with self._monkeypatch.context() as patch:
            if answer is not None:
                patch.setattr("skerry.edge.cli.index.has_person", lambda: True)
            return CliRunner().invoke(index, [*arguments, *self._place], input=answer)

    def left(self) -> list[str]:
        done = self("ls", "--all", "--json")
        return [Path(it["source"]).name for it in json.loads(done.stdout)["documents"]]


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    shell = Shell(tmp_path, monkeypatch)
    (shell.docs / "sub").mkdir(parents=True)
    for name in ("a.txt", "sub/b.txt", "sub/c.txt"):
        (shell.docs / name).write_text(f"This is {name}.")
    records = tmp_path / "records.jsonl"
    lines = ({"source": "rota", "key": key, "text": f"On call: {key}"} for key in "xy")
    records.write_text("\n".join(map(json.dumps, lines)))
    assert shell("add", str(shell.docs)).exit_code == 0
    assert shell("ingest", str(records)).exit_code == 0
    return shell


ALL = ["a.txt", "b.txt", "c.txt", "rota", "rota"]


@pytest.mark.parametrize("what", ["sub", "rota"])
@pytest.mark.parametrize("more", [(), ("--json",)])
def test_many_are_not_removed_unasked(shell: Shell, what: str, more: tuple[str, ...]) -> None:
    done = shell("rm", what if what == "rota" else str(shell.docs / what), *more)
    assert isinstance(done.exception, InputError)
    assert "2 documents" in done.exception.what
    assert "--yes" in done.exception.hint
    assert shell.left() == ALL


def test_many_are_listed_and_asked_about(shell: Shell) -> None:
    asked = shell("rm", str(shell.docs / "sub"), answer="n\n")
    assert asked.exit_code == 1
    assert "b.txt" in asked.stderr
    assert "Remove 2 documents" in asked.stderr
    assert "nothing was removed" in asked.stderr
    assert shell.left() == ALL
    assert shell("rm", str(shell.docs / "sub"), answer="y\n").exit_code == 0
    assert shell.left() == ["a.txt", "rota", "rota"]


def test_yes_asks_nothing(shell: Shell) -> None:
    done: dict[str, Any] = json.loads(shell("rm", str(shell.docs), "--yes", "--json").stdout)
    assert done["removed"] == 3
    assert [Path(it["source"]).name for it in done["documents"]] == ALL[:3]
    assert shell.left() == ["rota", "rota"]


def test_one_document_with_all_its_versions_goes_unasked(shell: Shell) -> None:
    (shell.docs / "a.txt").write_text("This is another text.")
    shell("add", str(shell.docs / "a.txt"))
    assert shell("rm", str(shell.docs / "a.txt")).stdout == "removed 2 document(s)\n"
    assert "a.txt" not in shell.left()


@pytest.mark.parametrize("name", ["\N{SUPERSCRIPT TWO}", "9" * 30, "9" * 5000, "0"])
def test_what_looks_like_a_number_is_only_not_there(shell: Shell, name: str) -> None:
    assert isinstance(shell("rm", name).exception, InputError)
