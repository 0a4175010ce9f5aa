"""`skerry sync rollout`: plan, start, watch and end rollouts at a fleet server."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from skerry.edge.cli.options import json_option, option
from skerry.edge.cli.output import console, emit, local_time, table
from skerry.edge.cli.sync_fleet import client, url_option
from skerry.edge.cli.types import GivenPath

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.text import Text

    from skerry.sync.server.operator_client import OperatorClient

_WATCH_S = 1.0
_ENDS = ("FINISHED", "STOPPED")
_MOST_PLAN_BYTES = 1 << 20


@click.group()
def rollout() -> None:
    """Bring a published version to a fleet, in stages (docs/rollouts.md)."""


@rollout.command()
@option("--target", required=True, help="TUF target: CHANNEL/BUNDLE/VERSION/bundle.json.")
@option("--digest", required=True, help="SHA-256 of its bundle.json, in hex.")
@option("--version", help="Its version; default: that of the target's path.")
@option("--channel", help="Channel; default: that of the target's path.")
@option("--id", "rollout_id", help="Id of the rollout; default: a random one.")
@option("--shadow", is_flag=True, help="Devices compare it, and keep what they have.")
@option("--plan", "file", type=GivenPath(), metavar="FILE",
        help="TOML with stages, limits, signals, gates, groups, tags, profiles, …")  # fmt: skip
@url_option
@json_option
def plan(
    target: str, digest: str, version: str | None, channel: str | None, rollout_id: str | None,
    shadow: bool, file: Path | None, url: str, as_json: bool,
) -> None:  # fmt: skip
    """Plan a rollout. Nothing is offered to devices before it is started.

    \b
    skerry sync rollout plan --target stable/clinic/2/bundle.json --digest 9f86d0…

    Exit codes: 2 the server refuses the plan, 6 it cannot be asked.
    """
    parts = target.split("/")
    if (version is None or channel is None) and len(parts) != 4:
        raise click.UsageError("give --version and --channel: the target's path has none")
    body = _plan_file(file) if file is not None else {}
    body |= {
        "channel": channel or parts[0],
        "version": {"target": target, "version": version or parts[2], "digest": digest},
    }
    body |= {"id": rollout_id} if rollout_id else {}
    body |= {"mode": "shadow"} if shadow else {}
    with client(url) as fleet:
        _done(fleet.ask("POST", "rollouts", body=body), as_json=as_json)


@rollout.command("list")
@url_option
@json_option
def list_(url: str, as_json: bool) -> None:
    """List rollouts, the newest first."""
    with client(url) as fleet:
        found = fleet.ask("GET", "rollouts")["rollouts"]
    if as_json:
        emit("skerry.sync.rollout.list/1", {"rollouts": found})
        return
    columns = ("id", "version", "channel", "state", "stage", "told", "well", "failed", "made")
    table("", columns, (
        (one["id"], one["version"], one["channel"], one["state"], one["stage"],
         f"{one['offered']:,}", f"{one['succeeded']:,}", f"{one['failed']:,}",
         local_time(one["made_at"]))
        for one in found
    ))  # fmt: skip


@rollout.command()
@click.argument("rollout_id", metavar="ID")
@option("--watch", is_flag=True, help="Stay, and show it live until it ends.")
@url_option
@json_option
def status(rollout_id: str, watch: bool, url: str, as_json: bool) -> None:
    """Show where a rollout stands, stage by stage, and what speaks against the version.

    With --watch and --json, a line for each change.

    Exit codes: 0 also where it was stopped, 2 there is none, 6 the server cannot be asked.
    """
    with client(url) as fleet:
        if watch and (as_json or not sys.stdout.isatty()):
            _watch_lines(fleet, rollout_id, as_json=as_json)
        elif watch:
            _watch_live(fleet, rollout_id)
        else:
            _done(fleet.ask("GET", "rollouts", rollout_id), as_json=as_json, whole=True)


@rollout.command()
@click.argument("rollout_id", metavar="ID")
@click.argument("gate")
@option("--passed/--failed", required=True, default=None, help="What the check found.")
@option("--what", default="", help="What it found, in a line.")
@url_option
@json_option
def gate(rollout_id: str, gate: str, passed: bool, what: str, url: str, as_json: bool) -> None:
    """Say what a check before the start found, such as `deltas` or `evaluation`."""
    with client(url) as fleet:
        body = {"passed": passed, "what": what}
        found = fleet.ask("POST", "rollouts", rollout_id, "gates", gate, body=body)
        _done(found, as_json=as_json)


def _command(name: str, text: str, *, why: bool = False) -> click.Command:
    """`skerry sync rollout NAME ID`, of one request."""

    @click.argument("rollout_id", metavar="ID")
    @url_option
    @json_option
    def run(rollout_id: str, url: str, as_json: bool, why: str | None = None) -> None:
        body = None if why is None else {"why": why}
        with client(url) as fleet:
            _done(fleet.ask("POST", "rollouts", rollout_id, name, body=body), as_json=as_json)

    if why:
        run = option("--why", default="", help="Why, in a line; it is kept.")(run)
    run.__doc__ = f"{text}\n\nExit codes: 2 the server refuses, 6 it cannot be asked."
    return click.command(name)(run)


for _made in (
    _command("check", "Let the server check its gates again."),
    _command("approve", "Agree to a rollout of somebody else."),
    _command("deny", "Refuse a rollout.", why=True),
    _command("start", "Start a rollout: its first stage begins."),
    _command("pause", "Offer it to nobody any more, until it is resumed."),
    _command("resume", "Go on with a paused rollout."),
    _command("halt", "End a rollout: devices that took the version go back.", why=True),
    _command("retry", "Let devices that failed, and no others, try again."),
):
    rollout.add_command(_made)


def _plan_file(path: Path) -> dict[str, Any]:
    """Raises InputError: it cannot be read, or is no TOML."""
    import tomllib

    from skerry.edge.errors import InputError

    try:
        with path.open("rb") as file:
            return tomllib.loads(file.read(_MOST_PLAN_BYTES).decode())
    except (OSError, ValueError) as error:
        what = f"the plan '{path}' cannot be read: {error}"
        raise InputError(what, hint="docs/rollouts.md shows one") from None


def _done(found: dict[str, Any], *, as_json: bool, whole: bool = False) -> None:
    if as_json:
        emit("skerry.sync.rollout/1", {"rollout": found})
    elif whole and sys.stdout.isatty():
        console().print(drawn(found))
    else:
        click.echo(_line(found))


def _watch_lines(fleet: OperatorClient, rollout_id: str, *, as_json: bool) -> None:
    revision = None
    while True:
        found = fleet.ask("GET", "rollouts", rollout_id)
        if found["revision"] != revision:
            revision = found["revision"]
            _done(found, as_json=as_json)
        if found["state"] in _ENDS:
            return
        time.sleep(_WATCH_S)


def _watch_live(fleet: OperatorClient, rollout_id: str) -> None:
    from rich.live import Live

    found = fleet.ask("GET", "rollouts", rollout_id)
    with Live(drawn(found), console=console(), refresh_per_second=4) as live:
        while found["state"] not in _ENDS:
            time.sleep(_WATCH_S)
            found = fleet.ask("GET", "rollouts", rollout_id)
            live.update(drawn(found))


def _line(found: dict[str, Any]) -> str:
    from skerry.edge.terminal import visible_line

    why = found["why"] or (found["waits_for"] and f"waits for {found['waits_for']}") or ""
    return visible_line(
        f"{found['id']}  {found['version']}  {found['state']}  stage {found['stage']}  "
        f"told {found['offered']:,}  well {found['succeeded']:,}  failed {found['failed']:,}"
        + (f"  {why}" if why else "")
    )


def drawn(found: dict[str, Any]) -> RenderableType:
    """A rollout as a picture for a terminal: a bar for each stage, and the evidence."""
    from rich.console import Group
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    from skerry.edge.terminal import visible_line

    stages = Table("stage", "", "devices", "told", "well", "failed", box=None, header_style="bold")
    for one in found["stages"]:
        size = one["size"] if one["size"] is not None else one["offered"]
        settled = one["succeeded"] + one["failed"]
        bar = ProgressBar(total=max(1, size), completed=min(settled, size), width=28)
        here = "bold" if one["name"] == found["stage"] and found["state"] == "RUNNING" else ""
        stages.add_row(
            Text(visible_line(one["name"]), style=here), bar, f"{size:,}", f"{one['offered']:,}",
            f"{one['succeeded']:,}", _failures(one["failed"]),
        )  # fmt: skip
    evidence = found["evidence"]
    lines: list[Text | Table] = [Text(_line(found), style="bold"), stages]
    lines.append(Text(
        f"evidence against it {evidence['now']:.3g} (highest {evidence['highest']:.3g}; "
        f"holds at {evidence['holds_at']:g}, halts at {evidence['halts_at']:g})"
    ))  # fmt: skip
    for one in evidence["of"][:3]:
        where = f" on {one['profile']}" if one["profile"] else ""
        lines.append(Text(visible_line(f"  {one['value']:.3g}  {one['test']}{where}")))
    return Group(*lines)


def _failures(count: int) -> Text:
    from rich.text import Text

    return Text(f"{count:,}", style="red" if count else "")
