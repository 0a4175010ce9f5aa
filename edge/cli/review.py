"""`skerry review`: what waits for a person, and what people say of answers."""

from __future__ import annotations

import getpass
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from skerry.edge.cli.options import json_option, make_settings, option, settings
from skerry.edge.cli.output import emit, local_time, table

if TYPE_CHECKING:
    from skerry.edge.receipts import Receipt
    from skerry.edge.review import Review, ReviewStore

LIST = "skerry.review.list/1"
SHOW = "skerry.review.show/1"

_MOST_LISTED = 100_000
_JUDGEMENTS = ("right", "wrong", "incomplete", "unsafe", "should_refuse", "should_answer")


@click.group()
def review() -> None:
    """See what waits for a person; answer it; correct answers (docs/review.md)."""


def by_option(command: Any) -> Any:
    return option("--by", default=_user, show_default="your user name", help="Who says so.")(
        command
    )


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # no such user in the system's list
        return "somebody"


@review.command("list")
@option("--all", "all_", is_flag=True, help="Those that are done as well.")
@option(
    "--limit",
    type=click.IntRange(1, _MOST_LISTED),
    default=50,
    show_default=True,
    help="How many, the most urgent first.",
)
@settings("state")
@json_option
def list_(all_: bool, limit: int, as_json: bool, **given: Any) -> None:
    """List what waits for a person, the most urgent first."""
    with _store(given) as store:
        found = store.list(limit, waiting=not all_)
    if as_json:
        emit(LIST, {"reviews": [_fields(one) for one in found]})
    elif not found:
        click.echo("nothing waits for a person")
    else:
        table("", ("id", "when", "status", "due", "question"), map(_row, found))


@review.command()
@click.argument("review_id", metavar="ID")
@settings("state")
@json_option
def show(review_id: str, as_json: bool, **given: Any) -> None:
    """Show a request with its sources and its whole trace. ID may be the start of one."""
    with _store(given) as store:
        found = store.get(review_id)
    receipt = _receipt(found.id, given)
    if as_json:
        from skerry.edge.fields import receipt_fields

        trace = receipt_fields(receipt) if receipt else None
        emit(SHOW, {"review": _fields(found), "receipt": trace})
        return
    _print(found)
    if receipt:
        from skerry.edge.cli.output import console
        from skerry.edge.receipts.render import render

        console().print(render(receipt))


@review.command()
@click.argument("review_id", metavar="ID")
@click.argument("text", metavar="[TEXT|-]", default="-")
@by_option
@settings("state")
@json_option
def answer(review_id: str, text: str, by: str, as_json: bool, **given: Any) -> None:
    """Answer a request that waits, with TEXT or standard input.

    In a conversation the answer is added to it.
    """
    from skerry.edge.cli.batch import typed_text

    with _store(given) as store:
        done = store.answer(review_id, typed_text(text), by=by)
    _tell_session(done, given)
    _report(done, as_json=as_json)


@review.command()
@click.argument("review_id", metavar="ID")
@click.argument("judgement", type=click.Choice(_JUDGEMENTS))
@click.argument("text", metavar="[TEXT|-]", required=False)
@by_option
@settings("state", "index")
@json_option
def correct(
    review_id: str, judgement: str, text: str | None, by: str, as_json: bool, **given: Any
) -> None:
    """Judge the answer of receipt ID, and give a better one. It becomes a labelled example."""
    from skerry.edge.cli.batch import typed_text
    from skerry.edge.review import Judgement, ReviewNotFound

    better = None if text is None else typed_text(text)
    with _store(given) as store:
        try:
            known = store.get(review_id).id
        except ReviewNotFound:
            known = _add_given(store, review_id, given)
        done = store.correct(known, Judgement(judgement), better, by=by)
    if not make_settings(given).store_text:
        click.echo("no text is kept, so this makes no example: set SKERRY_STORE_TEXT", err=True)
    _report(done, as_json=as_json)


@review.command()
@option("--out", type=click.Path(path_type=Path), help="File; standard output without it.")
@settings("state")
def examples(out: Path | None, **given: Any) -> None:
    """Write what people said as labelled examples, a JSON line each, oldest first."""
    from skerry.edge.review import example_line

    with _store(given) as store:
        found = store.done()
    lines = [line for one in found if (line := example_line(one))]
    text = "".join(f"{line}\n" for line in lines)
    if out is None:
        click.echo(text, nl=False)
        return
    _write(out, text)
    click.echo(f"{len(lines)} example(s) in {out}")


