"""`skerry sync init | publish | versions | recall | refresh`: the operator's side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from skerry.edge.cli.options import json_option, option
from skerry.edge.cli.output import emit, table
from skerry.edge.cli.sync_shared import (
    agree,
    need_sync,
    passphrase_option,
    repository_option,
    say,
    secrets_of,
    yes_option,
)
from skerry.edge.cli.types import GivenPath

if TYPE_CHECKING:
    from collections.abc import Sequence

    from skerry.sync.repository import Published, Repository
    from skerry.sync.repository.deltas import MadeDelta


def _pairs(values: tuple[str, ...], what: str) -> dict[str, int]:
    """`role=2` as {"role": 2}."""
    found = {}
    for value in values:
        name, _, number = value.partition("=")
        if not name or not number.isdecimal():
            raise click.UsageError(f"'{value}' is not {what}, such as root=2")
        found[name] = int(number)
    return found


@click.command()
@click.argument("repo", type=GivenPath())
@option("--channel", "channels", multiple=True, default=("stable",), show_default=True,
        help="Channel; several.")  # fmt: skip
@option("--keys", "keys", metavar="ROLE=N", multiple=True, help="Keys of a role; 1 by default.")
@option("--threshold", metavar="ROLE=N", multiple=True, help="How many must sign; 1 by default.")
@option("--expiry", metavar="ROLE=DAYS", multiple=True,
        help="Days until root, targets, channel, snapshot or timestamp run out.")  # fmt: skip
@option("--token", "tokens", metavar="ROLE=URI", multiple=True,
        help="Take the key on a PKCS#11 token, such as root=hsm:2?label=NAME.")  # fmt: skip
@option("--store", default="", metavar="URL", help="Serve from a bucket: s3://BUCKET/PREFIX.")
@passphrase_option
@json_option
def init(
    repo: Path,
    channels: tuple[str, ...],
    keys: tuple[str, ...],
    threshold: tuple[str, ...],
    expiry: tuple[str, ...],
    tokens: tuple[str, ...],
    store: str,
    passphrase_file: Path | None,
    as_json: bool,
) -> None:
    """Make a repository in the folder REPO: keys, the root of trust, and what devices are served.

    \b
    skerry sync init fleet/ --keys root=3 --threshold root=2 --channel stable --channel beta
    """
    need_sync()
    import msgspec

    from skerry.sync.repository import Layout, create
    from skerry.sync.repository.settings import Expiry

    days = _pairs(expiry, "a role and days")
    if unknown := days.keys() - set(Expiry.__struct_fields__):
        raise click.UsageError(f"there is no expiry of '{unknown.pop()}'")
    layout = Layout(
        channels=tuple(dict.fromkeys(channels)),
        keys=_pairs(keys, "a role and a number"),
        threshold=_pairs(threshold, "a role and a number"),
        tokens=_tokens(tokens),
        expiry_days=msgspec.structs.replace(Expiry(), **days),
        store=store,
    )
    made = create(repo, layout, secrets_of(passphrase_file, new=True))
    root = made.roles.path("root", 1)
    if as_json:
        emit("skerry.sync.init/1", {"path": str(repo), "root": str(root), "channels": channels})
        return
    say(f"made '{repo}'; serve '{made.settings.store or repo / 'public'}' to devices")
    say(f"devices trust '{root}': bring it to them by a way that is safe")
    say(f"keep the keys of root and targets off this machine: they are in '{repo / 'keys'}'")


def _tokens(values: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for value in values:
        role, _, uri = value.partition("=")
        if not uri:
            raise click.UsageError(f"'{value}' is not a role and a URI")
        found[role] = (*found.get(role, ()), uri)
    return found


@click.command(options_metavar="--repo FOLDER --channel NAME [OPTIONS]")
@click.argument("bundle", type=GivenPath())
@repository_option
@option("--channel", required=True, help="Channel, or device class as CHANNEL.CLASS.")
@option("--version", default="", help="Name of this version; default: the next number.")
@option("--not-latest", is_flag=True, help="Devices take it only when a rollout offers it.")
@option("--deltas", type=click.IntRange(0, 32), default=2, show_default=True,
        help="Make deltas from so many versions before it.")  # fmt: skip
@passphrase_option
@yes_option
@json_option
def publish(
    bundle: Path,
    repo: Path,
    channel: str,
    version: str,
    not_latest: bool,
    deltas: int,
    passphrase_file: Path | None,
    yes: bool,
    as_json: bool,
) -> None:
    """Publish the bundle in the folder BUNDLE: store its content, make deltas from the versions
    before it, show what is signed, sign, serve.

    \b
    skerry sync publish bundle/ --repo fleet/ --channel stable
    """
    need_sync()
    from skerry.bundles import read_bundle
    from skerry.edge.cli.bars import bytes_bar
    from skerry.sync.repository import open_repository
    from skerry.sync.repository import publish as put

    total = read_bundle(bundle).manifest.size
    with open_repository(repo, secrets_of(passphrase_file)) as repository:
        with bytes_bar("store", total=total, quiet=as_json) as told:
            done = put(
                repository, bundle, channel, version=version, latest=not not_latest, told=told
            )
        made = _make_deltas(repository, done, deltas, quiet=as_json)
        waits = sign_and_release(repository, yes=yes, quiet=as_json)
    _told(done, waits, made, as_json=as_json)


def _make_deltas(
    repository: Repository, done: Published, versions: int, *, quiet: bool
) -> list[MadeDelta]:
    """Shows how far it is: large files take a while."""
    from skerry.edge.cli.bars import bytes_bar
    from skerry.sync.repository.deltas import changes, make_deltas

    wanted = changes(repository, done, versions)
    if not wanted:
        return []
    total = sum(change.size for change in wanted)
    with bytes_bar("deltas", total=total, quiet=quiet) as told:
        return list(make_deltas(repository, wanted, told))


def sign_and_release(repository: Repository, *, yes: bool, quiet: bool) -> list[str]:
    """Shows the drafts, signs them with the keys that are here, and serves them when that is
    enough; gives the roles that still need signatures.

    Raises:
        NotReviewed: it was not agreed to.
    """
    from skerry.sync.repository import review

    agree(review(repository), yes=yes, quiet=quiet)
    for role in repository.roles.drafted():
        repository.sign(role)
    waits = [role for role in repository.roles.drafted() if repository.missing(role)]
    if not waits:
        repository.release()
    return waits


def tell_waiting(waits: list[str]) -> None:
    for role in waits:
        say(f"'{role}' needs more signatures: `skerry sync sign --help`; nothing was served")


def _told(
    done: Published, waits: list[str], deltas: Sequence[MadeDelta] = (), *, as_json: bool
) -> None:
    from dataclasses import asdict

    if as_json:
        made = [{**asdict(one.change), "bytes": one.bytes} for one in deltas]
        emit("skerry.sync.publish/1", {**asdict(done), "waits_for": waits, "deltas": made})
        return
    for one in deltas:
        change, share = one.change, one.bytes / one.change.size
        where = f"'{change.path}' from version {change.version}"
        say(f"delta to {where}: {one.bytes / 1e6:,.2f} MB, {share:.1%} of the file")
    tell_waiting(waits)
    if not waits:
        size = f"{done.bytes / 1e6:,.1f} MB, {done.bytes_new / 1e6:,.1f} new"
        say(f"published {done.name} {done.version} in {done.channel} ({size})")


@click.command(options_metavar="--repo FOLDER [OPTIONS]")
@repository_option
@json_option
def versions(repo: Path, as_json: bool) -> None:
    """List what was published, by channel."""
    need_sync()
    from dataclasses import asdict

    from skerry.sync.repository import open_repository, published

    with open_repository(repo, secrets_of(None)) as repository:
        found = {role: published(repository, role) for role in repository.channels()}
        latest = {role: _latest(repository, role) for role in found}
    rows = [(role, one, one.target in latest[role]) for role, many in found.items() for one in many]
    if as_json:
        fields = [{"role": role, "latest": now, **asdict(one)} for role, one, now in rows]
        emit("skerry.sync.versions/1", {"versions": fields})
        return
    columns = ("role", "bundle", "version", "MB", "digest", "")
    table("", columns, (_row(*row) for row in rows))


def _latest(repository: Repository, role: str) -> set[str]:
    """Targets that the role says are the latest of their bundles."""
    found: list[Any] = [file.custom for file in repository.targets(role).targets.values()]
    return {str(one["target"]) for one in found if isinstance(one, dict) and "target" in one}


def _row(role: str, one: Published, now: bool) -> tuple[str, ...]:
    size = f"{one.bytes / 1e6:,.1f}"
    return (role, one.name, one.version, size, one.digest[:12], "latest" if now else "")


@click.command(options_metavar="--repo FOLDER --channel NAME [OPTIONS]")
@click.argument("bundle")
@click.argument("version")
@repository_option
@option("--channel", required=True, help="Channel, or device class as CHANNEL.CLASS.")
@passphrase_option
@yes_option
@json_option
def recall(
    bundle: str,
    version: str,
    repo: Path,
    channel: str,
    passphrase_file: Path | None,
    yes: bool,
    as_json: bool,
) -> None:
    """Make VERSION of the bundle named BUNDLE the latest of the channel again."""
    need_sync()
    from skerry.sync.repository import open_repository
    from skerry.sync.repository.publish import recall as put_back

    with open_repository(repo, secrets_of(passphrase_file)) as repository:
        done = put_back(repository, channel, bundle, version)
        waits = sign_and_release(repository, yes=yes, quiet=as_json)
    _told(done, waits, as_json=as_json)


@click.command(options_metavar="--repo FOLDER [OPTIONS]")
@repository_option
@passphrase_option
@json_option
def refresh(repo: Path, passphrase_file: Path | None, as_json: bool) -> None:
    """Sign snapshot and timestamp anew, for a timer: run it well before they run out."""
    need_sync()
    from skerry.sync.repository import open_repository

    with open_repository(repo, secrets_of(passphrase_file)) as repository:
        done = repository.refresh()
        until = {role: f"{repository.until(role):%Y-%m-%dT%H:%MZ}" for role in done}
    if as_json:
        emit("skerry.sync.refresh/1", {"good_until": until})
    else:
        say("; ".join(f"{role} is good until {when}" for role, when in until.items()))
