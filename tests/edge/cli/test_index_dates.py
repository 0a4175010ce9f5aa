"""`skerry index` where there is no index yet, and with days."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.mark.parametrize(
    "command", [("verify",), ("search", "pier"), ("rm", "pier.md"), ("reembed",)]
)
def test_what_needs_an_index_makes_none(skerry, tmp_path: Path, command: tuple[str, ...]) -> None:
    index = tmp_path / "nosuch.sqlite"
    done = skerry("index", *command, "--index", str(index))
    assert done.code == 5
    assert f"there is no index '{index}'" in done.err
    assert "skerry index add" in done.err
    assert list(tmp_path.iterdir()) == []


def test_where_there_is_no_index_no_document_is_listed(skerry, tmp_path: Path) -> None:
    done = skerry("index", "ls", "--json", "--index", str(tmp_path / "nosuch.sqlite"))
    assert (done.code, done.json["documents"]) == (0, [])
    assert "there is no index" in done.err
    assert list(tmp_path.iterdir()) == []


def test_a_day_means_the_same_wherever_it_is_written(skerry, tmp_path: Path) -> None:
    zone = {"TZ": "EST5EDT", "SKERRY_INDEX": str(tmp_path / "index.sqlite")}
    front = "---\nvalid-from: 2026-02-01\nexpires: 2030-12-31\n---\n"
    told, declared = tmp_path / "told.md", tmp_path / "declared.md"
    told.write_text(f"{front}# Pier\n\nThe pier is open until 22:00.\n")
    declared.write_text("# Slip\n\nThe slip is open until 20:00.\n")
    skerry("index", "add", str(told), env=zone)
    dates = ("--valid-from", "2026-02-01", "--expires", "2030-12-31")
    assert skerry("index", "add", str(declared), *dates, env=zone).code == 0
    first, second = skerry("index", "ls", "--all", "--json", env=zone).json["documents"]
    assert first["expires_at"] == second["expires_at"]
    assert first["valid_from"] == second["valid_from"]
    listed = skerry("index", "ls", "--all", env=zone).out
    assert listed.count("from 2026-02-01 to 2030-12-31") == 2
    for day, found in (("2026-01-31", 0), ("2026-02-01", 1), ("2030-12-31", 1), ("2031-01-01", 0)):
        asked = skerry("index", "search", "When is the pier open?", "--as-of", day, env=zone)
        assert asked.out.count("told.md") == found, day
        assert ("in force from when it was added" in asked.err) is (found == 0)
        asked = skerry("ask", "When is the pier open?", "--as-of", day, env=zone)
        assert ("22:00" in asked.out) is (found == 1)
        assert ("in force from when it was added" in asked.err) is (found == 0)


def test_what_is_no_day_is_told(skerry) -> None:
    done = skerry("index", "search", "pier", "--as-of", "soon")
    assert done.code == 2
    assert "'soon' is no date, such as 2026-12-31" in done.err


def test_a_command_that_is_nearly_one_is_told(skerry) -> None:
    done = skerry("aks", "Is the pier open?")
    assert done.code == 2
    assert "No such command 'aks'. Did you mean 'ask'?" in done.err
