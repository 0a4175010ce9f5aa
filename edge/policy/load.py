"""Reads `policy.toml` into a `Policy`, or says which line of which file is wrong."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from skerry.edge.errors import ConfigError
from skerry.edge.policy.overlay import first_loosened, lay_over
from skerry.edge.policy.places import Path as KeyPath
from skerry.edge.policy.places import known_part, line_of
from skerry.edge.policy.rules import Policy

if TYPE_CHECKING:
    from pydantic import TypeAdapter, ValidationError
    from pydantic_core import ErrorDetails

DEFAULTS = Path(__file__).with_name("policy.toml")
MAX_BYTES = 256 * 1024

_NAMES_A_KEY = frozenset({"missing", "unexpected_keyword_argument"})


def load_policy(path: Path | None = None) -> Policy:
    """The policy of `path` laid over the defaults; the defaults alone for None.

    A file that says `extends = "nothing"` stands alone and must give every key.

    Raises:
        ConfigError: the file cannot be read or is not a policy; names file, line and key.
    """
    return defaults() if path is None else parse_policy(_read(path), str(path))


@cache
def defaults() -> Policy:
    return parse_policy(_read(DEFAULTS), DEFAULTS.name)


def parse_policy(text: str, name: str) -> Policy:
    """The policy that `text` says; `name` is what errors call it.

    Raises:
        ConfigError: it is not a policy.
    """
    document = _document(text, name)
    if not _extends_defaults(document, text, name):
        return _validated(document, document, text, name)
    policy = _validated(lay_over(_default_document(), document), document, text, name)
    if loosened := first_loosened(defaults(), policy):
        keys = tuple(loosened.split("."))
        what = f"{loosened} may be made stricter than the default, not looser"
        hint = 'remove the key, or write a whole policy with extends = "nothing"'
        raise _error(name, line_of(text, keys), what, hint)
    return policy


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        hint = "check the path, or leave it out for the default policy"
        raise ConfigError(f"{path}: cannot be read: {error.strerror}", hint=hint) from error
    if len(content) > MAX_BYTES:
        what = f"{path}: more than {MAX_BYTES // 1024} KiB; this is not a policy"
        raise ConfigError(what, hint="check the path")
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise _error(str(path), line, "not UTF-8 text", "save the file as UTF-8") from error


def _document(text: str, name: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = re.search(r"\(at line (\d+), column (\d+)\)", str(error))
        line = int(place[1]) if place else text.rstrip().count("\n") + 1
        raise _error(name, line, f"not TOML: {error}", "mend the syntax there") from error
    except RecursionError as error:
        raise _error(name, 1, "nested too deeply", "write a flatter file") from error


def _default_document() -> dict[str, Any]:
    document = _document(_read(DEFAULTS), DEFAULTS.name)
    del document["extends"]
    return document


def _extends_defaults(document: dict[str, Any], text: str, name: str) -> bool:
    extends = document.pop("extends", "defaults")
    if extends not in ("defaults", "nothing"):
        line = line_of(text, ("extends",))
        hint = 'write extends = "defaults" or extends = "nothing"'
        raise _error(name, line, f"extends is {extends!r}, which is not known", hint)
    return bool(extends == "defaults")


def _validated(
    merged: Mapping[str, Any], document: Mapping[str, Any], text: str, name: str
) -> Policy:
    from pydantic import ValidationError

    content = json.dumps(merged, default=lambda value: {"not a policy value": str(value)})
    try:
        return _adapter().validate_json(content, strict=True)
    except ValidationError as error:
        line, what = _first_fault(error, document, text)
        raise _error(name, line, what, "docs/policy.md describes every key") from error


@cache
def _adapter() -> TypeAdapter[Policy]:
    from pydantic import TypeAdapter

    return TypeAdapter(Policy)


def _first_fault(error: ValidationError, document: Mapping[str, Any], text: str) -> tuple[int, str]:
    """The line and the words of the fault that comes first in the file."""
    faults: dict[KeyPath, list[ErrorDetails]] = {}
    for detail in error.errors(include_url=False):
        faults.setdefault(_key(detail, document), []).append(detail)
    lines = {key: line_of(text, known_part(document, key)) for key in faults}
    first = min(faults, key=lambda key: lines[key])
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    return lines[first], f"{_dotted(first)}: {_words(faults[first])}{more}"


def _key(detail: ErrorDetails, document: Mapping[str, Any]) -> KeyPath:
    """Where the fault is, without the names of union members that the validator appends."""
    path = detail["loc"]
    known = known_part(document, path)
    return path[: len(known) + 1] if detail["type"] in _NAMES_A_KEY else known


def _dotted(path: KeyPath) -> str:
    """`deny[1].tiers`: items are counted from 1, as people do."""
    parts = (f"[{step + 1}]" if isinstance(step, int) else f".{step}" for step in path)
    return "".join(parts).lstrip(".") or "the file"


def _words(details: Sequence[ErrorDetails]) -> str:
    kinds = {detail["type"] for detail in details}
    if kinds == {"unexpected_keyword_argument"}:
        return "unknown key"
    if kinds == {"missing"}:
        return "missing"
    wanted = "should be " * (kinds == {"literal_error"})
    wanted += " or ".join(dict.fromkeys(map(_wanted, details)))
    given = details[0]["input"]
    return wanted if isinstance(given, dict | list) else f"{wanted}, not {json.dumps(given)}"


def _wanted(detail: ErrorDetails) -> str:
    if detail["type"] == "literal_error":
        return re.sub(r"<\S+: ('\w+')>", r"\1", detail["ctx"]["expected"])
    return re.sub(r"^(Value error,|Input|String|Tuple) ", "", detail["msg"])


def _error(name: str, line: int, what: str, hint: str) -> ConfigError:
    return ConfigError(f"{name}, line {line}: {what}", hint=hint)
