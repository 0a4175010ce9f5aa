from __future__ import annotations

import tomllib
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skerry.device_profiles.located_toml import TomlFault, parse

TEXT = '''# a comment
name = "x"   # line 2
quoted."a key" = 1

[memory]
total_mb = 4096
text = """
[not_a_table]
neither = "a key"
"""
list = [
  1,
  2,
]
after = true

[cpu.cores]
fast = 4

[[rule]]
when = 1
[[rule]]
when = 2
'''


@dataclass(frozen=True)
class Place:
    path: tuple[str, ...]
    line: int


PLACES = [
    Place(("name",), 2),
    Place(("quoted", "a key"), 3),
    Place(("memory",), 5),
    Place(("memory", "total_mb"), 6),
    Place(("memory", "text"), 7),
    Place(("memory", "list"), 11),
    Place(("memory", "after"), 15),
    Place(("cpu", "cores", "fast"), 18),
    Place(("rule", "when"), 21),
    Place(("memory", "missing"), 5),
    Place(("missing",), 1),
    Place((), 1),
]


@pytest.mark.parametrize("place", PLACES, ids=lambda place: ".".join(place.path) or "whole")
def test_line_of_key(place: Place) -> None:
    assert parse(TEXT).line(place.path) == place.line


def test_text_inside_a_string_is_no_key() -> None:
    lines = parse(TEXT).lines
    assert ("not_a_table",) not in lines
    assert ("memory", "neither") not in lines


@pytest.mark.parametrize(
    ("text", "line"),
    [("a = 1\nb = \n", 2), ("a = 1\na = 2\n", 2), ('a = """\nnever closed', 2), ("\n\n[x\n", 3)],
)
def test_fault_names_the_line(text: str, line: int) -> None:
    with pytest.raises(TomlFault) as raised:
        parse(text)
    assert raised.value.line == line
    assert raised.value.what.startswith("not TOML: ")
    assert "at line" not in raised.value.what


def test_very_long_value_is_bounded() -> None:
    text = "first = 1\nlong = [\n" + "1,\n" * 20_000 + "]\n"
    located = parse(text)
    assert len(located.data["long"]) == 20_000
    assert located.line(("first",)) == 1


KEYS = st.text("abcdef_-0123456789", min_size=1, max_size=8)


@given(st.dictionaries(KEYS, st.lists(st.integers(0, 9), max_size=4), min_size=1, max_size=12))
@settings(max_examples=50, deadline=None)
def test_every_top_key_is_found_on_its_line(values: dict[str, list[int]]) -> None:
    rows = [f"{key} = [\n{', '.join(map(str, row))}\n]" for key, row in values.items()]
    located = parse("\n".join(rows))
    assert located.data == tomllib.loads("\n".join(rows)) == values
    assert [located.line((key,)) for key in values] == [1 + 3 * i for i in range(len(values))]
