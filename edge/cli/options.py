"""Options that commands share, and the runtime that they describe.

Every option has an environment variable, shown in its help. Those that are settings of the
runtime have the setting's own variable, so that both are one thing.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from skerry.edge.cli.completion import model_names

if TYPE_CHECKING:
    from skerry.edge.runtime import Runtime
    from skerry.edge.settings import Settings

Command = TypeVar("Command", bound=Callable[..., Any])

_SETTINGS: dict[str, dict[str, Any]] = {
    "model": {
        "help": "Model: a name from `skerry models`, or a path.",
        "shell_complete": model_names,
    },
    "bundle": {
        "help": "Bundle to run: its model and all its parts, instead of --model.",
        "type": click.Path(path_type=Path),
    },
    "index": {"help": "File of the document index.", "type": click.Path(path_type=Path)},
    "state": {"help": "File of sessions and receipts.", "type": click.Path(path_type=Path)},
    "policy": {"help": "Policy over the default one.", "type": click.Path(path_type=Path)},
    "profile": {"help": "Device profile by name."},
    "threads": {"help": "Threads of a model.", "type": int},
    "context_tokens": {"help": "Tokens of context.", "type": int},
    "offline": {"help": "Never use the network.", "is_flag": True},
    "consent": {
        "help": "What may leave the device.",
        "type": click.Choice(["never", "ask", "granted"]),
    },
    "sensitivity": {
        "help": "Least sensitivity of the request.",
        "type": click.Choice(["public", "internal", "personal", "clinical"]),
    },
    "cloud_url": {"help": "Base URL of an OpenAI-compatible service."},
    "cloud_model": {"help": "Model to ask for there."},
    "collections": {"help": "Cloud collections to search, too, separated by commas."},
    "labels": {"help": "Access labels that you hold, separated by commas."},
    "domain": {"help": "Search only documents of this domain."},
    "role": {"help": "Your role, for the rules of tools."},
    "appointments": {
        "help": "File of the appointment book.",
        "type": click.Path(path_type=Path),
    },
    "tool_rules": {
        "help": "Rules for tools in place of the default ones.",
        "type": click.Path(path_type=Path),
    },
    "max_tokens": {"help": "Most tokens of an answer.", "type": int},
    "temperature": {"help": "Sampling temperature; 0 is greedy.", "type": float},
    "seed": {"help": "Seed of sampling.", "type": int},
    "host": {"help": "Address to bind."},
    "port": {"help": "Port; 0 takes a free one.", "type": int},
    "parallel": {"help": "Requests decoded together.", "type": int},
    "models_dir": {"help": "Folder of models.", "type": click.Path(path_type=Path)},
    "profiles_dir": {"help": "Folder of device profiles.", "type": click.Path(path_type=Path)},
    "api_key_file": {"help": "File of the API key.", "type": click.Path(path_type=Path)},
}
PLACES = ("index", "state", "policy", "profile", "appointments", "tool_rules")
GENERATING = ("model", "bundle", "threads", "context_tokens", "max_tokens", "temperature", "seed")
ASKING = (
    "offline", "consent", "sensitivity", "cloud_url", "cloud_model", "collections", "labels",
    "domain", "role",
)  # fmt: skip


def settings(*names: str) -> Callable[[Command], Command]:
    """Options for these settings; a command passes its keywords on to `make_settings`."""

    def decorate(command: Command) -> Command:
        for name in reversed(names):
            command = _option(name, _SETTINGS[name])(command)
        return command

    return decorate


def _option(name: str, attributes: dict[str, Any]) -> Callable[[Command], Command]:
    return click.option(
        f"--{name.replace('_', '-')}",
        name,
        envvar=f"SKERRY_{name.upper()}",
        show_envvar=True,
        default=None,
        **attributes,
    )


def option(*names: str, **attributes: Any) -> Callable[[Command], Command]:
    """An option of one command, whose help shows its environment variable."""
    return click.option(*names, show_envvar=True, **attributes)


def json_option(command: Command) -> Command:
    """`--json`: one JSON object (or one a line, where a command streams) on standard output."""
    return option("--json", "as_json", is_flag=True, help="Print JSON (docs/json.md).")(command)


def make_settings(given: dict[str, Any]) -> Settings:
    """The settings, with those of `given` that are not None over the environment and the file.

    Warns on standard error of variables that look like misspelt settings, and logs from now on.
    """
    from skerry.edge.cli import logs
    from skerry.edge.settings import Settings, unknown_variables

    for wrong in unknown_variables():
        click.echo(f"{wrong.name} is no setting; did you mean {wrong.nearest}?", err=True)
    wanted = Settings(**{name: value for name, value in given.items() if value is not None})
    logs.start(wanted.log_level)
    return wanted


def make_runtime(given: dict[str, Any]) -> Runtime:
    """The runtime that `given` describes, of a command that may take a model.

    Raises:
        ConfigError: a setting is wrong.
        ModelError: a model was named that is not here. The default one is not looked for: many
            answers need no model.
    """
    from skerry.edge.runtime import Runtime

    wanted = make_settings(given)
    if "model" in given and wanted.model != type(wanted).model_fields["model"].default:
        _check_model(wanted)
    return Runtime(wanted)


def _check_model(wanted: Settings) -> None:
    from skerry.edge.engines.models import catalogue

    catalogue(wanted.models_dir).find(wanted.model)
