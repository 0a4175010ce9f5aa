"""What changed between two bundles: files and bytes, variants, models, tools, evaluation. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec

from skerry.bundles.manifest import Manifest, Variant

Record = TypeVar("Record")
_MOST_ITEMS = 64


@dataclass(frozen=True, slots=True)
class FileChange:
    """A file that differs; a size is None where that bundle does not have it."""

    path: str
    before: int | None
    after: int | None


@dataclass(frozen=True, slots=True)
class ValueChange:
    """A value that differs: `key` is its place, such as `evaluation.kl_mean`."""

    key: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class VariantChange:
    """A variant that only one bundle has (`values` is empty then), or that differs."""

    name: str
    before: int | None
    after: int | None
    values: tuple[ValueChange, ...] = ()


@dataclass(frozen=True, slots=True)
class Difference:
    """`new_bytes`: of content that the first bundle does not have, wherever it lies there."""

    files: tuple[FileChange, ...]
    variants: tuple[VariantChange, ...]
    values: tuple[ValueChange, ...]
    new_bytes: int

    @property
    def same(self) -> bool:
        return not (self.files or self.variants or self.values)


def compare(before: Manifest, after: Manifest) -> Difference:
    """What is other in `after`; nothing where their digests are equal."""
    return Difference(
        files=tuple(_files(before, after)),
        variants=tuple(_variants(before, after)),
        values=tuple(_values("", _rest(before), _rest(after))),
        new_bytes=_new_bytes(before, after),
    )


def _files(before: Manifest, after: Manifest) -> Iterator[FileChange]:
    old = {file.path: file for file in before.files}
    new = {file.path: file for file in after.files}
    for path in sorted(old.keys() | new.keys()):
        if old.get(path) != new.get(path):
            sizes = (one.size if one else None for one in (old.get(path), new.get(path)))
            yield FileChange(path, *sizes)


def _new_bytes(before: Manifest, after: Manifest) -> int:
    known = {file.sha256 for file in before.files}
    fresh = {file.sha256: file.size for file in after.files if file.sha256 not in known}
    return sum(fresh.values())


def _variants(before: Manifest, after: Manifest) -> Iterator[VariantChange]:
    old = {one.name: one for one in before.variants}
    new = {one.name: one for one in after.variants}
    for name in sorted(old.keys() | new.keys()):
        was, became = old.get(name), new.get(name)
        values = tuple(_values("", _plain(was), _plain(became))) if was and became else ()
        if was is None or became is None or values:
            yield VariantChange(name, _size(before, was), _size(after, became), values)


def _size(manifest: Manifest, variant: Variant | None) -> int | None:
    return None if variant is None else manifest.size_of(variant)


def _rest(manifest: Manifest) -> dict[str, Any]:
    """What is neither a file nor a variant; lists of named things by name."""
    plain = _plain(manifest)
    named = {key: {one["name"]: one for one in plain[key]} for key in ("models", "tools")}
    return {"name": plain["name"], **named, "order": [one.name for one in manifest.variants]}


def _plain(record: object) -> dict[str, Any]:
    made: dict[str, Any] = msgspec.to_builtins(record)
    return made


def _values(key: str, before: Any, after: Any) -> Iterator[ValueChange]:
    """Every differing leaf below `key`; lists are compared as a whole unless they are alike."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for name in sorted(before.keys() | after.keys()):
            inner = f"{key}.{name}" if key else name
            yield from _values(inner, before.get(name), after.get(name))
    elif _alike(before, after):
        for number, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from _values(f"{key}[{number}]", one, other)
    elif before != after:
        yield ValueChange(key, before, after)


def _alike(before: Any, after: Any) -> bool:
    """Lists of equally many objects, few enough to be told one by one."""
    if not (isinstance(before, Sequence) and isinstance(after, Sequence)):
        return False
    if isinstance(before, str) or isinstance(after, str) or len(before) != len(after):
        return False
    return len(before) <= _MOST_ITEMS and all(isinstance(one, Mapping) for one in before)
