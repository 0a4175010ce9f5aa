"""What the commands of `skerry sync` share: places, passphrases, and what is missing."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click

from skerry.edge.cli.options import Command, option
from skerry.edge.cli.types import GivenPath

MAX_PASSPHRASE_BYTES = 4096


def repository_option(command: Command) -> Command:
    """`--repo`: the folder of the operator's repository."""
    return option(
        "--repo", type=GivenPath(), required=True, envvar="SKERRY_SYNC_REPO", metavar="FOLDER",
        help="Folder of the repository.",
    )(command)  # fmt: skip


def passphrase_option(command: Command) -> Command:
    """`--passphrase-file`; asked for where there is none."""
    return option(
        "--passphrase-file", type=GivenPath(), envvar="SKERRY_SYNC_PASSPHRASE_FILE",
        metavar="FILE", help="File with the passphrase of the keys; asked for by default.",
    )(command)  # fmt: skip


def device_option(command: Command) -> Command:
    """`--device`: the folder of this device's bundles."""
    return option(
        "--device", type=GivenPath(), envvar="SKERRY_SYNC_DEVICE", metavar="FOLDER",
        help="Folder of this device's bundles; default: device/ in Skerry's data folder.",
    )(command)  # fmt: skip


def yes_option(command: Command) -> Command:
    """`--yes`: sign without asking."""
    return option("--yes", is_flag=True, help="Sign what is shown without asking.")(command)


def device_folder(given: Path | None) -> Path:
    """Where the device is."""
    from skerry.edge.folders import data_folder

    return given or data_folder() / "device"


def need_sync() -> None:
    """Raises MissingExtra, with the line that installs it, where the libraries are not here."""
    from skerry.sync.errors import MissingExtra

    if missing := [name for name in ("tuf", "cryptography") if find_spec(name) is None]:
        what = f"updates need {' and '.join(missing)}, which {'is' if len(missing) == 1 else 'are'}"
        raise MissingExtra(f"{what} not installed", hint="pip install 'skerry[sync]'")


def secrets_of(file: Path | None, *, new: bool = False) -> Callable[[str], str]:
    """What gives passphrases: the file, or a person, who is asked once.

    Raises:
        KeyFault: the file cannot be read.
    """
    from skerry.sync.errors import KeyFault

    if file is not None:
        try:
            with file.open(encoding="utf-8") as opened:
                text = opened.read(MAX_PASSPHRASE_BYTES).strip("\r\n")
        except (OSError, UnicodeError) as error:
            raise KeyFault(f"the passphrase file '{file}' cannot be read: {error}") from None
        return lambda _name: text
    asked: dict[str, str] = {}

    def ask(name: str) -> str:
        kind = "pin" if name == "pin" else "passphrase"
        if kind not in asked:
            if not sys.stdin.isatty():
                what = f"there is nobody to ask for the {kind} of '{name}'"
                raise KeyFault(what, hint="give --passphrase-file FILE")
            text = "Passphrase for the new keys" if new else f"Passphrase of '{name}'"
            text = "PIN of the token" if kind == "pin" else text
            confirmed = new and kind == "passphrase"
            asked[kind] = click.prompt(
                text, hide_input=True, confirmation_prompt=confirmed, err=True
            )
        return asked[kind]

    return ask


def agree(lines: list[str], *, yes: bool, quiet: bool = False) -> None:
    """Shows what is to be signed, and asks.

    Raises:
        NotReviewed: it was not agreed to.
    """
    from skerry.edge.terminal import visible
    from skerry.sync.errors import NotReviewed

    if not (yes and quiet):
        for line in lines:
            click.echo(visible(line), err=True)
    if yes:
        return
    if not sys.stdin.isatty():
        what = "there is nobody to ask whether this may be signed"
        raise NotReviewed(what, hint="read it, and give --yes")
    if not click.confirm("Sign this?", err=True):
        raise NotReviewed("nothing was signed", hint="the draft stays: `skerry sync sign`")


def say(text: str) -> None:
    """Names in metadata are others' words: they may not act on a terminal."""
    from skerry.edge.terminal import visible

    click.echo(visible(text))


def emit_fields(schema: str, fields: dict[str, Any]) -> None:
    from skerry.edge.cli.output import emit

    emit(schema, fields)
