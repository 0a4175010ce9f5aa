"""`skerry sync check | apply | status | rollback | confirm | import | watch`: the device's side."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from skerry.edge.cli.options import json_option, option
from skerry.edge.cli.output import emit, local_time
from skerry.edge.cli.sync_server import offers_of
from skerry.edge.cli.sync_shared import device_folder, device_option, need_sync, say
from skerry.edge.cli.types import GivenPath

if TYPE_CHECKING:
    from skerry.edge.cli.options import Command
    from skerry.sync.client import Applied, Client, Means
    from skerry.sync.client.source import Source

_CHECKS = ("model", "files")


def _applying(command: Command) -> Command:
    """Options of what takes updates."""
    for one in (
        option("--health", type=click.Choice(_CHECKS), default="model", show_default=True,
               help="Try a new bundle with prompts, or only compare its files."),
        option("--metered", is_flag=True, help="This network is metered."),
        option("--now", is_flag=True, help="Whatever the rules for hours and bandwidth say."),
        option("--again", is_flag=True, help="Also a version that this device refused before."),
        option("--verify", is_flag=True, help="Read every byte of what is installed first."),
        device_option,
    ):  # fmt: skip
        command = one(command)
    return command


@click.command()
@device_option
@json_option
def check(device: Path | None, as_json: bool) -> None:
    """Say what is offered to this device. Exit code 0, whether there is something or not."""
    need_sync()
    import msgspec

    with _client(device, health="files") as client:
        offer = client.check()
        why = client.state.why_refused(offer.digest, offer.id) if offer else ""
        running = client.state.running()
    if as_json:
        fields = msgspec.to_builtins(offer) if offer else None
        emit("skerry.sync.check/1", {"offer": fields, "refused": why})
        return
    if offer is None:
        say(f"up to date: version {running.version}" if running else "nothing is offered")
    else:
        say(f"version {offer.version} is offered" + (f"; refused here: {why}" if why else ""))


@click.command()
@_applying
@json_option
def apply(as_json: bool, device: Path | None, again: bool, verify: bool, **given: Any) -> None:
    """Take the update that is offered: fetch, build beside, try, switch.

    Stopped at any point, the same command goes on where it was. What runs is not touched before the
    new bundle was tried.
    """
    need_sync()
    from skerry.edge.cli.bars import bytes_bar

    with (
        bytes_bar("fetch", total=None, quiet=as_json) as told,
        _client(device, told=told, verify=verify, **given) as client,
    ):
        done = client.apply(again=again)
    _tell(done, as_json=as_json)


@click.command("import")
@click.argument("folder", type=GivenPath())
@_applying
@json_option
def import_(
    folder: Path, as_json: bool, device: Path | None, again: bool, verify: bool, **given: Any
) -> None:
    """Take the update that FOLDER carries: a copy of what the repository serves.

    It is trusted as the network is: only what the operator's keys signed, and nothing older than
    what this device has seen.
    """
    need_sync()
    from skerry.sync.client import FolderSource
    from skerry.sync.errors import NotThere

    if not (folder / "metadata").is_dir():
        what = f"'{folder}' is no copy of what a repository serves"
        raise NotThere(what, hint="copy the whole of the repository's public/ to it")
    with _client(device, source=FolderSource(folder), verify=verify, **given) as client:
        done = client.apply(again=again)
    _tell(done, as_json=as_json)


@click.command()
@option("--verify", is_flag=True, help="Read every byte of what is installed, and heal it.")
@device_option
@json_option
def status(device: Path | None, verify: bool, as_json: bool) -> None:
    """Say what runs, what can be gone back to, and where an update stands."""
    need_sync()
    import msgspec

    with _client(device, health="files", verify=verify) as client:
        running, back, journal = client.state.running(), client.state.way_back(), client.journal
        enrolled = client.enrolment
    if as_json:
        fields = {
            "device": enrolled.device, "source": enrolled.source, "channel": enrolled.channel,
            "running": msgspec.to_builtins(running), "previous": msgspec.to_builtins(back),
            "phase": journal.phase, "until": journal.until,
            "refused": msgspec.to_builtins(journal.refused), "reports": len(journal.reports),
        }  # fmt: skip
        emit("skerry.sync.status/1", fields)
        return
    say(f"device {enrolled.device}, {enrolled.channel} of {enrolled.source}")
    say(f"runs {_named(running)}" if running else "runs nothing yet")
    if back:
        why = client.state.why_refused(back.digest)
        say(f"can go back to {_named(back)}" if not why else f"keeps {_named(back)}, refused")
    if journal.phase == "probation":
        say(f"on probation until {local_time(journal.until)}")
    for one in journal.refused:
        say(f"refused {one.digest[:12]}: {one.why}")


@click.command()
@device_option
@json_option
def rollback(device: Path | None, as_json: bool) -> None:
    """Go back to the bundle before; the one that runs is not taken again by itself."""
    need_sync()
    with _client(device, health="files") as client:
        done = client.rollback()
    _tell(done, as_json=as_json)


@click.command()
@device_option
@json_option
def confirm(device: Path | None, as_json: bool) -> None:
    """Keep the bundle that is on probation, without waiting for its end."""
    need_sync()
    with _client(device, health="files") as client:
        client.confirm()
        running = client.state.running()
    if as_json:
        emit("skerry.sync.confirm/1", {"version": running.version if running else None})
    else:
        say(f"kept {_named(running)}")


@click.command()
@_applying
@json_option
def watch(as_json: bool, device: Path | None, again: bool, verify: bool, **given: Any) -> None:
    """Look for updates from time to time, and take them, until Ctrl-C."""
    need_sync()
    from skerry.sync.client.polling import next_poll
    from skerry.sync.errors import SyncError

    failures = 0
    while True:
        after = 3600.0
        try:
            with _client(device, verify=verify, **given) as client:
                after = client.poll_after_s
                _tell(client.apply(again=again), as_json=as_json)
            failures = 0
        except SyncError as error:
            from skerry.edge.cli.errors import print_error

            failures += error.retryable
            print_error(error, as_json=as_json)
        time.sleep(next_poll(after, failures))


@contextmanager
def _client(
    device: Path | None,
    *,
    health: str = "model",
    metered: bool = False,
    now: bool = False,
    verify: bool = False,
    source: Source | None = None,
    told: Callable[[int], None] | None = None,
) -> Iterator[Client]:
    from skerry.sync.client import Device, open_client

    folder = device_folder(device)
    mine = Device(folder.resolve())
    means = _means(mine.enrolment().profile, health, source, told, metered=metered, now=now)
    if source is None:  # a stick carries what it carries
        means = replace(means, offers=offers_of(mine))
    with open_client(folder, means, verify=verify) as client:
        yield client


def _means(
    profile: str,
    health: str,
    source: Source | None,
    told: Callable[[int], None] | None,
    *,
    metered: bool,
    now: bool,
) -> Means:
    from skerry.bundles.hashing import unheard
    from skerry.device_profiles import find_profile, load_profiles, pick, probe
    from skerry.edge.updates import ModelHealth
    from skerry.sync.client import Means, only_whole

    profiles = load_profiles()
    return Means(
        source=source,
        health=only_whole if health == "files" else ModelHealth(),
        profile=find_profile(profile, profiles) if profile else pick(probe(), profiles).profile,
        metered=metered,
        free_rein=now,
        told=told or unheard,
    )


def _named(one: Any) -> str:
    return f"version {one.version or '?'} ({one.digest[:12]})" if one else "nothing"


def _tell(done: Applied, *, as_json: bool) -> None:
    from dataclasses import asdict

    if as_json:
        emit("skerry.sync.apply/1", asdict(done))
        sys.stdout.flush()
        return
    words = {
        "current": f"up to date: version {done.version}" if done.version else "nothing is offered",
        "installed": f"version {done.version} runs now, on probation",
        "confirmed": f"version {done.version} is kept",
        "refused": f"version {done.version} was refused here before: {done.what}; see --again",
    }
    said = f"version {done.version} runs again" if done.what == "rolled back" else ""
    fetched = f"; {done.fetched / 1e6:,.1f} MB fetched" if done.fetched else ""
    say((said or words[done.result]) + fetched)
