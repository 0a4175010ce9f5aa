"""`skerry chat`: a conversation that this device keeps."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from skerry.edge.cli.options import ASKING, GENERATING, PLACES, make_runtime, option, settings

if TYPE_CHECKING:
    from skerry.edge.runtime import Runtime

_HELP = "/explain shows why, /new starts afresh, /quit ends"


@click.command()
@settings(*GENERATING, *PLACES, *ASKING)
@option("--session", metavar="ID", help="Continue this conversation.")
@option("--receipt/--no-receipt", default=False, help="Show the receipt of every answer.")
@option("--json", "as_json", is_flag=True, help="Questions in, one a line; `skerry.ask/1` out.")
def chat(session: str | None, receipt: bool, as_json: bool, **given: Any) -> None:
    """Talk, keeping the conversation on this device. End with /quit or Ctrl-D.

    In a pipe, one question a line.
    """
    with make_runtime(given) as runtime:
        identity = session or runtime.parts.sessions.create().id
        if not as_json:
            click.secho(f"session {identity}; {_HELP}", dim=True, err=True)
        for line in _lines():
            identity = _turn(runtime, line, identity, receipt=receipt, as_json=as_json)


def _turn(runtime: Runtime, line: str, session: str, *, receipt: bool, as_json: bool) -> str:
    """Answers one line, or does what it says; returns the session to go on with."""
    from skerry.edge.cli.ask import SCHEMA, print_answer
    from skerry.edge.cli.asking import build_request
    from skerry.edge.cli.errors import print_error
    from skerry.edge.cli.output import emit
    from skerry.edge.errors import EdgeError
    from skerry.edge.fields import reply_fields

    if line == "/new":
        return runtime.parts.sessions.create().id
    if line == "/explain":
        _explain(runtime)
        return session
    try:
        request = build_request(line, session=session)
        if as_json:
            emit(SCHEMA, reply_fields(runtime.ask(request)))
        else:
            print_answer(runtime.stream(request), receipt=receipt)
    except EdgeError as error:
        print_error(error, as_json=as_json)  # the conversation goes on
    return session


def _explain(runtime: Runtime) -> None:
    from skerry.edge.cli.output import console
    from skerry.edge.receipts.render import render

    console().print(render(runtime.parts.receipts.get("last")))


def _lines() -> Iterator[str]:
    """What a person types, without blank lines; ends at /quit or the end of input."""
    while True:
        try:
            line = input("› " if sys.stdin.isatty() else "").strip()
        except EOFError:
            return
        if line == "/quit":
            return
        if line:
            yield line
