"""Where each value of a policy comes from: the default file, or a line of one's own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from skerry.edge.policy.load import DEFAULTS, load_policy, read_document, without_extends
from skerry.edge.policy.overlay import ADDED_TO, lay_over

if TYPE_CHECKING:
    from skerry.device_profiles.located_toml import KeyPath, LocatedToml


@dataclass(frozen=True, slots=True)
class Value:
    """A value that holds. `line` is of the own file, None for one of the default file; `added`:
    its items stand beside those of the default."""

    key: str
    value: Any
    line: int | None
    added: bool = False


def values_of(path: Path | None) -> list[Value]:
    """Every value of the policy of `path` (None: the default alone), in the order of the files.

    Raises:
        ConfigError: as `load_policy` does.
    """
    load_policy(path)
    default = read_document(DEFAULTS)
    if path is None:
        return list(_values(without_extends(default), None))
    own = read_document(path)
    alone = own.data.get("extends") == "nothing"
    whole = lay_over({} if alone else without_extends(default), without_extends(own))
    return list(_values(whole, own))


def _values(table: Mapping[str, Any], own: LocatedToml | None, at: KeyPath = ()) -> Iterator[Value]:
    for key, value in table.items():
        path = (*at, key)
        if isinstance(value, Mapping):
            yield from _values(value, own, path)
        elif path == ("deny",):
            yield from _rules(value, own)
        else:
            line = _line(own, path)
            yield Value(
                ".".join(map(str, path)), value, line, line is not None and path in ADDED_TO
            )


def _rules(rules: list[Mapping[str, Any]], own: LocatedToml | None) -> Iterator[Value]:
    """Own rules come first, so that a rule has the same place in both."""
    for number, rule in enumerate(rules):
        yield Value(f"deny.{rule['name']}", dict(rule), _line(own, ("deny", number)))


def _line(own: LocatedToml | None, path: KeyPath) -> int | None:
    if own is None or own.known(path) != path:
        return None
    return own.line(path)
