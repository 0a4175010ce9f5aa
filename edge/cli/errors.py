"""How an error ends a command: one line for a person, one object for `--json`, an exit code."""

from __future__ import annotations

import errno
import json
import os
import signal
import sys
from contextlib import suppress
from typing import NoReturn

import click

from skerry.edge.cli.ending import code_of
from skerry.edge.errors import EdgeError

SCHEMA = "skerry.error/1"
_OUTPUT_FAULTS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EBADF})


class OutputFault(EdgeError):
    """Standard output takes nothing. What goes to files has errors of its own."""

    code = "output"

    def __init__(self, error: OSError) -> None:
        what = f"the output cannot be written: {error.strerror}"
        super().__init__(what, hint="check where standard output goes")


class FormWithheld(EdgeError):
    """Nothing can be answered in the form that was wanted; `what` says why."""

    code = "form_withheld"
    exit_code = 8


def report(error: Exception) -> int:
    """Prints `error` and returns the exit code. Set SKERRY_DEBUG=1 for a traceback."""
    if os.environ.get("SKERRY_DEBUG"):
        raise error
    if isinstance(error, OSError) and error.errno in _OUTPUT_FAULTS and not error.filename:
        error = OutputFault(error)
    if isinstance(error, click.ClickException) and not _wants_json():
        with suppress(OSError):
            error.show()
        return error.exit_code
    for as_json in (_wants_json(), False):  # standard error may take what standard output does not
        with suppress(OSError):
            print_error(error, as_json=as_json)
            break
    return int(getattr(error, "exit_code", 1))


def leave_at_once(number: int) -> NoReturn:
    """Ends after the signal `number`. A second one may have cut short the closing of a model, which
    then still computes: an interpreter that ends in order would take its memory away from under
    it."""
    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, signal.SIG_IGN)
    with suppress(OSError):
        click.echo("interrupted" if number == signal.SIGINT else "terminated", err=True)
        sys.stdout.flush()
    os._exit(code_of(number))


def print_error(error: Exception, *, as_json: bool) -> None:
    """Prints what happened and what to do next."""
    fields = error_fields(error)
    if as_json:
        click.echo(json.dumps({"schema": SCHEMA, "error": fields}))
        return
    from skerry.edge.terminal import visible

    click.echo(visible(f"skerry: {fields['what']}"), err=True)
    if fields["hint"]:
        click.echo(visible(f"  {fields['hint']}"), err=True)


def _wants_json() -> bool:
    return "--json" in sys.argv


def error_fields(error: Exception) -> dict[str, object]:
    """`code`, `what`, `hint`, `retryable` of an error of ours, of click's, or of anybody's."""
    if isinstance(error, click.ClickException):
        return {
            "code": "usage",
            "what": error.format_message(),
            "hint": "see --help",
            "retryable": False,
        }
    known = hasattr(error, "what")
    return {
        "code": getattr(error, "code", "internal"),
        "what": getattr(error, "what", None) or f"{type(error).__name__}: {error}",
        "hint": getattr(error, "hint", "")
        if known
        else "this is a fault of Skerry's; set SKERRY_DEBUG=1 for a traceback and report it",
        "retryable": bool(getattr(error, "retryable", False)),
    }
