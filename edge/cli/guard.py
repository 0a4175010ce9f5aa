"""`skerry guard`: each guardrail by itself, on a text, a file, or many texts a line each."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from functools import cache
from typing import TYPE_CHECKING, Any

import click

from skerry.edge.cli.batch import Bad, Item, read_items
from skerry.edge.cli.errors import SCHEMA, error_fields
from skerry.edge.cli.given import Given, Source, read_given
from skerry.edge.cli.options import json_option, option
from skerry.edge.cli.output import emit, table
from skerry.edge.errors import InputError
from skerry.edge.terminal import visible_line
from skerry.guardrails.errors import GuardrailError

if TYPE_CHECKING:
    from skerry.edge.encoder import OnnxEncoder
    from skerry.guardrails.grounding import Grounding, GroundingChecker

SCAN = "skerry.guard.scan/1"
REDACT = "skerry.guard.redact/1"
GROUND = "skerry.guard.ground/1"

Fields = dict[str, Any]
Check = Callable[[Fields], Fields]


def batch_option(command: Callable[..., Any]) -> Callable[..., Any]:
    return option(
        "--batch",
        is_flag=True,
        help='Read JSON lines ("text" or {"id", "text"}), print a JSON line for each.',
    )(command)


def which_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--text` and `--file`: what the arguments are, where that cannot be seen of them."""
    text = option("--text", "is_text", is_flag=True, help="Take arguments for texts, not files.")
    file = option("--file", "is_file", is_flag=True, help="Take arguments for files, not texts.")
    return text(file(command))


@click.group()
def guard() -> None:
    """Try the guardrails by themselves (docs/guardrails.md)."""


@guard.command()
@click.argument("text", metavar="TEXT|FILE")
@which_option
@batch_option
@json_option
def scan(text: str, is_text: bool, is_file: bool, batch: bool, as_json: bool) -> None:
    """Show what the screen finds in TEXT, in a FILE, or in standard input (-).

    Identifiers, secrets, orders to the model, signs of danger: each with its place and score.
    """
    source = _source_of(is_text, is_file, batch)
    if batch:
        _each_line(text, SCAN, _scanned)
        return
    given = read_given(text, source)
    found = _scanned({"text": given.text})
    if as_json:
        emit(SCAN, found | {"read": _where(given)})
    elif found["findings"]:
        table("", ("kind", "label", "start", "end", "score", "text"), map(_row, found["findings"]))
        _tell(f"{len(found['findings'])} found in {given}")
    else:
        click.echo(visible_line(f"nothing found in {given}"))


@guard.command()
@click.argument("text", metavar="TEXT|FILE")
@which_option
@batch_option
@json_option
def redact(text: str, is_text: bool, is_file: bool, batch: bool, as_json: bool) -> None:
    """Show TEXT, a FILE, or standard input (-) as it would leave this device.

    With --json also what was replaced by what. In a batch each line is by itself.
    """
    source = _source_of(is_text, is_file, batch)
    if batch:
        _each_line(text, REDACT, _redacted)
        return
    given = read_given(text, source)
    made = _redacted({"text": given.text})
    if as_json:
        emit(REDACT, made | {"read": _where(given)})
        return
    click.echo(made["text"])
    _tell(f"{len(made['replaced'])} replaced in {given}")


@guard.command()
@click.argument("claim", metavar="CLAIM|FILE")
@click.argument("evidence", metavar="[EVIDENCE|FILE]...", nargs=-1)
@option("--question", default="", help="What the claim answers, where it cannot stand alone.")
@option(
    "--batch",
    is_flag=True,
    help='Read JSON lines {"id", "claim", "evidence", "question"} from FILE (or -) and print a '
    'JSON line for each; "evidence" is a text or a list of texts.',
)
@which_option
@json_option
def ground(
    claim: str,
    evidence: tuple[str, ...],
    question: str,
    batch: bool,
    is_text: bool,
    is_file: bool,
    as_json: bool,
) -> None:
    """Say whether EVIDENCE supports CLAIM, one sentence: supported, contradicted or not_found."""
    source = _source_of(is_text, is_file, batch)
    if batch:
        _each_line(claim, GROUND, _grounded, ("claim",))
        return
    said, *given = [read_given(one, source) for one in (claim, *evidence)]
    texts = [one.text for one in given]
    found = _grounded({"claim": said.text, "evidence": texts, "question": question})
    if as_json:
        read = {"claim": _where(said), "evidence": list(map(_where, given))}
        emit(GROUND, found | {"read": read})
        return
    click.echo(f"{found['label']} ({found['score']:.2f})")
    for one in found["sources"]:
        for miss in one["exact"]:
            click.echo(f"  {miss['kind']}: {visible_line(miss['text'])}")
    _tell(f"claim: {said}; evidence: {', '.join(map(str, given))}")


