"""`skerry guard`: each guardrail by itself, on a text, a file, or many texts a line each."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import Any

import click

from skerry.edge.cli.batch import Bad, Item, read_items, source_text
from skerry.edge.cli.errors import SCHEMA, error_fields
from skerry.edge.cli.options import json_option, option
from skerry.edge.cli.output import emit, table
from skerry.guardrails.errors import GuardrailError

SCAN = "skerry.guard.scan/1"
REDACT = "skerry.guard.redact/1"

Fields = dict[str, Any]
Check = Callable[[Fields], Fields]


def batch_option(command: Callable[..., Any]) -> Callable[..., Any]:
    return option(
        "--batch",
        is_flag=True,
        help='Read JSON lines ("text" or {"id", "text"}), print a JSON line for each.',
    )(command)


@click.group()
def guard() -> None:
    """Try the guardrails by themselves (docs/guardrails.md)."""


@guard.command()
@click.argument("text", metavar="TEXT|FILE")
@batch_option
@json_option
def scan(text: str, batch: bool, as_json: bool) -> None:
    """Show what the screen finds in TEXT, in a FILE, or in standard input (-).

    Identifiers, secrets, orders to the model, signs of danger: each with its place and score.
    """
    if batch:
        _each_line(text, SCAN, _scanned)
        return
    found = _scanned({"text": source_text(text)})
    if as_json:
        emit(SCAN, found)
    elif found["findings"]:
        table("", ("kind", "label", "start", "end", "score", "text"), map(_row, found["findings"]))
    else:
        click.echo("nothing found")


@guard.command()
@click.argument("text", metavar="TEXT|FILE")
@batch_option
@json_option
def redact(text: str, batch: bool, as_json: bool) -> None:
    """Show TEXT, a FILE, or standard input (-) as it would leave this device.

    With --json also what was replaced by what. In a batch each line is by itself.
    """
    if batch:
        _each_line(text, REDACT, _redacted)
        return
    made = _redacted({"text": source_text(text)})
    if as_json:
        emit(REDACT, made)
    else:
        click.echo(made["text"])


def _scanned(item: Fields) -> Fields:
    from skerry.guardrails.screen import screen_whole

    text = item["text"]
    findings = [
        {
            "kind": one.kind,
            "label": one.label,
            "start": one.start,
            "end": one.end,
            "score": one.score,
            "rule": one.rule,
            "text": text[one.start : one.end],
        }
        for one in screen_whole(text)
    ]
    return {"findings": findings}


def _redacted(item: Fields) -> Fields:
    from skerry.guardrails.pseudonyms import Pseudonyms
    from skerry.guardrails.screen import screen_whole

    pseudonyms = Pseudonyms()
    text = pseudonyms.replace(item["text"], screen_whole(item["text"]))
    return {"text": text, "replaced": pseudonyms.placeholders()}


def _row(finding: Fields) -> Iterable[str]:
    names = ("kind", "label", "start", "end", "score", "text")
    return (str(finding[name]) for name in names)


def _each_line(source: str, schema: str, check: Check) -> None:
    """Prints a line for each line of `source`; one that cannot be taken says so in its place.

    Exits with 2 where there was such a line; the others were taken.
    """
    failed = False
    for item in read_items(source):
        try:
            made = item if isinstance(item, Bad) else check(item.fields)
        except GuardrailError as error:
            made = Bad(item.line, error_fields(error))
        if isinstance(made, Bad):
            failed = True
            emit(SCHEMA, {"line": made.line, "error": made.fields})
        else:
            emit(schema, _known(item) | made)
    if failed:
        sys.exit(2)


def _known(item: Item | Bad) -> Fields:
    return {"id": item.fields["id"]} if "id" in item.fields else {}
