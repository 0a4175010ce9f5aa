"""`skerry cloud collections`: publishes documents that devices search by a vector."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import click

from skerry.edge.cli.index_shown import bar, show_list
from skerry.edge.cli.options import json_option, make_settings, option, settings
from skerry.edge.cli.output import emit, local_time, table
from skerry.edge.terminal import visible_line

if TYPE_CHECKING:
    from skerry.cloud.collections.wire import Info
    from skerry.edge.collections.publishing import Publisher
    from skerry.edge.index import Index
    from skerry.edge.settings import Settings

Command = TypeVar("Command", bound=Callable[..., Any])
SOME_FAILED = 5


def _to(command: Command) -> Command:
    return option(
        "--to",
        "collections_url",
        envvar="SKERRY_COLLECTIONS_URL",
        help="Base URL of the gateway; its key is in SKERRY_COLLECTIONS_API_KEY.",
    )(command)


@click.group()
def collections() -> None:
    """Publish documents that devices search by a vector (docs/collections.md)."""


@collections.command()
@click.argument("name")
@_to
@settings("index")
@json_option
def publish(name: str, as_json: bool, **given: Any) -> None:
    """Make the collection NAME of the gateway hold what the index holds, and nothing else.

    \b
    skerry index add formulary/ --index formulary.sqlite
    skerry cloud collections publish formulary --index formulary.sqlite --to https://…

    Documents with access labels, fluid records, and what is not in force any more stay here. Only
    what the gateway does not have is sent, so that an interrupted command goes on where it was;
    devices see all of it at once, at the end. It needs an operator's key.

    Exit codes: 2 there is nothing to publish, 5 the index cannot be used, 6 the gateway did not
    answer or says no.
    """
    wanted = make_settings(given)
    with (
        _publisher(wanted) as publisher,
        _index(wanted, publisher) as index,
        bar("publishing", quiet=as_json) as progress,
    ):
        done = publisher.publish(name, index, progress)
    if as_json:
        fields = {"collection": _fields(done.info), "parts": done.parts, "sent": done.sent}
        left = {"kept_back": done.kept_back, "orders": done.orders}
        emit("skerry.cloud.collections.publish/1", {**fields, **left})
        return
    info = done.info
    click.echo(
        f"{name}: {info.documents:,} documents, {info.passages:,} passages; "
        f"{done.sent:,} of {done.parts:,} parts were new"
    )
    for why, count in done.kept_back.items():
        click.echo(f"{count:,} left out: {why}", err=True)
    if done.orders:
        click.echo(
            "with passages that read as orders to a model; devices leave them out:", err=True
        )
        show_list(done.orders)


@collections.command("list")
@_to
@json_option
def list_(as_json: bool, **given: Any) -> None:
    """List the collections that the key may search.

    Exit code 6: the gateway did not answer or says no.
    """
    with _publisher(make_settings(given)) as publisher:
        found = publisher.listed()
    if as_json:
        emit("skerry.cloud.collections.list/1", {"collections": [_fields(one) for one in found]})
        return
    columns = ("name", "documents", "passages", "encoder", "published", "version")
    table(
        "",
        columns,
        (
            (one.name, f"{one.documents:,}", f"{one.passages:,}", one.encoder[:32],
             local_time(one.published_at), one.digest[:12])
            for one in found
        ),
    )  # fmt: skip


@collections.command()
@click.argument("name")
@_to
@json_option
def remove(name: str, as_json: bool, **given: Any) -> None:
    """Take the collection NAME away; devices do not find it any more within seconds.

    It needs an operator's key. Exit code 6: there is none, or the gateway did not answer.
    """
    with _publisher(make_settings(given)) as publisher:
        publisher.remove(name)
    if as_json:
        emit("skerry.cloud.collections.remove/1", {"name": name})
    else:
        click.echo(f"removed {visible_line(name)}")


@collections.command()
@click.argument("name")
@_to
@settings("index")
@json_option
def check(name: str, as_json: bool, **given: Any) -> None:
    """Check that devices like this one can search the collection NAME, and that it holds what the
    index holds.

    Exit codes: 5 it does not, 6 the gateway did not answer.
    """
    wanted = make_settings(given)
    with _publisher(wanted) as publisher, ExitStack() as opened:
        there = wanted.index.exists()
        index = opened.enter_context(_index(wanted, publisher)) if there else None
        wrong = publisher.problems(name, index)
    if as_json:
        fields = {"name": name, "ok": not wrong, "problems": wrong}
        emit("skerry.cloud.collections.check/1", fields)
    else:
        click.echo("\n".join(map(visible_line, wrong)) or f"{name}: as it should be")
    if wrong:
        sys.exit(SOME_FAILED)


@contextmanager
def _publisher(wanted: Settings) -> Iterator[Publisher]:
    from skerry.edge import making
    from skerry.edge.bundled import take_bundle
    from skerry.edge.collections.link import Link
    from skerry.edge.collections.publishing import Publisher

    link = Link(making.collections_service(wanted))
    try:
        yield Publisher(link, making.encoder(1, take_bundle(wanted)))
    finally:
        link.close()


@contextmanager
def _index(wanted: Settings, publisher: Publisher) -> Iterator[Index]:
    from skerry.edge.index import Index

    key = wanted.screening_key_file
    opened = Index.open(
        wanted.index, publisher.encoder, make=False, read_only=True, screening_key=key
    )
    with opened as index:
        yield index


def _fields(info: Info) -> dict[str, Any]:
    import msgspec

    fields: dict[str, Any] = msgspec.structs.asdict(info)
    return fields