def _source_of(is_text: bool, is_file: bool, batch: bool) -> Source | None:
    if is_text and (is_file or batch):
        raise click.UsageError(f"--text and {'--batch' if batch else '--file'} exclude each other")
    if is_text or is_file:
        return Source.TEXT if is_text else Source.FILE
    return None


def _where(given: Given) -> Fields:
    """What was read, for `--json`: so that a program sees that it was what it meant."""
    return {"source": given.source, "name": given.name, "characters": len(given.text)}


def _tell(line: str) -> None:
    """For a person, beside the output."""
    click.echo(visible_line(line), err=True)


def _grounded(item: Fields) -> Fields:
    """What the sources say of the claim, all together and each by itself.

    Raises:
        InputError: there is no evidence, or it is no text.
        GuardrailError: the model cannot be used.
    """
    from skerry.guardrails.answer import Evidence
    from skerry.guardrails.grounding import overall

    claim, question = item["claim"], item.get("question", "")
    texts = item.get("evidence")
    texts = [texts] if isinstance(texts, str) else texts
    if not texts or not all(isinstance(one, str) for one in (*texts, question)):
        raise InputError(
            "a claim needs evidence, one text or several", hint="give it after the claim"
        )
    sources = [Evidence(mark, text) for mark, text in enumerate(texts, 1)]
    found = _checker().check_all(claim, sources, question)
    label = overall(found)
    deciding = [one for one in found if one.label == label]
    return {
        "label": label,
        "score": max(one.score for one in deciding),
        "sources": [_source(claim, one) for one in found],
    }


def _source(claim: str, one: Grounding) -> Fields:
    exact = [
        {
            "kind": miss.kind,
            "start": miss.start,
            "end": miss.end,
            "text": claim[miss.start : miss.end],
            "contradicts": miss.contradicts,
        }
        for miss in one.exact
    ]
    return {"label": one.label, "score": one.score, "window": one.window, "exact": exact}


@cache
def _checker() -> GroundingChecker:
    from skerry.guardrails.grounding import GroundingChecker

    return GroundingChecker.load()


def _scanned(item: Fields) -> Fields:
    from skerry.edge.screening import encoding
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
        for one in screen_whole(text, encode=encoding(_encoder()))
    ]
    return {"findings": findings}


@cache
def _encoder() -> OnnxEncoder:
    """The runtime's encoder, for the guardrail heads.

    Raises:
        EncoderError: it cannot be loaded.
    """
    from skerry.edge.encoder import OnnxEncoder

    return OnnxEncoder.load()


def _redacted(item: Fields) -> Fields:
    from skerry.guardrails.pseudonyms import Pseudonyms
    from skerry.guardrails.screen import screen_whole

    pseudonyms = Pseudonyms()
    text = pseudonyms.replace(item["text"], screen_whole(item["text"]))
    return {"text": text, "replaced": pseudonyms.placeholders()}


def _row(finding: Fields) -> Iterable[str]:
    names = ("kind", "label", "start", "end", "score", "text")
    return (str(finding[name]) for name in names)


def _each_line(source: str, schema: str, check: Check, needed: tuple[str, ...] = ("text",)) -> None:
    """Prints a line for each line of `source`; one that cannot be taken says so in its place.

    Exits with 2 where there was such a line; the others were taken.
    """
    failed = False
    for item in read_items(source, needed):
        try:
            made = item if isinstance(item, Bad) else check(item.fields)
        except (GuardrailError, InputError) as error:
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
