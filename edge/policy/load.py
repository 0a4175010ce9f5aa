"""Reads `policy.toml` into a `Policy`, or says which line of which file is wrong."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from skerry.edge.errors import ConfigError
from skerry.edge.policy.overlay import first_loosened, lay_over
from skerry.edge.policy.rules import Policy

if TYPE_CHECKING:
    from pydantic import TypeAdapter, ValidationError
    from pydantic_core import ErrorDetails

    from skerry.device_profiles.located_toml import KeyPath, LocatedToml

DEFAULTS = Path(__file__).with_name("policy.toml")
MAX_BYTES = 256 * 1024

_MEND = "mend the file there; docs/policy.md shows such a file"
_NAMES_A_KEY = frozenset({"missing", "unexpected_keyword_argument"})


@dataclass(frozen=True, slots=True)
class Base:
    """A whole policy that others are laid over, and what it says."""

    said: Mapping[str, Any]
    policy: Policy


def load_policy(path: Path | None = None, base: Base | None = None) -> Policy:
    """The policy of `path` laid over `base`, or the defaults; that alone for None.

    A file that says `extends = "nothing"` stands alone and must give every key.

    Raises:
        ConfigError: the file cannot be read or is not a policy; names file, line and key.
    """
    base = base or _default()
    return base.policy if path is None else _policy(read_document(path), str(path), base)


def defaults() -> Policy:
    return _default().policy


def base_of(text: str, name: str) -> Base:
    """The whole policy that `text` says, to lay others over.

    Raises:
        ConfigError: it is none, or says not everything.
    """
    return _whole(_parsed(text, name), name)


def parse_policy(text: str, name: str, base: Base | None = None) -> Policy:
    """The policy that `text` says, over `base` or the defaults; `name` is what errors call it.

    Raises:
        ConfigError: it is not a policy.
    """
    return _policy(_parsed(text, name), name, base or _default())


def _parsed(text: str, name: str) -> LocatedToml:
    from skerry.device_profiles.located_toml import TomlFault, parse

    try:
        return parse(text)
    except TomlFault as fault:
        raise _error(name, fault.line, fault.what, _MEND) from None


@cache
def _default() -> Base:
    return _whole(read_document(DEFAULTS), DEFAULTS.name)


def _whole(located: LocatedToml, name: str) -> Base:
    said = without_extends(located)
    return Base(said, _validated(said, located, name))


def read_document(path: Path) -> LocatedToml:
    """The TOML of a policy file, unchecked. Raises ConfigError when it cannot be read."""
    from skerry.device_profiles.located_toml import TomlFault, read

    try:
        return read(path, max_bytes=MAX_BYTES)
    except OSError as error:
        hint = "check the path, or leave it out for the default policy"
        raise ConfigError(f"{path}: cannot be read: {error.strerror}", hint=hint) from error
    except TomlFault as fault:
        raise _error(str(path), fault.line, fault.what, _MEND) from None


def _policy(located: LocatedToml, name: str, base: Base) -> Policy:
    extends, document = _extends(located, name), without_extends(located)
    if extends == "nothing":
        return _validated(document, located, name)
    policy = _validated(lay_over(base.said, document), located, name)
    if loosened := first_loosened(base.policy, policy):
        what = f"{loosened} may be made stricter than the default, not looser"
        hint = 'remove the key, or write a whole policy with extends = "nothing"'
        raise _error(name, located.line(tuple(loosened.split("."))), what, hint)
    return policy


def without_extends(located: LocatedToml) -> dict[str, Any]:
    """What the file says of the policy itself."""
    return {key: value for key, value in located.data.items() if key != "extends"}


def _extends(located: LocatedToml, name: str) -> str:
    extends = located.data.get("extends", "defaults")
    if extends not in ("defaults", "nothing"):
        hint = 'write extends = "defaults" or extends = "nothing"'
        what = f"extends is {extends!r}, which is not known"
        raise _error(name, located.line(("extends",)), what, hint)
    return str(extends)


def _validated(merged: Mapping[str, Any], located: LocatedToml, name: str) -> Policy:
    from pydantic import ValidationError

    content = json.dumps(merged, default=lambda value: {"not a policy value": str(value)})
    try:
        return _adapter().validate_json(content, strict=True)
    except ValidationError as error:
        line, what = _first_fault(error, located)
        raise _error(name, line, what, "docs/policy.md describes every key") from error


@cache
def _adapter() -> TypeAdapter[Policy]:
    from pydantic import TypeAdapter

    return TypeAdapter(Policy)


def _first_fault(error: ValidationError, located: LocatedToml) -> tuple[int, str]:
    """The line and the words of the fault that comes first in the file."""
    faults: dict[KeyPath, list[ErrorDetails]] = {}
    for detail in error.errors(include_url=False):
        faults.setdefault(_key(detail, located), []).append(detail)
    first, line = located.first(faults)
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    return line, f"{_dotted(first)}: {_words(faults[first])}{more}"


def _key(detail: ErrorDetails, located: LocatedToml) -> KeyPath:
    """Where the fault is, without the names of union members that the validator appends."""
    path = detail["loc"]
    known = located.known(path)
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
