"""Help, completion, environment variables, exit codes, and what a wrong call is told."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from skerry.edge.cli.app import COMMANDS, app

ROOT = Path(__file__).parents[3]
QUESTION = "How often is the emergency trolley checked?"


def _walk(
    group: click.Group, path: tuple[str, ...] = ()
) -> list[tuple[tuple[str, ...], click.Command]]:
    found = []
    for name in group.list_commands(click.Context(group)):
        command = group.get_command(click.Context(group), name)
        assert command is not None
        found.append(((*path, name), command))
        if isinstance(command, click.Group):
            found += _walk(command, (*path, name))
    return found


EVERY = _walk(app)  # type: ignore[arg-type]


@pytest.mark.parametrize(("path", "command"), EVERY, ids=[" ".join(path) for path, _ in EVERY])
def test_every_command_and_option_has_help(path: tuple[str, ...], command: click.Command) -> None:
    assert command.help
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, f"{path}: {parameter.opts}"
            assert parameter.show_envvar, f"{path}: {parameter.opts} shows no variable"


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_is_in_the_documentation(name: str) -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    assert any(re.search(rf"skerry {name}\b", page.read_text()) for page in pages)


def test_help_imports_no_command() -> None:
    code = (
        "import sys; from click.testing import CliRunner; from skerry.edge.cli.app import app; "
        "done = CliRunner().invoke(app, ['--help']); assert done.exit_code == 0, done.output; "
        "heavy = {'numpy', 'pydantic', 'rich', 'llama_cpp', 'onnxruntime', 'fastapi'}; "
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"


def test_importing_the_room_is_light() -> None:
    code = (
        "import sys; import skerry.edge; from skerry.edge import Runtime; "
        "heavy = {'torch', 'llama_cpp', 'onnxruntime', 'fastapi', 'rich', 'pydantic_settings'}; "
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(skerry, shell: str) -> None:
    done = skerry(env={"_SKERRY_COMPLETE": f"{shell}_source"})
    assert "skerry" in done.out


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("frobnicate",), 2, "No such command"),
        (("ask", "--frob", "x"), 2, "No such option"),
        (("ask", ""), 2, "empty"),
        (("ask", "x", "--max-tokens", "many"), 2, "valid integer"),
        (("ask", "x", "--max-tokens", "0"), 3, "greater than"),
        (("index", "ls", "--index", "/dev/null/index"), 5, "/dev/null/index"),
        (("ask", QUESTION, "--offline", "--model", "/nowhere.gguf"), 4, "nowhere.gguf"),
        (("ask", "x", "--policy", "/nowhere.toml"), 3, "nowhere.toml"),
        (("ask", "x", "--profile", "toaster"), 3, "toaster"),
        (("ask", QUESTION, "--model", "nope"), 4, "smollm2-135m-instruct"),
        (("chat", "--model", "nope"), 4, "no model named 'nope'"),
        (("explain", "ffff"), 2, ""),
        (("index", "add", "/nowhere"), 5, "nowhere"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_a_wrong_call(skerry, arguments: tuple[str, ...], code: int, words: str) -> None:
    done = skerry(*arguments)
    assert done.code == code, done.err
    assert words in done.err
    assert "Traceback" not in done.err
    as_json = skerry(*arguments, "--json")
    assert as_json.code == code
    if as_json.json["schema"] == "skerry.error/1":
        assert as_json.json["error"]["what"]


@pytest.mark.parametrize("arguments", [("index", "ls"), ("receipts",), ("models",)])
def test_a_misspelt_variable_is_warned_of(skerry, arguments: tuple[str, ...]) -> None:
    done = skerry(*arguments, "--json", env={"SKERRY_OFLINE": "1", "SKERRY_UNRELATED_TOOL": "x"})
    assert done.code == 0, done.err
    assert done.err.splitlines() == ["SKERRY_OFLINE is no setting; did you mean SKERRY_OFFLINE?"]
    assert done.json


def completed(skerry, *words: str, env: dict[str, str] | None = None) -> list[str]:
    """What bash is offered for the last of `words`."""
    typed = {"COMP_WORDS": " ".join(("skerry", *words)), "COMP_CWORD": str(len(words))}
    done = skerry(env={**typed, "_SKERRY_COMPLETE": "bash_complete", **(env or {})})
    assert done.err == ""
    return [line.partition(",")[2] for line in done.out.split()]


@pytest.mark.parametrize("command", [("ask",), ("chat",), ("serve",), ("demo",)])
def test_models_are_completed(skerry, command: tuple[str, ...]) -> None:
    assert "smollm2" in completed(skerry, *command, "--model", "smo")
    assert completed(skerry, *command, "--model", "zzz") == []


def test_receipts_are_completed_without_any(skerry) -> None:
    assert completed(skerry, "explain", "la") == ["last"]


def test_completion_with_a_wrong_setting_offers_nothing(skerry) -> None:
    assert completed(skerry, "ask", "--model", "smo", env={"SKERRY_PORT": "many"}) == []


def test_an_option_is_an_environment_variable(skerry) -> None:
    done = skerry("ask", "x", env={"SKERRY_PROFILE": "toaster"})
    assert done.code == 3
    assert "toaster" in done.err


def test_a_wrong_file_of_settings_names_line_and_key(skerry, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text('offline = true\nport = "many"\n')
    done = skerry("ask", "x", env={"SKERRY_CONFIG": str(config)})
    assert done.code == 3
    assert "line 2" in done.err
    assert "port" in done.err


def test_the_reference_is_what_the_commands_say() -> None:
    from skerry.edge.cli.reference import reference

    written = (ROOT / "docs" / "cli.md").read_text()
    assert written == reference(), "run: python -m skerry.edge.cli.reference > docs/cli.md"
