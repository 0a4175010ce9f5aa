from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.device_profiles.located_toml import KeyPath, TomlFault, parse, read

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
many = [
  { sign = "]" },
  { sign = "[ # \\\\" },
]
[rule.more]
said = """ends in "quotes""""
last = 1
'''


@dataclass(frozen=True)
class Place:
    path: KeyPath
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
    Place(("rule", 0, "when"), 21),
    Place(("rule", 1), 22),
    Place(("rule", 1, "when"), 23),
    Place(("rule", 1, "many", 1, "sign"), 24),
    Place(("rule", 1, "more"), 28),
    Place(("rule", 1, "more", "said"), 29),
    Place(("rule", 1, "more", "last"), 30),
    Place(("rule", 2), 20),
    Place(("memory", "missing"), 5),
    Place(("missing",), 1),
    Place((), 1),
]


@pytest.mark.parametrize(
    "place", PLACES, ids=lambda place: ".".join(map(str, place.path)) or "whole"
)
def test_line_of_key(place: Place) -> None:
    assert parse(TEXT).line(place.path) == place.line


def test_text_inside_a_string_is_no_key() -> None:
    located = parse(TEXT)
    assert located.known(("not_a_table",)) == ()
    assert located.known(("memory", "neither")) == ("memory",)


def test_first_of_several_keys() -> None:
    located = parse(TEXT)
    assert located.first([("cpu",), ("memory", "list"), ("rule", 0)]) == (("memory", "list"), 11)
    assert located.first([("memory", "list"), ("absent",)]) == (("absent",), 1)


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


def test_very_long_value_takes_no_time() -> None:
    text = "first = 1\nlong = [\n" + "1,\n" * 20_000 + "]\nlast = 1\n"
    located = parse(text)
    assert len(located.data["long"]) == 20_000
    assert located.line(("first",)) == 1
    assert located.line(("last",)) == 20_004


def test_byte_order_mark_and_windows_line_ends(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_bytes("a = 1\r\nb = '''x\r\ny'''\r\nc = 1\r\n".encode("utf-8-sig"))
    located = read(path, max_bytes=100)
    assert located.data["b"] == "x\ny"
    assert located.line(("c",)) == 4


KEYS = st.text("abcdef", min_size=1, max_size=4)
VALUES = st.sampled_from(["1", "'x'", "'''\nz = 1\n'''", "[\n1,\n2,\n]", "{ a = 1 }", "true"])


@given(st.dictionaries(KEYS, VALUES, min_size=1, max_size=6), st.data())
def test_a_key_is_found_on_its_line(table: dict[str, str], data: st.DataObject) -> None:
    lines: list[str] = []
    places = {}
    for key, value in table.items():
        lines += data.draw(st.sampled_from([[], [""], ["# key = 1"]]))
        places[key] = len(lines) + 1
        lines += f"{key} = {value}".split("\n")
    located = parse("\n".join(lines))
    assert located.data == tomllib.loads(located.text)
    assert {key: located.line((key,)) for key in table} == places
