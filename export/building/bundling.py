"""From plans to a bundle: export, measure, pack. Stopped at any point, it goes on where it was."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from skerry.bundles import Bundle, BundleError, Manifest, describe, verify_bundle, write_bundle
from skerry.bundles.codec import digest as digest_of
from skerry.bundles.read import read_bundle
from skerry.bundles.write import Source
from skerry.export.building.assemble import Group, Result, bundle_name, make_manifest
from skerry.export.building.cache import Cache, Kept, key_of
from skerry.export.building.measuring import Measuring
from skerry.export.building.parts import Part
from skerry.export.building.source import source_digest, tokenizer_of
from skerry.export.building.tools import exporting_code, tools_of
from skerry.export.errors import MissingExtra, Unsupported
from skerry.export.exporter import Exporter, Made, Progress, unheard
from skerry.export.planning import Plan, Planned, Refusal


@dataclass(frozen=True, slots=True)
class Order:
    """The plan for one model, and the exporters that it was made with."""

    plan: Plan
    exporters: tuple[Exporter, ...]

    def exporter(self, planned: Planned) -> Exporter:
        return next(one for one in self.exporters if one.format is planned.format)


@dataclass(frozen=True, slots=True)
class Built:
    """What came of it. `made` were exported now, `reused` come from the cache; `left_out` could not
    be made and were not asked for by name. `unchanged`: the same bundle was there already."""

    bundle: Bundle
    made: tuple[str, ...]
    reused: tuple[str, ...]
    left_out: tuple[Refusal, ...]
    unchanged: bool


def build(
    orders: Sequence[Order],
    out: Path,
    *,
    cache: Cache,
    parts: Sequence[Part] = (),
    measuring: Measuring | None = None,
    name: str = "",
    replace: bool = False,
    progress: Progress = unheard,
) -> Built:
    """Makes the bundle `out`.

    Args:
        orders: what to make of which models; the first names the bundle.
        out: the place; its parent is there.
        cache: where made variants are kept.
        parts: what else the bundle carries.
        measuring: what measures each variant; None leaves `evaluation` empty.
        name: of the bundle; empty takes the first model's.
        replace: whether another bundle that is at `out` makes room.
        progress: told what is done and the share of the whole.

    Raises:
        ExportError: a variant cannot be made or measured; those that could stay in the cache.
        BundleError: the bundle cannot be written; nothing is at `out` that was not there before.
    """
    _check_orders(orders)
    work = _Work(cache, measuring, progress, sum(len(one.plan.variants) for one in orders))
    groups = [group for order in orders if (group := work.group(order)).results]
    if not groups:
        raise Unsupported("nothing could be made", hint="; ".join(_reasons(work.left_out)))
    progress("packing", 1.0)
    files = [describe(part.source, part.path, part.role) for part in parts]
    manifest = make_manifest(name or bundle_name(groups[0].subject.name), groups, files)
    there = _same(out, manifest)
    bundle = there or write_bundle(manifest, _sources(groups, parts), out, replace=replace)
    results = [one for group in groups for one in group.results]
    return Built(
        bundle=bundle,
        made=tuple(one.planned.name for one in results if one.kept.fresh),
        reused=tuple(one.planned.name for one in results if not one.kept.fresh),
        left_out=tuple(work.left_out),
        unchanged=there is not None,
    )


@dataclass(slots=True)
class _Work:
    """What is done and what is left of it; `left_out` grows."""

    cache: Cache
    measuring: Measuring | None
    progress: Progress
    variants: int
    done: int = 0
    left_out: list[Refusal] = field(default_factory=list)

    def group(self, order: Order) -> Group:
        """Every variant of one model."""
        subject = order.plan.subject
        self.left_out += order.plan.refusals
        self.progress(f"reading {subject.name}", self.done / self.variants)
        digest = source_digest(subject.path)
        made = (self._result(order, planned, digest) for planned in order.plan.variants)
        results = tuple(one for one in made if one is not None)
        return Group(subject, digest, tokenizer_of(subject), results)

    def _result(self, order: Order, planned: Planned, digest: str) -> Result | None:
        """One variant; None where it cannot be made and was not asked for by name."""
        exporter = order.exporter(planned)
        try:
            kept = self._made(order.plan.subject.path, planned, exporter, digest)
        except (Unsupported, MissingExtra) as error:
            if planned.asked:
                raise
            self._leave_out(planned, error)
            return None
        evaluation = self._measured(order.plan.subject.path, planned, exporter, kept, digest)
        self.done += 1
        profiles = tuple(one for one in order.plan.profiles if one.name in planned.fits)
        return Result(planned, kept, profiles, tools_of(exporter), evaluation)

    def _made(self, source: Path, planned: Planned, exporter: Exporter, digest: str) -> Kept:
        tools = {tool.name: tool.version for tool in tools_of(exporter)}
        by = f"{type(exporter).__module__}:{type(exporter).__qualname__}"
        key = key_of(
            source=digest, by=by, precision=planned.precision, tools=tools, code=exporting_code()
        )

        def export(out: Path) -> Made:
            told = self._told(planned, 0.0)
            return exporter.export(source, planned.precision, out, progress=told)

        return self.cache.make(key, planned.size, export)

    def _measured(
        self, source: Path, planned: Planned, exporter: Exporter, kept: Kept, digest: str
    ) -> dict[str, Any] | None:
        if self.measuring is None:
            return None
        identity = f"{self.measuring.identity} of {digest}"
        found = self.cache.evaluation(kept, identity)
        if found is None:
            told = self._told(planned, 0.5)
            found = self.measuring.measure(kept.made, source, exporter, progress=told)
            self.cache.keep_evaluation(kept, identity, found)
            found = self.cache.evaluation(kept, identity)  # as another run will read it
        return found

    def _told(self, planned: Planned, start: float) -> Progress:
        """Progress of one half of one variant, as a share of the whole."""
        span = 1.0 - start if self.measuring is None else 0.5

        def told(what: str, share: float) -> None:
            whole = (self.done + start + span * share) / self.variants
            self.progress(f"{planned.name}: {what}", whole)

        return told

    def _leave_out(self, planned: Planned, error: Unsupported | MissingExtra) -> None:
        why, profiles = error.what, tuple(planned.fits)
        self.left_out.append(Refusal(planned.format, profiles, why, error.hint, asked=False))
        self.variants -= 1


def _check_orders(orders: Sequence[Order]) -> None:
    """What was asked for by name must be possible; nothing is made before that is known."""
    for order in orders:
        for refusal in order.plan.refusals:
            if refusal.asked and refusal.hint:
                what = f"{refusal.format} cannot be made: {refusal.why}"
                raise MissingExtra(what, hint=refusal.hint)
    if not any(order.plan.variants for order in orders):
        reasons = [line for order in orders for line in _why_nothing(order.plan)]
        raise Unsupported("nothing would be made for these profiles", hint="; ".join(reasons))


def _why_nothing(plan: Plan) -> Iterator[str]:
    yield from _reasons(plan.refusals)
    for one in plan.candidates[-1:]:  # the smallest of the last profile
        yield f"{one.format}-{one.precision} on {one.profile}: {one.why}"


def _reasons(refusals: Sequence[Refusal]) -> Iterator[str]:
    for one in refusals:
        yield f"{one.format}: {one.why}{f' ({one.hint})' if one.hint else ''}"


def _same(out: Path, manifest: Manifest) -> Bundle | None:
    """The bundle at `out` where it is the one that would be written, and whole."""
    try:
        there = read_bundle(out)
        same = there.digest == digest_of(manifest) and verify_bundle(out).ok
    except BundleError:
        return None
    return there if same else None


def _sources(groups: Sequence[Group], parts: Sequence[Part]) -> dict[str, Source]:
    found: dict[str, Source] = {part.path: part.source for part in parts}
    for group in groups:
        for result in group.results:
            for file in result.kept.files:
                found[result.path_of(file.path)] = result.kept.made.folder / file.path
    return found
