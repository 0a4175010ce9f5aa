"""`skerry sync delta`: make, apply, show, check and choose deltas of model files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from skerry.edge.cli.bars import bytes_bar
from skerry.edge.cli.options import json_option, option
from skerry.edge.cli.output import emit, table
from skerry.edge.cli.types import GivenPath

if TYPE_CHECKING:
    from pathlib import Path

    from skerry.sync.delta.container import Delta
    from skerry.sync.delta.plan import Route

_from = option("--from", "olds", type=GivenPath(), multiple=True, metavar="FILE",
               help="An old file; several in the order in which the delta was made.")  # fmt: skip


@click.group()
def delta() -> None:
    """Say a new model file by an old one that devices have."""


@delta.command()
@click.argument("new", type=GivenPath())
@_from
@option("--out", type=GivenPath(), required=True, help="The delta, to be made.")
@json_option
def make(new: Path, olds: Sequence[Path], out: Path, as_json: bool) -> None:
    """Make a delta that makes NEW from old files.

    \b
    skerry sync delta make v2.gguf --from v1.gguf --out v1-v2.delta
    """
    from skerry.sync.delta import make_delta

    with _bar("comparing", new, quiet=as_json) as told:
        made = make_delta(olds, new, out, told)
    if as_json:
        emit("skerry.sync.delta.make/1", {"path": str(out), **_facts(made.delta, made.size)})
    else:
        _print(out, made.delta, made.size)


@delta.command()
@click.argument("deltas", type=GivenPath(), nargs=-1, required=True, metavar="DELTA...")
@_from
@option("--out", type=GivenPath(), required=True, help="The new file, to be made.")
@option("--partial", type=GivenPath(), help="The first bytes of the new file, if a download of it "
        "did not finish.")  # fmt: skip
@json_option
def apply(
    deltas: Sequence[Path], olds: Sequence[Path], out: Path, partial: Path | None, as_json: bool
) -> None:
    """Make the new file of DELTA from old files. Several deltas are applied one after the other,
    each to what the one before made.

    If it is stopped, the same command goes on from there.
    """
    from skerry.sync.delta.chain import apply_chain
    from skerry.sync.delta.inspect import open_delta

    total = sum(open_delta(one).target.size for one in deltas)
    with bytes_bar("making", total=total, quiet=as_json) as told:
        made = apply_chain(deltas, olds, out, partial=partial, told=told)
    if as_json:
        fields = {"path": str(out), "size": made.size, "sha256": made.sha256, "kept": made.kept}
        emit("skerry.sync.delta.apply/1", fields)
    else:
        _say(f"{out}: {made.size:,} bytes, sha256 {made.sha256}")


@delta.command()
@click.argument("path", metavar="DELTA", type=GivenPath())
@json_option
def show(path: Path, as_json: bool) -> None:
    """Show what DELTA is made from, what it makes, and how."""
    from skerry.sync.delta.inspect import open_delta

    head, size = open_delta(path), path.stat().st_size
    if as_json:
        emit("skerry.sync.delta.show/1", {"path": str(path), **_facts(head, size)})
    else:
        _print(path, head, size)


@delta.command()
@click.argument("path", metavar="DELTA", type=GivenPath())
@_from
@json_option
def verify(path: Path, olds: Sequence[Path], as_json: bool) -> None:
    """Check that DELTA makes what it says from old files, without keeping what it makes."""
    from skerry.sync.delta.inspect import open_delta, verify_delta

    total = open_delta(path).target.size
    with bytes_bar("verifying", total=total, quiet=as_json) as told:
        head = verify_delta(path, olds, told)
    fields = {"ok": True, "path": str(path), "sha256": head.target.sha256.hex(), "size": total}
    if as_json:
        emit("skerry.sync.delta.verify/1", fields)
    else:
        _say(f"{path}: sound, makes {total:,} bytes with sha256 {fields['sha256']}")


@delta.command()
@click.argument("deltas", type=GivenPath(), nargs=-1, metavar="DELTA...")
@option("--have", type=GivenPath(), multiple=True, help="A file that the device has.")
@option("--target", type=GivenPath(), required=True, help="The new file.")
@json_option
def plan(deltas: Sequence[Path], have: Sequence[Path], target: Path, as_json: bool) -> None:
    """Say which of the deltas to fetch, or the whole file: whatever is the fewest bytes."""
    from skerry.sync.delta.files import opened, version_of
    from skerry.sync.delta.inspect import offer
    from skerry.sync.delta.plan import cheapest

    versions = []
    for path in (*have, target):
        with opened(path) as file, _bar(f"reading {path.name}", path, quiet=as_json) as told:
            versions.append(version_of(file, told))
    *there, wanted = versions
    route = cheapest(
        [offer(one) for one in deltas],
        frozenset(one.sha256.hex() for one in there),
        wanted.sha256.hex(),
        wanted.size,
    )
    if as_json:
        emit("skerry.sync.delta.plan/1", _route(route))
    else:
        _print_route(route, wanted.size)


def _route(route: Route | None) -> dict[str, Any]:
    if route is None:
        return {"fetch": "nothing", "deltas": [], "fetched": 0, "written": 0}
    names = [one.name for one in route.offers]
    what = "full" if route.full else "delta" if len(names) == 1 else "chain"
    return {"fetch": what, "deltas": names, "fetched": route.fetched, "written": route.written}


def _print_route(route: Route | None, size: int) -> None:
    if route is None:
        _say("the device has it already")
    elif route.full:
        _say(f"the whole file: {size:,} bytes")
    else:
        for one in route.offers:
            _say(f"{one.name}: {one.size:,} bytes")
        _say(f"{route.fetched:,} bytes, {route.fetched / max(size, 1):.1%} of the whole file")


def _bar(what: str, path: Path, *, quiet: bool) -> Any:
    return bytes_bar(what, total=path.stat().st_size if path.is_file() else 0, quiet=quiet)


def _facts(head: Delta, size: int) -> dict[str, Any]:
    from skerry.sync.delta.inspect import shares

    return {
        "size": size,
        "sources": [{"size": one.size, "sha256": one.sha256.hex()} for one in head.sources],
        "target": {"size": head.target.size, "sha256": head.target.sha256.hex()},
        "steps": list(shares(head)),
    }


def _print(path: Path, head: Delta, size: int) -> None:
    from skerry.sync.delta.inspect import shares

    part = f"{size / head.target.size:.2%}" if head.target.size else "all"
    _say(f"{path}: {size:,} bytes, {part} of the {head.target.size:,} that it makes")
    for number, one in enumerate(head.sources, 1):
        _say(f"from {number}: {one.size:,} bytes, sha256 {one.sha256.hex()}")
    _say(f"makes:  {head.target.size:,} bytes, sha256 {head.target.sha256.hex()}\n")
    rows = ((one.kind, f"{one.steps:,}", f"{one.output:,}", f"{one.payload:,}")
            for one in shares(head))  # fmt: skip
    table("", ("step", "number", "makes", "takes"), rows)


def _say(text: str) -> None:
    """Names of files are others' words: they may not act on a terminal."""
    from skerry.edge.terminal import visible

    click.echo(visible(text))
