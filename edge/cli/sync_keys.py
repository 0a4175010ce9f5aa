"""`skerry sync keys | role | sign`: who may sign what, and signing where the keys are."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from skerry.edge.cli.options import json_option, option
from skerry.edge.cli.output import emit, table
from skerry.edge.cli.sync_repository import sign_and_release, tell_waiting
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
    from skerry.sync.repository import Repository

_TOKEN = {"default": "", "metavar": "URI", "help": "Take the key on a PKCS#11 token: hsm:ID."}


@click.group()
def keys() -> None:
    """List, add, rotate and revoke keys."""


@keys.command("list", options_metavar="--repo FOLDER [OPTIONS]")
@repository_option
@json_option
def list_(repo: Path, as_json: bool) -> None:
    """List the keys of every role, and where they are."""
    need_sync()
    from skerry.sync.repository import open_repository

    with open_repository(repo, secrets_of(None)) as repository:
        rows = [row for role in _roles(repository) for row in _key_rows(repository, role)]
    if as_json:
        emit("skerry.sync.keys/1", {"keys": rows})
        return
    columns = ("role", "must sign", "good until", "key", "where")
    table("", columns, ([str(value) for value in row.values()] for row in rows))


def _roles(repository: Repository) -> list[str]:
    return ["root", "targets", "snapshot", "timestamp", *repository.channels()]


def _key_rows(repository: Repository, role: str) -> list[dict[str, Any]]:
    threshold = repository.delegator(role).get_delegated_role(role).threshold
    until = f"{repository.until(role):%Y-%m-%d}"
    return [
        {"role": role, "threshold": threshold, "until": until, "key": one,
         "where": repository.settings.keys.get(one, "elsewhere")}
        for one in repository.keys_of(role)
    ]  # fmt: skip


@keys.command(options_metavar="--repo FOLDER [OPTIONS]")
@click.argument("role")
@repository_option
@option("--token", **_TOKEN)
@passphrase_option
@yes_option
@json_option
def add(
    role: str, repo: Path, token: str, passphrase_file: Path | None, yes: bool, as_json: bool
) -> None:
    """Let a further key sign for ROLE."""
    need_sync()
    from skerry.sync.repository.ceremony import add_key

    secrets = secrets_of(passphrase_file)
    _change(repo, passphrase_file, lambda one: add_key(one, role, secrets, token), yes, as_json)


@keys.command(options_metavar="--repo FOLDER [OPTIONS]")
@click.argument("role")
@click.argument("key")
@repository_option
@option("--token", **_TOKEN)
@passphrase_option
@yes_option
@json_option
def rotate(
    role: str,
    key: str,
    repo: Path,
    token: str,
    passphrase_file: Path | None,
    yes: bool,
    as_json: bool,
) -> None:
    """Put a new key of ROLE in the place of KEY (the beginning of its id)."""
    need_sync()
    from skerry.sync.repository.ceremony import rotate_key

    secrets = secrets_of(passphrase_file)
    _change(
        repo, passphrase_file, lambda one: rotate_key(one, role, key, secrets, token), yes, as_json
    )


@keys.command(options_metavar="--repo FOLDER [OPTIONS]")
@click.argument("role")
@click.argument("key")
@repository_option
@passphrase_option
@yes_option
@json_option
def revoke(
    role: str, key: str, repo: Path, passphrase_file: Path | None, yes: bool, as_json: bool
) -> None:
    """Let KEY (the beginning of its id) sign for ROLE no more."""
    need_sync()
    from skerry.sync.repository.ceremony import revoke_key

    _change(repo, passphrase_file, lambda one: revoke_key(one, role, key), yes, as_json)


@keys.command(options_metavar="--repo FOLDER [OPTIONS]")
@click.argument("role")
@click.argument("count", type=int)
@repository_option
@passphrase_option
@yes_option
@json_option
def threshold(
    role: str, count: int, repo: Path, passphrase_file: Path | None, yes: bool, as_json: bool
) -> None:
    """Say that COUNT keys of ROLE must sign."""
    need_sync()
    from skerry.sync.repository.ceremony import set_threshold

    def change(repository: Repository) -> str:
        set_threshold(repository, role, count)
        return f"{count} must sign"

    _change(repo, passphrase_file, change, yes, as_json)


@click.command(options_metavar="--repo FOLDER [OPTIONS]")
@click.argument("name")
@repository_option
@option("--bundles", default="*", show_default=True, help="Names of bundles that it signs for.")
@option("--token", **_TOKEN)
@passphrase_option
@yes_option
@json_option
def role(
    name: str,
    repo: Path,
    bundles: str,
    token: str,
    passphrase_file: Path | None,
    yes: bool,
    as_json: bool,
) -> None:
    """Add the channel NAME, or a role for a device class of one, as CHANNEL.CLASS.

    \b
    skerry sync role beta --repo fleet/
    skerry sync role stable.phone --bundles 'phone-*' --repo fleet/
    """
    need_sync()
    from skerry.sync.repository.ceremony import add_role

    secrets = secrets_of(passphrase_file)
    _change(
        repo,
        passphrase_file,
        lambda one: add_role(one, name, secrets, bundles=bundles, uri=token),
        yes,
        as_json,
    )


def _change(
    repo: Path, passphrase_file: Path | None, change: Any, yes: bool, as_json: bool
) -> None:
    """Drafts a change, shows it, signs it, and serves it when that is enough."""
    from skerry.sync.repository import open_repository

    with open_repository(repo, secrets_of(passphrase_file)) as repository:
        done = change(repository)
        waits = sign_and_release(repository, yes=yes, quiet=as_json)
    if as_json:
        emit("skerry.sync.keys.change/1", {"done": done, "waits_for": waits})
        return
    say(done)
    tell_waiting(waits)


@click.command(options_metavar="[--repo FOLDER] [OPTIONS]")
@option("--repo", type=GivenPath(), envvar="SKERRY_SYNC_REPO", metavar="FOLDER",
        help="Folder of the repository; not needed where a draft is signed.")  # fmt: skip
@option("--export", "out", type=GivenPath(), help="Copy the drafts to this folder, to carry away.")
@option(
    "--bring", type=GivenPath(), multiple=True, help="Take the signatures of this draft; several."
)
@option("--draft", type=GivenPath(), help="Sign this draft, which was carried here.")
@option("--key", type=GivenPath(), help="Key file to sign --draft with.")
@option("--drop", is_flag=True, help="Throw the drafts away.")
@passphrase_option
@yes_option
@json_option
def sign(
    repo: Path | None,
    out: Path | None,
    bring: tuple[Path, ...],
    draft: Path | None,
    key: Path | None,
    drop: bool,
    passphrase_file: Path | None,
    yes: bool,
    as_json: bool,
) -> None:
    """Show what waits for signatures, sign it with the keys that are here, serve it when complete.

    \b
    Keys that are kept elsewhere:
      skerry sync sign --repo fleet/ --export stick/          # carry the drafts away
      skerry sync sign --draft stick/root.json --key root.pem # there: read, sign
      skerry sync sign --repo fleet/ --bring stick/root.json  # back: take signatures, serve
    """
    need_sync()
    if draft is not None:
        if key is None:
            raise click.UsageError("--draft needs --key FILE")
        _sign_file(draft, key, passphrase_file, yes=yes, as_json=as_json)
        return
    if repo is None:
        raise click.UsageError("give --repo FOLDER, or --draft FILE")
    _sign_here(repo, out, bring, passphrase_file, drop=drop, yes=yes, as_json=as_json)


def _sign_file(
    draft: Path, key: Path, passphrase_file: Path | None, *, yes: bool, as_json: bool
) -> None:
    from skerry.sync.repository.ceremony import read_draft, sign_file
    from skerry.sync.repository.review import describe

    name = draft.name.removesuffix(".json")
    agree(describe(name, read_draft(draft), None), yes=yes, quiet=as_json)
    key_id = sign_file(draft, key, secrets_of(passphrase_file))
    if as_json:
        emit("skerry.sync.sign/1", {"role": name, "key": key_id})
    else:
        say(f"signed '{draft}' with {key_id[:12]}")


def _sign_here(
    repo: Path,
    out: Path | None,
    bring: tuple[Path, ...],
    passphrase_file: Path | None,
    *,
    drop: bool,
    yes: bool,
    as_json: bool,
) -> None:
    from skerry.sync.repository import open_repository
    from skerry.sync.repository.ceremony import bring_back

    with open_repository(repo, secrets_of(passphrase_file)) as repository:
        drafted = repository.roles.drafted()
        brought = sum(bring_back(repository, path) for path in bring)
        if drop:
            for one in drafted:
                repository.roles.drop_draft(one)
        elif out is not None:
            out.mkdir(parents=True, exist_ok=True)
            for one in drafted:
                shutil.copyfile(repository.roles.draft_path(one), out / f"{one}.json")
        waits = (
            []
            if drop or out or not drafted
            else sign_and_release(repository, yes=yes, quiet=as_json)
        )
    if as_json:
        emit("skerry.sync.sign/1", {"drafts": drafted, "brought": brought, "waits_for": waits})
        return
    if not drafted:
        say("nothing waits for signatures")
    tell_waiting(waits)
    if drafted and not waits and out is None:
        say("thrown away" if drop else f"signed and served: {', '.join(drafted)}")
