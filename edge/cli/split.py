"""`skerry split`: measure split inference with a cloud tier."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from skerry.edge.cli.batch import Bad, Item, read_items
from skerry.edge.cli.options import json_option, make_runtime, option, settings
from skerry.edge.cli.output import console, emit, table
from skerry.edge.errors import ConfigError, InputError, PolicyDenied

if TYPE_CHECKING:
    from skerry.edge.runtime import Runtime
    from skerry.edge.split.bench import Comparison, Summary
    from skerry.edge.split.tier import SplitTier

SCHEMA = "skerry.split.bench/1"
_COLUMNS = (
    "prompt", "tokens", "plain s", "split s", "speed-up", "passes/token", "acceptance",
    "bytes/token", "same",
)  # fmt: skip


@click.group()
def split() -> None:
    """Measure split inference with a cloud tier (docs/split.md)."""


@split.command()
@option("--url", "split_url", envvar="SKERRY_SPLIT_URL", help="Base URL of the cloud tier.")
@option(
    "--prompts",
    required=True,
    metavar="FILE",
    help='JSON lines, each a text or {"id", "text"}; - is standard input.',
)
@option("--deadline-s", default=120.0, show_default=True, help="Most seconds of an answer.")
@settings("model", "models_dir", "threads", "context_tokens", "max_tokens", "temperature", "seed")
@settings("offline")
@json_option
def bench(prompts: str, deadline_s: float, as_json: bool, **given: Any) -> None:
    """Send each prompt to a live cloud tier, streamed plainly and with drafts, and compare.

    \b
    skerry split bench --url http://127.0.0.1:8585 --prompts prompts.jsonl
    SKERRY_SPLIT_API_KEY=… skerry split bench --url https://… --prompts - --json < prompts.jsonl

    The prompts are sent as they are: nothing in them is replaced. The API key is taken from
    SKERRY_SPLIT_API_KEY.
    """
    from skerry.edge.split.bench import Summary, round_trip_ms

    items = _read(prompts)
    with make_runtime(given) as runtime:
        tier = _tier(runtime)
        rtt_ms = round_trip_ms(tier.options)
        compared = list(_compared(runtime, tier, items, deadline_s))
    overall = Summary.of(compared)
    rows = [_fields(item, one) for item, one in zip(items, compared, strict=True)]
    model = compared[0].split.report.model
    if as_json:
        about = {"url": tier.options.base_url, "model": model, "rtt_ms": rtt_ms}
        emit(SCHEMA, {**about, "prompts": rows, "overall": asdict(overall)})
    else:
        _show(rows, overall, f"{model} at {tier.options.destination}, round trip {rtt_ms:.1f} ms")


def _read(prompts: str) -> list[Item]:
    """Raises InputError: there are none, or a line cannot be taken; nothing was sent."""
    items = []
    for item in read_items(prompts):
        if isinstance(item, Bad):
            raise InputError(
                f"line {item.line} of the prompts cannot be used: {item.fields['what']}",
                hint='give a JSON text or {"id", "text"} a line',
            )
        items.append(item)
    if not items:
        raise InputError("there are no prompts", hint="give one a line")
    return items


def _tier(runtime: Runtime) -> SplitTier:
    """Raises:
    PolicyDenied: nothing may leave this device.
    ConfigError: no URL is given.
    """
    from skerry.edge.split.tier import SplitTier
    from skerry.edge.types import Consent

    wanted = runtime.parts.settings
    if wanted.consent is Consent.NEVER or wanted.offline:
        raise PolicyDenied(
            "nothing was sent: this device is offline, or its consent is 'never'",
            hint="unset SKERRY_OFFLINE and SKERRY_CONSENT",
        )
    tier = runtime.parts.split
    if not isinstance(tier, SplitTier):
        raise ConfigError("this runtime has a split tier of its own", hint="set split_url")
    return tier


def _compared(
    runtime: Runtime, tier: SplitTier, items: list[Item], deadline_s: float
) -> Iterator[Comparison]:
    from rich.progress import track

    from skerry.edge.split.bench import compare

    parts = runtime.parts
    quiet = not sys.stderr.isatty()
    for item in track(
        items, "prompts", console=console(stderr=True), disable=quiet, transient=True
    ):
        messages = [{"role": "user", "content": item.fields["text"]}]
        yield compare(
            tier, messages, parts.sampling, max_tokens=parts.settings.max_tokens,
            deadline_s=deadline_s,
        )  # fmt: skip


def _fields(item: Item, one: Comparison) -> dict[str, Any]:
    from skerry.edge.split.bench import Summary

    report = one.split.report
    return {
        "id": item.fields.get("id", item.line),
        "plain_s": one.plain.took_s,
        "split_s": one.split.took_s,
        "tokens": report.tokens,
        "passes": report.passes,
        "drafted": report.drafted,
        "taken": report.taken,
        "why": report.why,
        **asdict(Summary.of([one])),
        "same": one.same,
    }


def _show(rows: list[dict[str, Any]], overall: Summary, about: str) -> None:
    table("", _COLUMNS, [_row(row) for row in rows])
    accepted = (
        "nothing drafted" if overall.acceptance is None else f"{overall.acceptance:.0%} taken"
    )
    click.echo(
        f"overall {overall.speedup:.2f} times as fast, {overall.passes_per_token:.2f} passes a "
        f"token, {accepted}, {overall.bytes_per_token:.1f} bytes a token"
    )
    click.echo(about, err=True)
    for why in sorted({row["why"] for row in rows if row["why"]}):
        click.echo(f"nothing was drafted: {why}", err=True)


def _row(row: dict[str, Any]) -> tuple[str, ...]:
    acceptance = row["acceptance"]
    return (
        str(row["id"]),
        str(row["tokens"]),
        f"{row['plain_s']:.2f}",
        f"{row['split_s']:.2f}",
        f"{row['speedup']:.2f}",
        f"{row['passes_per_token']:.2f}",
        "-" if acceptance is None else f"{acceptance:.2f}",
        f"{row['bytes_per_token']:.1f}",
        "yes" if row["same"] else "no",
    )
