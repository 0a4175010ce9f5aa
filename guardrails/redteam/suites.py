"""Reads a suite: `suite.toml` and the files of cases beside it."""

from __future__ import annotations

import hashlib
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from skerry.guardrails.errors import GuardrailError
from skerry.guardrails.redteam.case import Suite

SHIPPED = Path(__file__).with_name("suite")
_HEAD = "suite.toml"
_MOST_BYTES = 4 << 20
_HINT = "docs/redteam.md shows what a suite holds"


class SuiteInvalid(GuardrailError):
    """A suite cannot be read: names the file, and what in it."""

    code = "suite_invalid"
    exit_code = 3


def load_suite(folder: Path | None = None) -> Suite:
    """The suite in `folder`, or the one that comes with the package.

    Raises:
        SuiteInvalid: there is none, or something in it cannot be used.
    """
    return _shipped() if folder is None else _load(folder)


@cache
def _shipped() -> Suite:
    return _load(SHIPPED)


def _load(folder: Path) -> Suite:
    files = [folder / _HEAD, *sorted(set(folder.glob("*.toml")) - {folder / _HEAD})]
    merged: dict[str, Any] = {"cases": [], "varied": []}
    digest = hashlib.sha256()
    for file in files:
        content = _read(file)
        digest.update(f"{file.name}\0{len(content)}\0".encode() + content)
        data = _parsed(file, content)
        if file.name != _HEAD and not ({"case", "varied"} & set(data)):
            raise SuiteInvalid(f"{file}: it has no case", hint=_HINT)
        merged["cases"] += _kinded(file, data.pop("case", []), data.pop("kind", None))
        merged["varied"] += data.pop("varied", [])
        if file.name == _HEAD:
            merged |= data
        elif data:
            raise SuiteInvalid(f"{file}: there is no such key: {sorted(data)[0]}", hint=_HINT)
    suite = _validated(folder, {**merged, "digest": digest.hexdigest()})
    _check_ids(folder, suite)
    return suite


def _read(file: Path) -> bytes:
    try:
        if not file.is_file() and file.exists():
            raise SuiteInvalid(f"{file} is no file", hint=_HINT)
        if file.stat().st_size > _MOST_BYTES:
            raise SuiteInvalid(f"{file} has more than {_MOST_BYTES:,} bytes", hint=_HINT)
        return file.read_bytes()
    except OSError as error:
        what = f"{file} cannot be read: {error.strerror}"
        raise SuiteInvalid(what, hint="name the folder of a suite") from error


def _parsed(file: Path, content: bytes) -> dict[str, Any]:
    try:
        return tomllib.loads(content.decode())
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SuiteInvalid(f"{file}: {error}", hint=_HINT) from error
    except RecursionError:
        raise SuiteInvalid(f"{file}: nested too deeply", hint=_HINT) from None


def _kinded(file: Path, cases: Any, kind: Any) -> list[Any]:
    """The cases of a file, which all have the kind that it names at its top."""
    if not isinstance(cases, list) or not all(isinstance(one, dict) for one in cases):
        raise SuiteInvalid(f"{file}: write each case under [[case]]", hint=_HINT)
    return [{"kind": kind, **one} if kind is not None else one for one in cases]


def _validated(folder: Path, merged: dict[str, Any]) -> Suite:
    try:
        return Suite.model_validate(merged)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, _named(merged, first["loc"])))
        raise SuiteInvalid(f"{folder}: {place}: {first['msg']}", hint=_HINT) from error


def _named(merged: dict[str, Any], place: tuple[Any, ...]) -> tuple[Any, ...]:
    """The place, with the id of a case for its number."""
    if place[:1] != ("cases",) or len(place) < 2 or not isinstance(place[1], int):
        return place
    case = merged["cases"][place[1]]
    return ("case", case.get("id", place[1]), *place[2:])


def _check_ids(folder: Path, suite: Suite) -> None:
    seen: set[str] = set()
    for case in suite.cases:
        if case.id in seen:
            raise SuiteInvalid(f"{folder}: two cases are called {case.id!r}", hint=_HINT)
        if case.kind not in suite.kinds:
            raise SuiteInvalid(f"{folder}: {case.id}: no kind {case.kind!r}", hint=_HINT)
        seen.add(case.id)
