"""docs/policy.md names every key and every rule."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest

from skerry.edge import policy
from skerry.edge.policy.load import DEFAULTS
from skerry.edge.policy.rules import DenyRule

PAGE = (Path(__file__).parents[3] / "docs" / "policy.md").read_text()
SOURCES = Path(policy.__file__).parent.glob("*.py")


def keys() -> Iterator[str]:
    for name, value in tomllib.loads(DEFAULTS.read_text()).items():
        if name == "classes":
            yield from {f"classes.CLASS.{key}" for rules in value.values() for key in rules}
        elif isinstance(value, dict):
            for key, one in value.items():
                yield f"{name}.{key}.CLASS" if isinstance(one, dict) else f"{name}.{key}"
        else:
            yield name


def rules() -> set[str]:
    text = "".join(source.read_text() for source in SOURCES)
    return {*re.findall(r'\bReason\(\s*f?"([a-z_.]+)', text)}


@pytest.mark.parametrize("key", sorted(keys()))
def test_every_key_is_described(key: str) -> None:
    assert f"| `{key}` |" in PAGE


@pytest.mark.parametrize("field", [field.name for field in fields(DenyRule)])
def test_every_part_of_a_deny_rule_is_described(field: str) -> None:
    assert f"`{field}`" in PAGE


def test_every_rule_is_described() -> None:
    found = rules()
    assert len(found) > 15
    assert {rule for rule in found if f"`{rule}" not in PAGE} == set()
