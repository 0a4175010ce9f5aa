"""`skerry demo`: the main job in one command, on a small handbook that comes with Skerry."""

from __future__ import annotations

import shutil
import sys
import tempfile
import tomllib
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from skerry.edge.cli.options import make_runtime, option, settings

if TYPE_CHECKING:
    from skerry.edge.tools import Confirmation

_FOR_TOOLS = ("Which appointments are free on Monday?", "Book me an appointment on Monday at 10")
DEMO = Path(__file__).resolve().parents[1] / "demo"


@click.command()
@settings("model", "profile")
@option(
    "--keep", type=click.Path(path_type=Path), help="Keep the index and receipts in this folder."
)
@option("--questions", default=5, show_default=True, help="How many questions to ask.")
def demo(keep: Path | None, questions: int, **given: Any) -> None:
    """Index a small handbook and ask it a few questions, offline."""
    folder = keep or Path(tempfile.mkdtemp(prefix="skerry-demo-"))
    folder.mkdir(parents=True, exist_ok=True)
    try:
        _run(folder, questions, given)
    finally:
        if keep is None:
            shutil.rmtree(folder, ignore_errors=True)


def _run(folder: Path, questions: int, given: dict[str, Any]) -> None:
    from skerry.edge.cli.ask import print_answer
    from skerry.edge.cli.demo_guardrails import show_round_trip, show_wrong_draft
    from skerry.edge.cli.demo_split import show_split
    from skerry.edge.cli.index_shown import show_report
    from skerry.edge.tools.appointments.sample import fill

    places = {
        "index": folder / "index.sqlite",
        "state": folder / "state.sqlite",
        "screening_key_file": folder / "screening.key",
        "appointments": folder / "appointments.sqlite",
        "offline": True,
        "store_text": True,
    }
    fill(folder / "appointments.sqlite", datetime.now().date())
    with make_runtime(given | places) as runtime:
        _say(f"Indexing the handbook of the Harbour Clinic ({DEMO / 'handbook'})")
        show_report(runtime.index.add([DEMO / "handbook"]))
        for entry in _questions()[:questions]:
            _say(entry["question"])
            print_answer(runtime.stream(entry["question"]), receipt=True)
        for wanted in _FOR_TOOLS:
            _say(wanted)
            print_answer(runtime.stream(wanted, confirm=_confirm), receipt=True)
        show_wrong_draft(runtime, _say)
    show_round_trip(_say)
    show_split(_say, folder, given | places)
    _say(f'Ask your own documents: {_command()} index add FOLDER, then {_command()} ask "…"')


def _confirm(asked: Confirmation) -> bool:
    """What a person does at a terminal; the book is the demo's own."""
    click.secho(f"This would be done: {asked.text}. The demo says yes.", bold=True)
    return True


def _command() -> str:
    """What to type for `skerry` here: its path, where the shell would not find this one."""
    called = Path(sys.argv[0])
    found = shutil.which("skerry")
    return "skerry" if found and Path(found).resolve() == called.resolve() else str(called)


def _say(text: str) -> None:
    click.echo()
    click.secho(f"▌ {text}", bold=True)


def _questions() -> list[dict[str, Any]]:
    with (DEMO / "questions.toml").open("rb") as file:
        found: list[dict[str, Any]] = tomllib.load(file)["question"]
    return [entry for entry in found if entry.get("demo", True)]
