"""`skerry export plan`: what would be made for which devices, before anything is made."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from skerry.edge.cli.completion import model_names
from skerry.edge.cli.options import json_option, make_settings, option, settings
from skerry.edge.cli.output import emit, table

if TYPE_CHECKING:
    from skerry.device_profiles import Fit
    from skerry.export.planning import Candidate, Plan, Planned, Refusal

SCHEMA = "skerry.export.plan/1"


@click.command()
@click.argument("model", shell_complete=model_names)
@option("--profiles", "--profile", "profiles", metavar="NAME", multiple=True,
        help="Device profile; several, or all of them by default.")  # fmt: skip
@option("--format", "formats", metavar="FORMAT", multiple=True, help="Only this format; several.")
@option("--precision", "precisions", metavar="NAME", multiple=True,
        help="This precision, whatever suits; several.")  # fmt: skip
@option("--candidates", is_flag=True, help="Show what was not chosen as well, and why.")
@settings("models_dir", "profiles_dir")
@json_option
def plan(
    model: str,
    profiles: tuple[str, ...],
    formats: tuple[str, ...],
    precisions: tuple[str, ...],
    candidates: bool,
    as_json: bool,
    **given: Any,
) -> None:
    """Say what would be made of MODEL, whether it fits on which devices, and how fast it decodes.

    MODEL is a name from `skerry models`, a GGUF file, or a Hugging Face folder. Nothing is made.

    \b
    skerry export plan smollm2 --profiles all
    skerry export plan ./my-model/ --profile phone-mid --format gguf --candidates
    """
    made = find_plan(model, profiles, formats, precisions, given)
    if as_json:
        emit(SCHEMA, plan_fields(made))
    else:
        _print(made, candidates=candidates)


def find_plan(
    model: str,
    profiles: tuple[str, ...],
    formats: tuple[str, ...],
    precisions: tuple[str, ...],
    given: dict[str, Any],
) -> Plan:
    """The plan that the options describe.

    Raises:
        ModelError, SourceRefused: the model cannot be exported.
        ProfileError: a profile is not there, or wrong.
        Unsupported: a format or precision that nothing here makes.
    """
    from skerry.edge.cli.export_source import exporters, find_profiles, find_subject
    from skerry.export.planning import Wishes, make_plan

    wanted = make_settings(given)
    wishes = Wishes(_formats(formats), frozenset(one.lower() for one in _split(precisions)))
    subject = find_subject(model, wanted)
    return make_plan(subject, find_profiles(profiles, wanted), exporters(subject.kind), wishes)


def without_settings(given: dict[str, Any], *names: str) -> dict[str, Any]:
    """The settings of a command but for some."""
    return {key: value for key, value in given.items() if key not in names}


def plan_fields(made: Plan) -> dict[str, Any]:
    """A plan as JSON; sizes in bytes."""
    subject = asdict(made.subject)
    del subject["chat_template"]
    return {
        "model": subject,
        "variants": [_variant_fields(one) for one in made.variants],
        "candidates": [_candidate_fields(one) for one in made.candidates],
        "refusals": [asdict(one) for one in made.refusals],
    }


def refusal_line(one: Refusal) -> str:
    """A format that is not made, in words."""
    hint = f": {one.hint}" if one.hint else ""
    return f"no {one.format} for {', '.join(one.profiles)}: {one.why}{hint}"


def _split(values: tuple[str, ...]) -> list[str]:
    return [one.strip() for value in values for one in value.split(",") if one.strip()]


def _formats(values: tuple[str, ...]) -> frozenset[Any]:
    from skerry.device_profiles import Format

    try:
        return frozenset(Format(one.lower()) for one in _split(values))
    except ValueError:
        names = ", ".join(Format)
        raise click.BadParameter(f"{values} is none of: {names}", param_hint="--format") from None


def _variant_fields(one: Planned) -> dict[str, Any]:
    fits = [{"profile": name, **_fit_fields(fitted)} for name, fitted in one.fits.items()]
    named = {"name": one.name, "format": one.format, "precision": one.precision}
    return {**named, "size_estimate": one.size, "fits": fits}


def _candidate_fields(one: Candidate) -> dict[str, Any]:
    named = {"profile": one.profile, "format": one.format, "precision": one.precision}
    rest = {"size_estimate": one.size, "chosen": one.chosen, "why_chosen": one.why}
    return {**named, **rest, **_fit_fields(one.fit)}


def _fit_fields(fitted: Fit) -> dict[str, Any]:
    return asdict(fitted)


def _print(made: Plan, *, candidates: bool) -> None:
    from skerry.edge.terminal import visible

    subject = made.subject
    size = f"{subject.parameters / 1e6:,.0f} M parameters, {subject.size / 1e6:,.0f} MB"
    click.echo(visible(f"{subject.name}: {subject.architecture} ({subject.format}), {size}, "
                       f"{subject.licence}\n"))  # fmt: skip
    columns = (
        "profile",
        "variant",
        "MB",
        "weights",
        "KV",
        "working",
        "of",
        "fits",
        "tokens/s",
        "why",
    )
    table("", columns, _rows(made, candidates=candidates))
    for one in made.refusals:
        click.echo(visible(refusal_line(one)), err=True)
    if not made.variants:
        click.echo("nothing would be made", err=True)


def _rows(made: Plan, *, candidates: bool) -> Iterator[tuple[str, ...]]:
    """One for each profile and variant; sizes in MiB but for the files' own MB."""
    for one in made.candidates:
        if one.chosen or candidates:
            mark = "" if one.chosen else "not "
            name = f"{mark}{one.format}-{one.precision}"
            yield (one.profile, name, f"{one.size / 1e6:,.0f}", *_cells(one.fit), one.why)


def _cells(fitted: Fit) -> tuple[str, ...]:
    parts = (fitted.weights_mb, fitted.kv_mb, fitted.working_mb, fitted.limit_mb)
    speed = fitted.tokens_per_s_estimate
    sizes = tuple(f"{part:,.0f}" for part in parts)
    return (*sizes, fitted.fits, "-" if speed is None else f"{speed:,.0f}")
