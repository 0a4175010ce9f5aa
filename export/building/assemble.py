"""The manifest of what was made. Pure: the same inputs give the same manifest."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from skerry.bundles import (
    File,
    Kind,
    Manifest,
    Model,
    Role,
    Shape,
    Source,
    Step,
    Suiting,
    Suits,
    Tokenizer,
    Tool,
    Variant,
)
from skerry.bundles.manifest import SCHEMA, VARIANTS
from skerry.device_profiles import Fit, Fits, Profile
from skerry.export.building.cache import Kept
from skerry.export.planning import Planned, Subject
from skerry.export.planning.plan import fit_on

_LONGEST_NAME = 64


@dataclass(frozen=True, slots=True)
class Result:
    """A variant that was made: `profiles` are those that it was planned for."""

    planned: Planned
    kept: Kept
    profiles: tuple[Profile, ...]
    tools: tuple[Tool, ...]
    evaluation: dict[str, Any] | None

    def path_of(self, path: str) -> str:
        """Where one of its files lies in the bundle."""
        return f"{VARIANTS}/{self.planned.name}/{path}"


@dataclass(frozen=True, slots=True)
class Group:
    """The variants of one model, the best first."""

    subject: Subject
    digest: str
    tokenizer: Tokenizer | None
    results: tuple[Result, ...]


def make_manifest(name: str, groups: Sequence[Group], parts: Sequence[File]) -> Manifest:
    """What `bundle.json` will say."""
    results = [result for group in groups for result in group.results]
    made = [file for result in results for file in _files(result)]
    tools = {tool.name: tool for result in results for tool in result.tools}
    return Manifest(
        schema=SCHEMA,
        name=name,
        models=tuple(_model(group) for group in groups),
        variants=tuple(_variant(group, one) for group in groups for one in group.results),
        files=tuple(sorted((*made, *parts), key=lambda file: file.path)),
        tools=tuple(tools[one] for one in sorted(tools)),
    )


def bundle_name(name: str) -> str:
    """A name that a bundle can have, from any other."""
    words = re.findall(r"[a-z0-9]+", name.lower())
    return "-".join(words)[:_LONGEST_NAME].strip("-") or "bundle"


def _files(result: Result) -> Iterator[File]:
    for file in result.kept.files:
        path = result.path_of(file.path)
        yield File(path=path, sha256=file.sha256, size=file.size, role=Role.VARIANT)


def _model(group: Group) -> Model:
    subject = group.subject
    return Model(
        name=subject.name,
        kind=Kind(subject.kind),
        architecture=subject.architecture,
        licence=subject.licence,
        source=Source(
            name=subject.path.name,
            format=subject.format,
            sha256=group.digest,
            size=subject.size,
        ),
        shape=Shape(
            parameters=subject.parameters,
            kv_values=subject.kv_values,
            embedding=subject.embedding,
            feed_forward=subject.feed_forward,
            vocabulary=subject.vocabulary,
            context_tokens=subject.context_tokens,
        ),
        tokenizer=group.tokenizer,
    )


def _variant(group: Group, result: Result) -> Variant:
    made = result.kept.made
    return Variant(
        name=result.planned.name,
        model=group.subject.name,
        format=made.format,
        precision=result.planned.precision.lower(),
        files=tuple(sorted(result.path_of(file.path) for file in result.kept.files)),
        made_by=tuple(_steps(group.subject, result)),
        suits=tuple(_suits(group.subject, result)),
        notes=made.notes,
        facts=made.facts,
        evaluation=result.evaluation,
    )


def _steps(subject: Subject, result: Result) -> Iterator[Step]:
    first, *rest = result.tools
    did = f"exported {subject.path.name} to {result.kept.made.format}, {result.planned.precision}"
    yield Step(tool=first.name, version=first.version, did=did)
    for tool in rest:
        yield Step(tool=tool.name, version=tool.version, did="was used for it")


def _suits(subject: Subject, result: Result) -> Iterator[Suits]:
    """The profiles on which it fits now that its size is known, and why."""
    for profile in result.profiles:
        made = result.kept.made
        matrices = made.facts.get("matrix_bytes")
        fitted = fit_on(subject, made.format, result.kept.size, profile, matrices)
        if fitted.fits is not Fits.NO:
            yield _suiting(profile, fitted)


def _suiting(profile: Profile, fitted: Fit) -> Suits:
    speed = fitted.tokens_per_s_estimate
    return Suits(
        profile=profile.name,
        fits=Suiting(fitted.fits),
        total_mb=round(fitted.total_mb, 1),
        limit_mb=float(fitted.limit_mb),
        tokens_per_s=None if speed is None else round(speed, 1),
        why=fitted.why,
    )
