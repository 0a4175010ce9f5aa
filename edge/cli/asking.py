"""What `ask` and `chat` make of their options."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from skerry.edge.errors import InputError
from skerry.edge.request import Request

if TYPE_CHECKING:
    from skerry.edge.escalate import Preview
    from skerry.edge.tools import Confirmation

_LARGEST_FILE = 1 << 20


def build_request(
    question: str,
    *,
    session: str | None = None,
    as_of: float | None = None,
    schema: Path | None = None,
    grammar: Path | None = None,
    yes: bool = False,
    confirm_tools: bool = False,
) -> Request:
    """Raises InputError or GrammarError for a schema or grammar that cannot be used."""
    return Request(
        question,
        session=session,
        as_of=as_of,
        grammar=_grammar(schema, grammar),
        approve=approver(yes=yes),
        confirm=confirmer(yes=confirm_tools),
    )


def approver(*, yes: bool) -> Callable[[Preview], bool] | None:
    """Asks on a terminal; approves everything with `--yes`; None, which is no, on a pipe."""
    if yes:
        return _approve
    return _ask_person if sys.stdin.isatty() else None


def confirmer(*, yes: bool) -> Callable[[Confirmation], bool] | None:
    """Asks on a terminal; confirms everything with `--confirm-tools`; None, which is no, on a
    pipe."""
    if yes:
        return _confirm
    return _ask_to_confirm if sys.stdin.isatty() else None


def _confirm(asked: Confirmation) -> bool:
    from skerry.edge.terminal import visible_line

    click.secho(f"confirmed: {visible_line(asked.text)}", dim=True, err=True)
    return True


def _ask_to_confirm(asked: Confirmation) -> bool:
    from skerry.edge.terminal import visible_line

    click.secho(f"This would be done: {visible_line(asked.text)}", bold=True, err=True)
    return click.confirm("Do it?", default=False, err=True)


def _approve(preview: Preview) -> bool:
    click.secho(
        f"sending {preview.size_bytes:,} bytes to {preview.destination}", dim=True, err=True
    )
    return True


def _ask_person(preview: Preview) -> bool:
    """Shows what would leave; nothing in it may act on the terminal and hide a part of it."""
    from skerry.edge.terminal import visible

    click.secho(f"This would leave the device, to {preview.destination}:", bold=True, err=True)
    for message in preview.messages:
        click.echo(f"  {message.role}: {visible(message.text)}", err=True)
    return click.confirm(f"Send {preview.size_bytes:,} bytes?", default=False, err=True)


def _grammar(schema: Path | None, grammar: Path | None) -> str | None:
    if schema is not None:
        from skerry.edge.engines.grammar import json_schema_to_gbnf

        try:
            return json_schema_to_gbnf(json.loads(_read(schema)))
        except ValueError as error:
            raise InputError(f"'{schema}' is not JSON: {error}", hint="mend the file") from None
    return _read(grammar) if grammar is not None else None


def _read(path: Path) -> str:
    try:
        with path.open(encoding="utf-8") as file:
            return file.read(_LARGEST_FILE)
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read '{path}': {error}", hint="check the path") from None
