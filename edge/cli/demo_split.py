"""Split inference in the demo: one answer shared by two processes on this machine."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from skerry.edge.cli.options import make_runtime

if TYPE_CHECKING:
    from skerry.edge.split.stream import Step

QUESTION = "How is the vaccine fridge to be kept, and what is done when it alarms?"
POLICY = """\
[classes.lookup]
escalate_at = 0.0
[classes.retrieval_question]
escalate_at = 0.0
"""
"""Sends every question about documents to split inference; by default only hard ones go."""
_STOP_S = 30

Say = Callable[[str], None]


def show_split(say: Say, folder: Path, given: dict[str, Any]) -> None:
    """Asks one question whose answer this process drafts and another one verifies."""
    from skerry.edge.cli.ask import print_answer

    policy = folder / "split.toml"
    policy.write_text(POLICY, "utf-8")
    say(f"{QUESTION} Drafted here, verified by a second process")
    with _cloud(folder) as (url, key):
        shared = {
            "offline": False, "consent": "granted", "policy": policy,
            "split_url": url, "split_api_key": key,
        }  # fmt: skip
        with make_runtime(given | shared) as runtime:
            runtime.parts.split.watch = _show  # type: ignore[attr-defined]  # a SplitTier
            click.echo("  ", nl=False)
            events = list(runtime.stream(QUESTION))
            click.echo()
            click.echo(f"  ({_styled('drafted and taken')}, corrected, the target's own;", nl=False)
            click.echo(" the gate releases what follows)")
            print_answer(iter(events), receipt=True)


@contextmanager
def _cloud(folder: Path) -> Iterator[tuple[str, str]]:
    """`skerry cloud serve` in a process of its own: its URL and its key."""
    key_file = folder / "cloud.key"
    command = [
        sys.executable, "-m", "skerry.edge.cli", "cloud", "serve", "--port", "0", "--json",
        "--api-key-file", str(key_file),
    ]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603  ours
        try:
            line = process.stdout.readline() if process.stdout else ""
            if not line:
                raise click.ClickException("the second process did not start; see above")
            yield json.loads(line)["url"], key_file.read_text("utf-8").strip()
        finally:
            process.terminate()
            process.wait(_STOP_S)


def _show(step: Step) -> None:
    """What was taken is marked; what is the target's own is plain, and bold where it corrects."""
    if step.taken:
        click.echo(_styled(_line(step.taken)), nl=False)
    colour = "yellow" if step.corrected else None
    click.secho(_line(step.own), nl=False, bold=step.corrected, fg=colour)


def _styled(text: str) -> str:
    return click.style(f"[{text}]", fg="green")


def _line(text: str) -> str:
    from skerry.edge.terminal import visible

    return visible(text.replace("\n", " "))
