"""The rules for tools as data, and the file that says them: `tools.toml`, or a deployment's own."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from skerry.device_profiles.located_toml import TomlFault, read
from skerry.edge.errors import ConfigError
from skerry.edge.tools.definition import Impact

DEFAULTS = Path(__file__).with_name("tools.toml")
MAX_BYTES = 64 * 1024
_HINT = "docs/tools.md describes every key"
Name = Annotated[str, Field(min_length=1, max_length=64)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Budget(_Table):
    """What one request may spend on tools. Milliseconds; `characters` bounds a result."""

    calls: int = Field(ge=0, le=100)
    call_ms: int = Field(gt=0)
    total_ms: int = Field(gt=0)
    characters: int = Field(gt=0)


class BreakerRules(_Table):
    """After `failures` in a row a tool is left alone for `cooldown_s` seconds."""

    failures: int = Field(gt=0)
    cooldown_s: float = Field(gt=0)


class ConfirmRules(_Table):
    """The impacts whose calls a person confirms. `high` cannot be left out."""

    impact: frozenset[Impact]

    def model_post_init(self, _: object) -> None:
        if Impact.HIGH not in self.impact:
            raise ValueError('"high" is always confirmed: it may not be left out')


class ToolRules(_Table):
    """A whole file of rules: which role may run which tools, within what budget."""

    schema_: Literal["skerry.tools/1"] = Field(alias="schema")
    version: Name
    roles: dict[Name, frozenset[Name]]
    budget: Budget
    breaker: BreakerRules
    confirm: ConfirmRules

    def allowed(self, role: str) -> frozenset[str]:
        """The names of the tools of a role; none for a role that the file does not name."""
        return self.roles.get(role, frozenset())


def load_rules(path: Path | None = None) -> ToolRules:
    """The rules of the file `path`, or those that come with the package.

    Raises:
        ConfigError: the file cannot be read, or says something that is no rule; names file, line
            and key.
    """
    return _defaults() if path is None else _load(path)


@cache
def _defaults() -> ToolRules:
    return _load(DEFAULTS)


def _load(path: Path) -> ToolRules:
    try:
        located = read(path, max_bytes=MAX_BYTES)
        return ToolRules.model_validate(located.data)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}", hint=_HINT) from error
    except TomlFault as fault:
        raise ConfigError(f"{path}, line {fault.line}: {fault.what}", hint=_HINT) from None
    except ValidationError as error:
        first = located.fault(error)
        key = first.key or "the file"
        what = f"{path}, line {first.line}: {key}: {first.what}"
        raise ConfigError(what, hint=_HINT) from error
