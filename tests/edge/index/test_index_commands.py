"""`skerry index` at the command line: labels, floors, what is missing, and hostile names."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from skerry.edge.cli.index import index
from skerry.edge.errors import IndexFault, InputError

HOURS = "We are open from 8 to 6. The head mechanic is Marta Lindqvist. Deposits are refunded.\n"
ESCAPES = "\x1b]0;own\x07 \x9b31m\u202e[/x]"
SHOWN = r"\x1b]0;own\x07 \x9b31m\u202e[/x]"


class Shell:
    """Runs the commands on one index."""

    def __init__(self, folder: Path) -> None:
        self.hours = folder / "hours.txt"
        self.hours.write_text(HOURS)
        self._place = ["--index", str(folder / "i.db")]

    def __call__(self, command: str, *arguments: str, env: dict[str, str] | None = None) -> Result:
        return CliRunner().invoke(index, [command, *arguments, *self._place], env=env)

    def json(self, command: str, *arguments: str, **more: Any) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self(command, *arguments, "--json", **more).output)
        return found


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


def labels(shell: Shell) -> list[str]:
    (document,) = shell.json("ls")["documents"]
    found: list[str] = document["labels"]
    return found


def test_labels_stay_until_they_are_removed(shell: Shell) -> None:
    path = str(shell.hours)
    for arguments, expected in (
        (("--label", "boss", "--expires", "2999-01-01"), ["boss"]),
        ((), ["boss"]),
        (("--domain", "shop"), ["boss"]),
        (("--label", "staff"), ["staff"]),
        (("--no-labels", "--no-expires"), []),
    ):
        assert shell("add", path, *arguments).exit_code == 0
        assert labels(shell) == expected
    (document,) = shell.json("ls")["documents"]
    assert (document["domain"], document["expires_at"]) == ("shop", None)


def test_a_copy_is_told_to_have_kept_its_labels(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "copy.txt").write_text(HOURS)
    shell("add", str(shell.hours), "--label", "boss")
    assert "1 kept the access labels" in shell("add", str(tmp_path / "copy.txt")).output
    assert shell.json("add", str(tmp_path / "copy.txt"), "--no-labels")["report"]["labelled"] == []


@pytest.mark.parametrize(
    "arguments",
    [("--label", "x", "--no-labels"), ("--expires", "2999-01-01", "--no-expires")],
)
def test_options_that_contradict_each_other(shell: Shell, arguments: tuple[str, ...]) -> None:
    done = shell("add", str(shell.hours), *arguments)
    assert done.exit_code == 2
    assert "contradicts" in done.output


@pytest.mark.parametrize("bad", ['"boss"', "[1]", "{}"])
def test_labels_of_a_record_are_a_list(shell: Shell, tmp_path: Path, bad: str) -> None:
    records = tmp_path / "records.jsonl"
    records.write_text(f'{{"source": "s", "key": "k", "text": "t", "labels": {bad}}}\n')
    done = shell("ingest", str(records))
    assert isinstance(done.exception, InputError)
    assert "line 1: labels" in done.exception.what


def columns(shell: Shell, *arguments: str) -> list[dict[str, str]]:
    head, *rows = (line.split("\t") for line in shell("ls", *arguments).output.splitlines())
    return [dict(zip(head, row, strict=True)) for row in rows]


def test_ls_shows_what_governs_documents_where_any_has_it(shell: Shell, tmp_path: Path) -> None:
    shell("add", str(shell.hours))
    assert set(columns(shell)[0]) == set("id title version kind state chunks source".split())
    for name, more in (
        ("a", ("--label", "boss", "--label", "all", "--domain", "shop")),
        ("b", ("--valid-from", "2025-03-01", "--expires", "2999-01-01")),
        ("c", ("--valid-from", "2998-01-01")),
        ("d", ("--expires", "2020-01-01")),
    ):
        (tmp_path / f"{name}.txt").write_text(f"This is {name}.")
        shell("add", str(tmp_path / f"{name}.txt"), *more)
    (tmp_path / "e.md").write_text("---\nvalid-from: 2025-03-01\n---\nThis is e.")
    shell("add", str(tmp_path / "e.md"))
    hours, a, b, c, d, e = columns(shell, "--all")
    assert (e["valid"], e["state"]) == ("from 2025-03-01", "in force")
    assert (hours["labels"], hours["domain"], hours["valid"]) == ("", "", "")
    assert (a["labels"], a["domain"], a["kind"]) == ("all, boss", "shop", "anchored")
    assert b["valid"] == "from 2025-03-01 to 2999-01-01"
    assert (c["valid"], c["state"]) == ("from 2998-01-01", "not yet in force")
    assert (d["valid"], d["state"]) == ("to 2020-01-01", "expired")


@pytest.mark.parametrize("name", ["none.md", "empty.md", "file.xlsx"])
def test_what_failed_is_named_once(shell: Shell, tmp_path: Path, name: str) -> None:
    (tmp_path / "empty.md").write_text("")
    (tmp_path / "file.docx").write_text("x")
    told = shell("add", str(tmp_path / name)).stderr.splitlines()
    assert told[0].count(name) == 1
    assert str(tmp_path / name) in told[0]


def test_what_is_skipped_is_told_with_what_to_do(shell: Shell, tmp_path: Path) -> None:
    folder = tmp_path / "docs"
    folder.mkdir()
    for name in ("a.md", "rota.xlsx", "b.PNG", "c.png", "talk.pptx", "no suffix"):
        (folder / name).write_text("Some text.")
    done = shell("add", str(folder))
    assert done.exit_code == 0
    assert "1 added, 0 updated, 0 unchanged, 0 failed, 5 skipped: " in done.stdout
    assert "skipped 5:" in done.stderr
    assert f" 1 .xlsx: save each sheet as CSV\n  {folder}/rota.xlsx\n" in done.stderr
    assert " 2 .png: run text recognition on it, for example with ocrmypdf" in done.stderr
    assert f"\n  {folder}/b.PNG\n  {folder}/c.png\n" in done.stderr
    assert " 1 .pptx: export it as PDF\n" in done.stderr
    assert " 1 without a suffix: supported are .md" in done.stderr
    report = shell.json("add", str(folder))["report"]
    told = {Path(one["source"]).name: one["hint"] for one in report["unread"]}
    assert (report["skipped"], told["rota.xlsx"]) == (5, "save each sheet as CSV")
    named = shell("add", str(folder / "rota.xlsx"))
    assert named.exit_code == 5
    assert "not supported (.xlsx)\n    save each sheet as CSV" in named.stderr


def test_a_misspelt_key_is_told_and_the_document_taken(shell: Shell, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("---\nvalid_form: 2026-01-01\nauthor: me\n---\nThe page.")
    done = shell("add", str(page))
    assert (done.exit_code, done.stdout.split(":")[0][:7]) == (0, "1 added")
    assert f"{page}: its front matter has 'valid_form', which is no key" in done.stderr
    assert "write 'valid-from' if that is meant" in done.stderr
    page.write_text("---\nvalid_form: 2026-01-02\n---\nThe page.")
    report = shell.json("add", str(page))["report"]
    (warning,) = report["warnings"]
    assert (report["updated"], warning["source"]) == ([str(page)], str(page))
    assert "'valid-from'" in warning["hint"]


def test_a_binary_file_is_refused_and_the_others_go_in(shell: Shell, tmp_path: Path) -> None:
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "good.md").write_text("Good.")
    (folder / "program.md").write_bytes(b"ELF and a great deal of text beside" * 9 + b"\0\0")
    report = shell.json("add", str(folder))["report"]
    assert ([Path(one).name for one in report["added"]], len(report["failed"])) == (["good.md"], 1)
    assert "program.md is a binary file" in report["failed"][0]["what"]


def test_links_that_are_not_followed_are_told(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "link.txt").symlink_to(shell.hours)
    told = shell("add", str(tmp_path / "docs"))
    assert "0 added" in told.stdout
    assert str(tmp_path / "docs" / "link.txt") in told.stderr
    assert "1 added" in shell("add", str(tmp_path / "docs"), "--follow-links").stdout


def test_a_moved_file_is_told_to_have_kept_its_dates(shell: Shell, tmp_path: Path) -> None:
    shell("add", str(shell.hours), "--expires", "2999-01-01")
    shell.hours.rename(tmp_path / "moved.txt")
    assert "1 kept the expiry" in shell("add", str(tmp_path / "moved.txt")).output


def test_the_next_record_keeps_labels(shell: Shell, tmp_path: Path) -> None:
    records = tmp_path / "records.jsonl"
    records.write_text(
        '{"source": "s", "key": "k", "text": "one", "labels": ["boss"]}\n'
        '{"source": "s", "key": "k", "text": "two"}\n'
    )
    assert shell("ingest", str(records)).exit_code == 0
    assert labels(shell) == ["boss"]


def test_what_lies_below_the_floor_is_told(shell: Shell) -> None:
    shell("add", str(shell.hours))
    vague = "somebody who repairs a car"
    told = shell.json("search", vague)
    below = told["below_floor"]
    assert told["hits"] == []
    assert 0 < below["lower"] <= below["best"] < below["floor"] == 0.25
    assert f"--floor {below['lower']:g} shows it" in shell("search", vague).output
    lower = str(below["lower"])
    assert shell.json("search", vague, "--floor", lower)["below_floor"] is None
    by_environment = shell.json("search", vague, env={"SKERRY_SIMILARITY_FLOOR": lower})
    for found in (shell.json("search", vague, "--floor", lower), by_environment):
        assert len(found["hits"]) == below["hits"] == 1


def test_nothing_near_is_nothing_found(shell: Shell) -> None:
    shell("add", str(shell.hours))
    shell("rm", "--yes", str(shell.hours))
    assert shell("search", "anything").output == "nothing found\n"
    assert shell.json("search", "anything") == {
        "schema": "skerry.index.search/1",
        "hits": [],
        "below_floor": None,
    }


def test_a_floor_that_is_no_cosine(shell: Shell) -> None:
    assert shell("search", "x", "--floor", "4").exit_code == 2


@pytest.mark.parametrize("arguments", [(), ("--json",)])
def test_removing_what_is_not_there_is_only_an_error(
    shell: Shell, arguments: tuple[str, ...]
) -> None:
    shell("add", str(shell.hours))
    done = shell("rm", f"nothing{ESCAPES}", *arguments)
    assert done.output == ""
    assert isinstance(done.exception, InputError)
    assert SHOWN in done.exception.what


@pytest.mark.parametrize("command", ["add", "ls", "search", "rm", "verify"])
@pytest.mark.parametrize("as_json", [False, True])
def test_no_document_commands_the_terminal(
    shell: Shell, tmp_path: Path, command: str, as_json: bool
) -> None:
    path = tmp_path / "esc\x1b[31m.md"
    path.write_text(HOURS)
    (tmp_path / "bad\x1b[31m.md").write_text("")
    shell("add", str(path), "--title", ESCAPES, "--label", ESCAPES)
    argument = {
        "add": [str(tmp_path)],
        "search": ["head mechanic", "--labels", ESCAPES],
        "rm": [str(path)],
    }
    done = shell(command, *argument.get(command, []), *(["--json"] if as_json else []))
    assert not set(done.output) & {"\x1b", "\x07", "\x9b"}
    if command in {"ls", "search"} and not as_json:
        assert SHOWN in done.output


def test_a_title_with_markup_is_drawn_as_it_is(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from skerry.edge.cli import output

    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    output.table("", ("title", "source"), [("[/x] [bold]", "a\x1b")])
    assert "[/x] [bold]" in capsys.readouterr().out


@pytest.mark.parametrize("command", [("ls",), ("search", "open"), ("verify",), ("rm", "1")])
def test_a_file_without_a_byte_is_new_only_to_add(
    shell: Shell, tmp_path: Path, command: tuple[str, ...]
) -> None:
    (tmp_path / "i.db").touch()
    error = shell(*command).exception
    assert isinstance(error, IndexFault)
    assert "empty file" in error.what
    assert (tmp_path / "i.db").stat().st_size == 0
    assert shell("add", str(shell.hours)).exit_code == 0
    assert shell(*command).exit_code == 0


def written(folder: Path, name: str, version: str, **more: str) -> Path:
    lines = "".join(f"{key}: {value}\n" for key, value in more.items())
    path = folder / name
    path.write_text(
        f"---\ntitle: Keys\nversion: {version}\n{lines}---\nThe shed has {version} keys.\n"
    )
    return path


def test_add_says_which_version_another_supersedes(shell: Shell, tmp_path: Path) -> None:
    new, old = written(tmp_path, "b.md", "3"), written(tmp_path, "a.md", "2")
    shell("add", str(old))
    said = shell("add", str(new)).output
    assert "1 superseded, and kept for questions as of their time:\n" in said
    assert f"  {old} (version 2), by {new} (version 3)\n" in said
    new.write_text(new.read_text().replace("3", "4"))
    (found,) = shell.json("add", str(new))["report"]["superseded"]
    assert found == {"source": str(new), "version": "3", "by": str(new), "by_version": "4"}


def test_add_says_that_a_document_is_older_than_one_that_is_there(
    shell: Shell, tmp_path: Path
) -> None:
    new, old = (
        written(tmp_path, "b.md", "3"),
        written(tmp_path, "a.md", "2", valid_from="2020-01-01"),
    )
    shell("add", str(new))
    (found,) = shell.json("add", str(old))["report"]["superseded"]
    assert (found["source"], found["by"]) == (str(old), str(new))
    assert shell.json("add", str(old))["report"]["superseded"] == []


def test_add_says_that_a_document_has_expired(shell: Shell, tmp_path: Path) -> None:
    path = str(written(tmp_path, "a.md", "2", expires="2021-01-01"))
    assert f"1 expired already, and not served:\n  {path}\n" in shell("add", path).output
    assert "expired already" not in shell("add", str(shell.hours)).output


def test_a_query_may_be_several_words(shell: Shell) -> None:
    shell("add", str(shell.hours))
    assert shell("search", "head", "mechanic").output == shell("search", "head mechanic").output
    assert "Marta" in shell("search", "head", "mechanic").output
