"""`skerry sync enroll`: whom a device trusts, and where its updates come from."""

from __future__ import annotations

from pathlib import Path

import click

from skerry.edge.cli.options import json_option, option
from skerry.edge.cli.output import emit
from skerry.edge.cli.sync_server import join
from skerry.edge.cli.sync_shared import device_folder, device_option, need_sync, say
from skerry.edge.cli.types import GivenPath, NotNegative

_HOUR = 3600.0


@click.command(options_metavar="--root FILE --bundle NAME [OPTIONS]")
@click.argument("source")
@option("--root", type=GivenPath(), required=True,
        help="The operator's root.json, which came by a way that you trust.")  # fmt: skip
@option("--bundle", required=True, metavar="NAME", help="Name of the bundle to take.")
@option("--channel", default="stable", show_default=True, help="Channel to follow.")
@option("--name", default="", help="Name of this device; default: a random one.")
@option("--profile", default="", help="Device profile; default: the one that suits this machine.")
@option("--tag", "tags", multiple=True, help="Tag for rollouts; several.")
@option("--server", default="", metavar="URL",
        help="Fleet server that says what to take; default: the channel's latest.")  # fmt: skip
@option("--token", default="", help="Token that enrols this device there, once.")
@option("--poll-hours", type=NotNegative(), default=6.0, show_default=True,
        help="Hours between two looks for updates.")  # fmt: skip
@option("--probation-hours", type=NotNegative(), default=24.0, show_default=True,
        help="Hours that a new bundle is watched before it is kept.")  # fmt: skip
@option("--limit", type=click.IntRange(min=0), default=0, metavar="KB/S", help="Most kB a second.")
@option("--daily", type=click.IntRange(min=0), default=0, metavar="MB", help="Most MB a day.")
@option(
    "--hours", default="", metavar="HH:MM-HH:MM", help="Hours for downloads; several by commas."
)
@option("--metered", type=click.IntRange(min=0), default=0, metavar="MB",
        help="Most MB of an update on a metered network; 0 by default.")  # fmt: skip
@device_option
@json_option
def enroll(
    source: str,
    root: Path,
    bundle: str,
    channel: str,
    name: str,
    profile: str,
    tags: tuple[str, ...],
    server: str,
    token: str,
    poll_hours: float,
    probation_hours: float,
    limit: int,
    daily: int,
    hours: str,
    metered: int,
    device: Path | None,
    as_json: bool,
) -> None:
    """Enrol this device: take updates from SOURCE, a URL or a folder.

    \b
    skerry sync enroll https://updates.example.org --root root.json --bundle assistant
    skerry sync enroll https://updates.example.org --root root.json --bundle assistant \\
        --server https://fleet.example.org --token skt-…
    """
    need_sync()
    from skerry.sync.client import Enrolment, Rules
    from skerry.sync.client import enroll as make
    from skerry.sync.client.enrolling import new_id
    from skerry.sync.client.pace import within
    from skerry.sync.errors import DeviceFault

    within(hours, 0)  # raises where they cannot be read
    try:
        trusted = root.read_bytes()
    except OSError as error:
        what = f"'{root}' cannot be read: {error.strerror}"
        raise DeviceFault(what, hint="give the operator's root.json") from None
    rules = Rules(
        bytes_per_s=limit * 1000, bytes_per_day=daily * 10**6, hours=hours,
        metered_bytes=metered * 10**6,
    )  # fmt: skip
    if not source.startswith(("https://", "http://")):
        source = str(Path(source.removeprefix("file://")).resolve())
    folder = device_folder(device)
    if bool(server) != bool(token):
        raise click.UsageError("--server and --token go together")
    called = name or new_id()
    if server:
        called = join(folder, server, token, name=called, profile=profile, tags=tags)
    enrolment = Enrolment(
        device=called, source=source, channel=channel, bundle=bundle, profile=profile, tags=tags,
        server=server, poll_s=poll_hours * _HOUR, probation_s=probation_hours * _HOUR, rules=rules,
    )  # fmt: skip
    found = make(folder, enrolment, trusted)
    if as_json:
        version = found.version if found else None
        emit(
            "skerry.sync.enroll/1",
            {"path": str(folder), "device": enrolment.device, "latest": version},
        )
        return
    say(f"enrolled '{enrolment.device}' at '{folder}'")
    there = f"has version {found.version} of" if found else "has nothing yet of"
    say(f"the channel '{channel}' {there} '{bundle}'; take it with `skerry sync apply`")
