"""What must agree within a manifest, beyond its shape. Pure."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from skerry.bundles import paths
from skerry.bundles.manifest import MANIFEST, READ, SCHEMA, VARIANTS, Manifest, Role, Variant

MAX_JSON_DEPTH = 32


def problems(manifest: Manifest) -> Iterator[str]:
    """Everything that is wrong with it; nothing where it can be used."""
    if manifest.schema not in READ:
        yield f"it is of the schema '{manifest.schema[:64]}', not {SCHEMA}"
        return
    if manifest.schema != SCHEMA and manifest.of_role(Role.DRAFT):
        yield f"it has a draft model, which {manifest.schema} does not know"
    yield from _paths(manifest)
    yield from _repeated("model", (one.name for one in manifest.models))
    yield from _repeated("variant", (one.name for one in manifest.variants))
    yield from _orders(manifest)
    owned = {file.path for file in manifest.of_role(Role.VARIANT)}
    for variant in manifest.variants:
        yield from _variant(manifest, variant, owned)
    unowned = owned - {path for one in manifest.variants for path in one.files}
    yield from (f"'{path}' belongs to no variant" for path in sorted(unowned))


def _paths(manifest: Manifest) -> Iterator[str]:
    for file in manifest.files:
        if (why := paths.unsafe(file.path)) is not None:
            yield f"the path '{file.path[:80]}' cannot be used: {why}"
    yield from paths.collisions([MANIFEST, *(file.path for file in manifest.files)])
    for file in manifest.files:
        if file.path.startswith(f"{VARIANTS}/") is not (file.role is Role.VARIANT):
            yield f"'{file.path}' is of the role {file.role}, against its folder"


def _orders(manifest: Manifest) -> Iterator[str]:
    """One content has one form: lists without an order of their own are sorted."""
    if [file.path for file in manifest.files] != sorted(file.path for file in manifest.files):
        yield "files are not sorted by path"
    if list(manifest.tools) != sorted(manifest.tools, key=lambda one: (one.name, one.version)):
        yield "tools are not sorted by name"


def _variant(manifest: Manifest, variant: Variant, owned: set[str]) -> Iterator[str]:
    name = variant.name
    if variant.model not in {model.name for model in manifest.models}:
        yield f"the variant {name} is of a model that the manifest does not have"
    if list(variant.files) != sorted(set(variant.files)):
        yield f"the files of {name} are not sorted, or one is there twice"
    for path in variant.files:
        if path not in owned or not path.startswith(f"{VARIANTS}/{name}/"):
            yield f"the variant {name} names '{path[:80]}', which is no file of its folder"
    yield from _repeated(f"profile of {name}", (one.profile for one in variant.suits))
    for what, value in (("facts", variant.facts), ("evaluation", variant.evaluation)):
        if (why := _unstorable(value, 0)) is not None:
            yield f"{what} of {name}: {why}"


def _repeated(what: str, names: Iterable[str]) -> Iterator[str]:
    for name, count in Counter(names).items():
        if count > 1:
            yield f"the {what} '{name}' is there {count} times"


def _unstorable(value: Any, depth: int) -> str | None:
    """Why a value has no JSON form that all programs read alike; None where it has."""
    if depth > MAX_JSON_DEPTH:
        return f"it is more than {MAX_JSON_DEPTH} levels deep"
    if isinstance(value, dict):
        if not all(isinstance(key, str) for key in value):
            return "a key is no text"
        inner: Iterable[Any] = value.values()
    elif isinstance(value, list | tuple):
        inner = value
    else:
        return _unstorable_scalar(value)
    return next(filter(None, (_unstorable(one, depth + 1) for one in inner)), None)


def _unstorable_scalar(value: Any) -> str | None:
    if isinstance(value, float) and not math.isfinite(value):
        return "a number is not finite"
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > 1 << 53:
        return "a whole number is beyond 2**53, which not every program reads exactly"
    if value is None or isinstance(value, str | bool | int | float):
        return None
    return f"{type(value).__name__} has no JSON form"
