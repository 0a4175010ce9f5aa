"""`skerry export emulate`: runs a bundle's variant, or a command, in the limits of a device."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from skerry.edge.cli.options import json_option, make_settings, option, settings
from skerry.edge.cli.output import emit
from skerry.edge.cli.types import GivenPath

if TYPE_CHECKING:
    from skerry.device_profiles import Profile
    from skerry.device_profiles.emulate import Emulated

SCHEMA = "skerry.export.emulate/1"
FAILED = 1


@click.command()
@click.argument("profile")
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
@option("--bundle", type=GivenPath(), help="Load this bundle's variant for the profile.")
@option("--variant", metavar="NAME", help="Another variant of the bundle.")
@option("--memory", "memory_mb", type=click.IntRange(8), metavar="MB",
        help="Another limit of memory, in MiB.")  # fmt: skip
@option("--timeout", type=click.FloatRange(1), default=600, show_default=True, help="Seconds.")
@settings("profiles_dir")
@json_option
def emulate(
    profile: str,
    command: tuple[str, ...],
    bundle: Path | None,
    variant: str | None,
    memory_mb: int | None,
    timeout: float,
    as_json: bool,
    **given: Any,
) -> None:
    """Run a variant, or COMMAND, in the memory, cores and processor time of PROFILE.

    A variant is loaded as the profile says (context, sequences, KV type), reads a batch and says a
    token; what it took is shown beside what was predicted. The exit code is 1 where it did not fit,
    or failed (docs/device-profiles.md).

    \b
    skerry export emulate budget-phone --bundle bundle/
    skerry export emulate raspberry -- python -c "print('hello')"
    """
    from skerry.device_profiles import find_profile, load_profiles
    from skerry.device_profiles.emulate import Ending, cage_of
    from skerry.device_profiles.emulate import emulate as run

    if (bundle is None) is not bool(command):
        raise click.UsageError("Give --bundle, or a command after --.")
    device = find_profile(profile, load_profiles(make_settings(given).profiles_dir))
    predicted, wanted = _load(bundle, variant, device) if bundle else (None, list(command))
    cage = cage_of(device, _cores(), memory_mb=memory_mb)
    done = run(wanted, cage, timeout_s=timeout)
    if as_json:
        emit(SCHEMA, emulate_fields(done, predicted))
    else:
        _print(done, predicted, show_output=bundle is None)
    sys.exit(0 if done.ending is Ending.DONE else FAILED)


def emulate_fields(done: Emulated, predicted_mb: float | None) -> dict[str, Any]:
    """How it ended, as JSON; `error` is predicted over measured, less 1, where it was done."""
    from dataclasses import asdict

    from skerry.device_profiles.emulate import Ending

    whole = predicted_mb is not None and done.ending is Ending.DONE
    error = (predicted_mb or 0) / done.peak_mb - 1 if whole else None
    return {**asdict(done), "predicted_mb": predicted_mb, "error": error}


def _load(bundle: Path, name: str | None, device: Profile) -> tuple[float, list[str]]:
    """The memory that is predicted for a variant, in MiB, and the command that loads it.

    Raises:
        BundleError: there is no such bundle or variant.
        Unsupported: it is no GGUF model.
    """
    from skerry.bundles.choose import facts_of
    from skerry.bundles.read import open_bundle
    from skerry.device_profiles import Format, Loading, fit, probe, room_of
    from skerry.export.errors import Unsupported
    from skerry.export.measure.fitting import load_command

    opened = open_bundle(bundle)
    found = opened.variant(name) if name else opened.variant_for(device).variant
    if found.format is not Format.GGUF:
        hint = "name a GGUF variant with --variant, or give a command that runs this one"
        raise Unsupported(f"'{found.name}' is {found.format}: only GGUF is loaded here", hint=hint)
    size = opened.manifest.size_of(found)
    facts = facts_of(opened.manifest.model(found.model), found, size)
    context = min(device.context_tokens, facts.context_tokens or device.context_tokens)
    how = Loading(context, device.batch_tokens, device.kv_type, device.parallel)
    fitted = fit(facts, room_of(probe()), context, loading=how)
    return fitted.total_mb, load_command(opened.entry(found), how)


def _cores() -> list[int]:
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def _print(done: Emulated, predicted_mb: float | None, *, show_output: bool) -> None:
    from skerry.edge.terminal import visible

    if show_output:
        click.echo(visible(done.output), nl=False)
    if done.errors:
        click.echo(visible(done.errors.strip()), err=True)
    limits = f"{done.limit_mb:.0f} MB ({done.memory_by}), {done.cores} cores ({done.cores_by})"
    if done.cpus is not None:
        limits += f", {done.cpus:.2f} of their time ({done.cpus_by})"
    ended = str(done.ending).replace("_", " ")
    click.echo(f"{ended} after {done.seconds:.1f} s, in {limits}", err=show_output)
    told = "" if predicted_mb is None else f"; predicted {predicted_mb:.0f} MB"
    click.echo(f"at most {done.peak_mb:.0f} MB{told}", err=show_output)
    for note in done.notes:
        click.secho(visible(f"  {note}"), dim=True, err=show_output)