def _write(out: Path, text: str) -> None:
    from skerry.edge.errors import InputError

    try:
        out.write_text(text, "utf-8")
    except OSError as error:
        what = f"the examples cannot be written to '{out}': {error.strerror}"
        raise InputError(what, hint="name another file with --out") from error


def _store(given: dict[str, Any]) -> ReviewStore:
    from skerry.edge.review import ReviewStore

    wanted = make_settings(given)
    return ReviewStore.open(wanted.state, keep_text=wanted.store_text)


def _add_given(store: ReviewStore, receipt_id: str, given: dict[str, Any]) -> str:
    """Takes an answer that was given under review; the id of its receipt."""
    from skerry.edge.errors import ReceiptNotFound
    from skerry.edge.review import review_of

    receipt = _receipt(receipt_id, given)
    if receipt is None:
        raise ReceiptNotFound(
            f"no receipt {receipt_id[:64]!r}", hint="`skerry receipts` lists those of late"
        )
    store.add(review_of(receipt, _said(receipt, given)))
    return receipt.id


def _said(receipt: Receipt, given: dict[str, Any]) -> str:
    """The answer that the receipt belongs to, where its conversation still has it."""
    from skerry.edge.errors import SessionNotFound
    from skerry.edge.session import SessionStore

    if receipt.session is None:
        return ""
    with SessionStore.open(make_settings(given).state) as sessions:
        try:
            turns = sessions.get(receipt.session).turns
        except SessionNotFound:
            return ""
    return next((turn.text for turn in turns if turn.receipt_id == receipt.id), "")


def _receipt(receipt_id: str, given: dict[str, Any]) -> Receipt | None:
    from skerry.edge.errors import ReceiptNotFound
    from skerry.edge.receipts import ReceiptStore, Retention

    wanted = make_settings(given)
    retention = Retention(store_text=wanted.store_text)
    with ReceiptStore.open(wanted.state, retention=retention) as receipts:
        try:
            return receipts.get(receipt_id)
        except ReceiptNotFound:
            return None


def _tell_session(done: Review, given: dict[str, Any]) -> None:
    """Adds a person's answer to the conversation that it was asked in, if that is still there."""
    from skerry.edge.errors import SessionNotFound
    from skerry.edge.session import SessionStore

    if done.session is None or done.answer is None:
        return
    with SessionStore.open(make_settings(given).state) as sessions:
        try:
            sessions.append(done.session, "assistant", f"{done.by}: {done.answer}", done.id)
        except SessionNotFound:
            click.echo("the conversation is gone; the answer is kept here", err=True)


def _report(done: Review, *, as_json: bool) -> None:
    if as_json:
        emit(SHOW, {"review": _fields(done), "receipt": None})
    else:
        click.echo(f"{done.status}: {done.id}")


def _fields(one: Review) -> dict[str, Any]:
    from dataclasses import asdict

    return {**asdict(one), "late": one.is_late(time.time())}


def _row(one: Review) -> tuple[str, ...]:
    due = "-" if one.deadline_at is None or one.done_at else local_time(one.deadline_at)
    late = " (late)" if one.is_late(time.time()) else ""
    return (
        one.id[:18],
        local_time(one.created_at),
        one.status,
        f"{due}{late}",
        one.question or "-",
    )


def _print(one: Review) -> None:
    from skerry.edge.terminal import visible

    lines = [one.question or "(the question's text is not kept)", "", f"{one.status}: {one.why}"]
    if one.deadline_at is not None and one.done_at is None:
        late = ", which has passed" if one.is_late(time.time()) else ""
        lines.append(f"wanted by {local_time(one.deadline_at)}{late}")
    lines += [f"meanwhile: {one.shown}"] if one.shown else []
    for source in one.sources:
        place = " › ".join((source.title, *source.heading))
        lines += ["", f"[{source.mark}] {place}", source.text]
    if one.done_at is not None:
        judged = f"{one.judgement}: " if one.judgement else ""
        lines += ["", f"{one.by}, {local_time(one.done_at)}: {judged}{one.answer or ''}"]
    click.echo(visible("\n".join(lines)))
