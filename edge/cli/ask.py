"""`skerry ask`: one question, a streamed answer, its sources, and the receipt."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from skerry.edge.cli.options import (
    ASKING,
    GENERATING,
    PLACES,
    json_option,
    make_runtime,
    option,
    settings,
)
from skerry.edge.cli.types import When, moment

if TYPE_CHECKING:
    from skerry.edge.cli.prose import Prose
    from skerry.edge.events import Citation, Event, Reply

SCHEMA = "skerry.ask/1"
EVENT_SCHEMA = "skerry.event/1"


@click.command()
@click.argument("question", nargs=-1)
@settings(*GENERATING, *PLACES, *ASKING)
@option("--session", metavar="ID", help="Continue this conversation.")
@option("--as-of", type=When(moment), help="Ask what was in force then; at the end of a day.")
@option("--schema", type=click.Path(path_type=Path), help="Answer as JSON of this JSON schema.")
@option("--grammar", type=click.Path(path_type=Path), help="Answer in this GBNF grammar.")
@option("--receipt/--no-receipt", default=None, help="Show the receipt; default: on a terminal.")
@option("--yes", is_flag=True, help="Approve what policy wants approved before it leaves.")
@option("--confirm-tools", is_flag=True, help="Confirm what a tool would change.")
@option("--stream", is_flag=True, help="With --json: one object a line, as things happen.")
@json_option
def ask(
    question: tuple[str, ...],
    session: str | None,
    as_of: Any,
    schema: Path | None,
    grammar: Path | None,
    receipt: bool | None,
    yes: bool,
    confirm_tools: bool,
    stream: bool,
    as_json: bool,
    **given: Any,
) -> None:
    """Ask one question. Without QUESTION, or with -, it is read from standard input.

    Quotation marks keep what the shell would take for itself, such as ? and *.

    \b
    skerry ask "How often is the emergency trolley checked?"
    skerry ask --offline --json "What is the fridge temperature?" | jq .answer
    """
    from skerry.edge.cli.asking import build_request
    from skerry.edge.cli.index_shown import tell_of_day

    text = _question(question)
    with make_runtime(given) as runtime:
        request = build_request(
            text,
            session=session,
            as_of=as_of,
            schema=schema,
            grammar=grammar,
            yes=yes,
            confirm_tools=confirm_tools,
        )
        events = runtime.stream(request)
        if as_json:
            _print_json(events, stream=stream)
        else:
            shown = sys.stdout.isatty() if receipt is None else receipt
            show = print_answer if request.grammar is None else print_form
            if not show(events, receipt=shown).citations:
                tell_of_day(as_of)


def print_answer(events: Iterator[Event], *, receipt: bool) -> Reply:
    """Prints text as it is released, then the sources, then perhaps the receipt."""
    from skerry.edge.cli.prose import Prose
    from skerry.edge.events import Finished

    prose, reply = Prose(), None
    try:
        for event in events:
            _show(event, prose)
            reply = event.reply if isinstance(event, Finished) else None
    finally:
        prose.end()  # an error has a line of its own
    assert reply is not None, "a stream ends with Finished"
    _print_end(reply, receipt=receipt)
    return reply


def print_form(events: Iterator[Event], *, receipt: bool) -> Reply:
    """Prints an answer in a form alone, so that it can be read by a program; the rest goes to
    standard error, and so do fixed words in its place.

    Raises:
        FormWithheld: nothing could be answered in that form.
    """
    from skerry.edge.cli.prose import Prose
    from skerry.edge.events import Finished, TextReleased
    from skerry.edge.terminal import visible

    said = list(events)
    reply = next(one.reply for one in said if isinstance(one, Finished))
    if reply.verdict != "withheld":
        click.echo(visible(reply.text))
    for event in said:
        if not isinstance(event, TextReleased):
            _show(event, Prose())
    _print_end(reply, receipt=receipt, err=True)
    if reply.verdict == "withheld":
        from skerry.edge.cli.errors import FormWithheld

        raise FormWithheld(reply.text)
    return reply


def _show(event: Event, prose: Prose) -> None:
    """Prints what there is to see of an event."""
    from skerry.edge.events import SourcesFound, TextReleased, TierFailed
    from skerry.edge.receipts.words import ANSWERERS, NO_DOCUMENTS
    from skerry.edge.terminal import visible

    match event:
        case TextReleased(text):
            prose.print(text)
        case SourcesFound(_, read_as, no_documents):
            if read_as is not None:
                click.secho(f"(read as: {visible(read_as)})", dim=True, err=True)
            if no_documents:
                click.secho(f"({NO_DOCUMENTS})", fg="yellow", err=True)
        case TierFailed(_, following, why):
            prose.end()
            click.echo(f"({why}; next: {ANSWERERS[following]})", err=True)


def _print_end(reply: Reply, *, receipt: bool, err: bool = False) -> None:
    """`err`: to standard error."""
    from skerry.edge.receipts.words import (
        LEFT_OUT,
        NOT_SURE,
        UNFOUNDED,
        collection_line,
        is_hedged,
        is_unfounded,
        is_unsure,
        left_out,
        unverified,
    )

    for one in reply.receipt.collections:
        if one.outcome in ("failed", "not_sent"):
            click.secho(f"(collection {collection_line(one)})", fg="yellow", err=True)
    if told := unverified(reply.receipt):
        click.secho(f"({told})", fg="yellow", err=err)
    if left_out(reply.receipt):
        click.secho(f"({LEFT_OUT})", fg="yellow", err=err)
    if is_unfounded(reply.receipt):
        click.secho(f"({UNFOUNDED})", fg="yellow", err=err)
    if is_unsure(reply.receipt) and not is_hedged(reply.receipt):
        click.secho(f"({NOT_SURE})", dim=True, err=err)
    for citation in reply.citations:
        click.secho(f"  {_source_line(citation)}", dim=True, err=err)
    if reply.receipt.answered_by == "human":
        click.secho(f"It waits for a person: skerry review show {reply.receipt.id[:18]}", dim=True)
    if receipt:
        from skerry.edge.cli.output import console
        from skerry.edge.receipts.render import render

        console().print(render(reply.receipt))


def _source_line(citation: Citation) -> str:
    from skerry.edge.terminal import visible

    chunk = citation.chunk
    place = " › ".join((chunk.title, *chunk.heading[1:]))
    version = f", version {chunk.version}" if chunk.version else ""
    where = f", of the cloud collection {chunk.collection}" if chunk.collection else ""
    return visible(f"[{citation.mark}] {place}{version} ({chunk.source}{where})")


def _print_json(events: Iterator[Event], *, stream: bool) -> None:
    from skerry.edge.cli.output import emit
    from skerry.edge.events import Finished
    from skerry.edge.fields import event_fields, reply_fields

    for event in events:
        if stream:
            emit(EVENT_SCHEMA, event_fields(event))
        elif isinstance(event, Finished):
            emit(SCHEMA, reply_fields(event.reply))


def _question(given: tuple[str, ...]) -> str:
    """The words in a row, as the shell may have parted them."""
    if given and given != ("-",):
        return " ".join(given)
    if not given and sys.stdin.isatty():
        raise click.UsageError("no question: give one, or pipe one in")
    return sys.stdin.buffer.read(2_000_000).decode(errors="surrogateescape")
