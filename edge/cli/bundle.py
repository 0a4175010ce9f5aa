"""`skerry bundle`: what a folder holds for devices, whether it is whole, what changed."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import click

from skerry.edge.cli.options import json_option
from skerry.edge.cli.output import emit, plain, table
from skerry.edge.cli.types import GivenPath

if TYPE_CHECKING:
    from pathlib import Path

    from skerry.bundles import Bundle, Difference, Variant, Verification
    from skerry.bundles.diff import ValueChange

_DAMAGED = 4
_MOST_SHOWN = 40
_LONGEST = 60


@click.group()
def bundle() -> None:
    """Verify, show and compare bundles: what devices run, as folders."""


@bundle.command()
@click.argument("folder", type=GivenPath())
@json_option
def verify(folder: Path, as_json: bool) -> None:
    """Compare every file of the bundle in FOLDER with its digest, and load every part of it.

    Exit code 4 where a file differs, a part cannot be used, or parts do not fit together.
    """
    from skerry.bundles import read_bundle, verify_bundle
    from skerry.edge.cli.bars import bytes_bar

    bundle = read_bundle(folder)
    with bytes_bar("verifying", total=bundle.manifest.size, quiet=as_json) as told:
        found = verify_bundle(folder, told)
        if found.ok:
            found = _with_parts(found, bundle)
    if as_json:
        emit("skerry.bundle.verify/1", {"ok": found.ok, **_fields(found)})
    else:
        for problem in found.problems:
            _say(f"{problem.path}: {problem.what}")
        _say(f"{found.name}: {'sound' if found.ok else 'DAMAGED'}, {found.files} files, "
             f"{found.bytes_read / 1e6:,.1f} MB read, digest {found.digest}")  # fmt: skip
    if not found.ok:
        sys.exit(_DAMAGED)


@bundle.command()
@click.argument("folder", type=GivenPath())
@json_option
def show(folder: Path, as_json: bool) -> None:
    """Show what the bundle in FOLDER holds. Reads no content: see `skerry bundle verify`."""
    from skerry.bundles import open_bundle

    opened = open_bundle(folder)
    if as_json:
        emit("skerry.bundle.show/1", _shown(opened))
    else:
        _print(opened)


@bundle.command()
@click.argument("before", type=GivenPath())
@click.argument("after", type=GivenPath())
@json_option
def diff(before: Path, after: Path, as_json: bool) -> None:
    """Show what is other in the bundle AFTER than in BEFORE."""
    from skerry.bundles import compare, open_bundle

    old, new = open_bundle(before), open_bundle(after)
    found = compare(old.manifest, new.manifest)
    if as_json:
        digests = {"before": old.digest, "after": new.digest, "same": found.same}
        emit("skerry.bundle.diff/1", {**digests, **_fields(found)})
    else:
        for line in _changes(found):
            _say(line)


def _with_parts(found: Verification, bundle: Bundle) -> Verification:
    """What the runtime's own readers make of the parts: of sound files only."""
    from dataclasses import replace

    from skerry.edge.bundled.fitting import part_problems

    return replace(found, problems=tuple(part_problems(bundle)))


def _shown(opened: Bundle) -> dict[str, Any]:
    import msgspec

    from skerry.edge.bundled.carried import unknown
    from skerry.edge.bundled.used import parts_of

    fields = {"path": str(opened.folder), "digest": opened.digest, "size": opened.manifest.size}
    parts = [plain(one) for one in parts_of(opened.manifest)]
    said = {"parts": parts, "not_run": unknown(opened.manifest)}
    return {**fields, **said, "manifest": msgspec.to_builtins(opened.manifest)}


def _print(opened: Bundle) -> None:
    manifest = opened.manifest
    _say(f"{manifest.name}: {manifest.size / 1e6:,.1f} MB in {len(manifest.files)} files")
    _say(f"digest {opened.digest}\n")
    for model in manifest.models:
        made = f"from {model.source.name} ({model.source.sha256[:12]})"
        _say(f"{model.kind}: {model.name}, {model.architecture}, {model.licence}, {made}")
    columns = ("variant", "format", "precision", "MB", "profiles", "notes")
    click.echo()
    table("", columns, (_row(opened, one) for one in manifest.variants))
    click.echo()
    table("", ("role", "MB", "path"), _files(opened))
    click.echo()
    table("", ("part", "from", "digest"), _parts(opened))
    for path in _not_run(opened):
        _say(f"not run by this version: {path}")
    _say("\nmade with " + ", ".join(f"{tool.name} {tool.version}" for tool in manifest.tools))


def _row(opened: Bundle, variant: Variant) -> tuple[str, ...]:
    size = opened.manifest.size_of(variant)
    profiles = ", ".join(one.profile for one in variant.suits)
    fixed = (variant.name, variant.format, variant.precision, f"{size / 1e6:,.1f}")
    return (*fixed, profiles, "; ".join(variant.notes))


def _parts(opened: Bundle) -> Iterator[tuple[str, ...]]:
    """What a runtime that runs it is made of, and where from."""
    from skerry.edge.bundled.used import parts_of

    for one in parts_of(opened.manifest):
        yield one.name, one.origin, one.digest[:12]


def _not_run(opened: Bundle) -> list[str]:
    from skerry.edge.bundled.carried import unknown

    return unknown(opened.manifest)


def _files(opened: Bundle) -> Iterator[tuple[str, ...]]:
    from skerry.bundles import Role

    for file in opened.manifest.files:
        if file.role is not Role.VARIANT:
            yield file.role, f"{file.size / 1e6:,.2f}", file.path


def _changes(found: Difference) -> Iterator[str]:
    if found.same:
        yield "the same"
        return
    files = (f"{_sizes(file.before, file.after)}  {file.path}" for file in found.files)
    yield from _some(files, "files")
    for variant in found.variants:
        yield f"variant {variant.name}: {_sizes(variant.before, variant.after).strip()}"
        values = (f"  {_change(one)}" for one in variant.values)
        yield from _some(values, "values")
    yield from _some((_change(one) for one in found.values), "values")
    yield f"{found.new_bytes / 1e6:,.1f} MB are new"


def _change(one: ValueChange) -> str:
    before, after = (text if len(text := str(value)) <= _LONGEST else f"{text[:_LONGEST]}…"
                     for value in (one.before, one.after))  # fmt: skip
    return f"{one.key}: {before} -> {after}"


def _some(lines: Iterable[str], what: str) -> Iterator[str]:
    """The first of many, and how many more there are."""
    listed = list(lines)
    yield from listed[:_MOST_SHOWN]
    if (more := len(listed) - _MOST_SHOWN) > 0:
        yield f"and {more} more {what} (--json has them all)"


def _sizes(before: int | None, after: int | None) -> str:
    if before is None or after is None:
        size = before if after is None else after
        return f"{'removed' if after is None else 'added':8} {size:>14,}"
    return f"{'changed':8} {before:>14,} -> {after:,}"


def _fields(record: object) -> dict[str, Any]:
    made = plain(record)
    assert isinstance(made, dict), "records are dataclasses"
    return made


def _say(text: str) -> None:
    """Names in a bundle are others' words: they may not act on a terminal."""
    from skerry.edge.terminal import visible

    click.echo(visible(text))
