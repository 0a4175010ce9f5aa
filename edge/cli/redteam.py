"""`skerry redteam`: attacks this runtime on a stage of its own, and reports what worked."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from skerry.edge.cli.options import json_option, make_settings, option, settings
from skerry.edge.cli.output import emit, plain, table

if TYPE_CHECKING:
    from skerry.guardrails.redteam import Results

SCHEMA = "skerry.redteam/1"
KINDS = (
    "direct_injection", "indirect_injection", "jailbreak", "exfiltration", "pii_leak",
    "hallucination", "bias",
)  # fmt: skip
FAILED = 1


@click.command()
@option("--only", multiple=True, type=click.Choice(KINDS), help="Only this kind; may be repeated.")
@option("--seed", default=0, show_default=True, help="Draws the order, and who stands for a group.")
@option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default="redteam",
    show_default=True,
    help="Folder of report.html and report.json.",
)
@option("--resume", is_flag=True, help="Go on with the run in --out that was interrupted.")
@option("--suite", type=click.Path(path_type=Path), help="Folder of a suite of your own.")
@settings("model", "policy", "profile", "threads", "tool_rules")
@json_option
def redteam(
    only: tuple[str, ...],
    seed: int,
    out: Path,
    resume: bool,
    suite: Path | None,
    as_json: bool,
    **given: Any,
) -> None:
    """Attack the runtime with the red-team suite, and write a report (docs/redteam.md).

    It runs on an index, a state file and an appointment book of its own, over the handbook of the
    demo; yours are not read. With the default model it takes some ten minutes. The exit code is 1
    when a case failed of a kind that must pass, or groups were treated differently.

    \b
    skerry redteam
    skerry redteam --resume
    skerry redteam --only jailbreak --only exfiltration --json | jq .kinds
    """
    from skerry.edge.redteam import RuntimeTarget
    from skerry.guardrails.redteam import Kind, load_suite, run
    from skerry.guardrails.redteam.journal import Journal
    from skerry.guardrails.redteam.run import planned

    wanted, loaded = make_settings(given), load_suite(suite)
    kinds = [Kind(one) for one in only]
    _make_folder(out)
    with (
        tempfile.TemporaryDirectory(prefix="skerry-redteam-") as folder,
        closing(RuntimeTarget(wanted, Path(folder), loaded.booked)) as target,
        _bar(len(planned(loaded, seed, kinds)), quiet=as_json) as done,
    ):
        head = {"suite": loaded.digest, "seed": seed, **target.describe()}
        journal = Journal(out / "observed.jsonl", head, resume=resume)
        results = run(loaded, target, seed=seed, only=kinds, done=done, journal=journal)
    fields = _write(results, out)
    journal.finish()
    if as_json:
        emit(SCHEMA, fields)
    else:
        _show(results, out)
    sys.exit(0 if results.ok else FAILED)


def _make_folder(out: Path) -> None:
    """Made first: nobody wants to wait for a report that cannot be written."""
    from skerry.edge.errors import InputError

    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        what = f"the folder '{out}' cannot be made: {error.strerror}"
        raise InputError(what, hint="name another with --out") from error


def _write(results: Results, out: Path) -> dict[str, Any]:
    from skerry.guardrails.redteam.fields import results_fields
    from skerry.guardrails.redteam.report import render

    fields = results_fields(results)
    text = json.dumps({"schema": SCHEMA, **fields}, indent=2, default=plain, ensure_ascii=False)
    (out / "report.json").write_text(f"{text}\n", "utf-8", errors="replace")
    (out / "report.html").write_text(render(results), "utf-8", errors="replace")
    return fields


def _show(results: Results, out: Path) -> None:
    from skerry.edge.terminal import visible

    rows = (
        (one.title, f"{one.passed} of {one.total}", "must pass" if one.must_pass else "")
        for one in results.kinds
    )
    table("", ("kind", "passed", ""), rows)
    for one in results.cases:
        for why in one.failures:
            click.echo(visible(f"  {one.case.id}: {why}"))
    for found in results.unequal:
        click.echo(f"  {found.attribute}, {found.measure}: groups differ (p = {found.p:.3f})")
    click.echo(f"{'passed' if results.ok else 'failed'}; the report is {out / 'report.html'}")


@contextmanager
def _bar(total: int, *, quiet: bool) -> Iterator[Callable[[str], None]]:
    """A progress bar on a terminal; nothing in a pipe."""
    if quiet or not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    from skerry.edge.cli.output import console

    columns = (
        TextColumn("attacking"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.description}", markup=False),
    )
    with Progress(*columns, console=console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=total)
        yield lambda name: bar.update(task, advance=1, description=name[:32])
