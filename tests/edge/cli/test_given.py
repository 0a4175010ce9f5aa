"""An argument is taken for a text only where nobody can have meant a file."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skerry.edge.cli import given as module
from skerry.edge.cli.given import Source, file_of, may_name_a_file, read_given
from skerry.edge.errors import InputError

MAY_BE_FILES = (
    "notes.tx", "report.pdf", "archive.tar.gz", "LICENCE", "letter2", ".env", "a/b", "/nope",
    "~/letter", "./x", "C:\\letters\\ada", "notes(1).txt", "letter&co.txt", "mail@2024.txt ",
    "file:///home/ada/letter", "/home/ada/my lettr.txt", "my lettr.txt", "report final v2.docx",
)  # fmt: skip
TEXTS = (
    "a fine day", "Mail ada@example.org", "ada@example.org", "https://ward.example.com/p/12",
    "postgres://ada:pw@db.example/x", "4111111111111111", "12/03/1961", "+442079460958", "hi!",
    "password=hunter2", "See the file letter.txt for all of it", "notes.txt\nare mine",
    "Is it in notes.txt?", "a" * 300, "192.168.4.17",
)  # fmt: skip


@pytest.mark.parametrize("argument", MAY_BE_FILES)
def test_what_may_name_a_file(argument: str, monkeypatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError) as caught:
        read_given(argument)
    assert "--text" in caught.value.hint
    assert read_given(argument, Source.TEXT).text == argument


@pytest.mark.parametrize("argument", TEXTS)
def test_what_is_a_text(argument: str, monkeypatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert read_given(argument).source is Source.TEXT
    with pytest.raises(InputError):
        read_given(argument, Source.FILE)


def test_a_file_is_read_whatever_its_name_looks_like(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("letter", "a fine day", "ada@example.org", "12"):
        (tmp_path / name).write_text(f"in {name}")
        found = read_given(name)
        assert (found.text, found.source, found.name) == (f"in {name}", Source.FILE, name)


@pytest.mark.parametrize("name", ["gone", "loop"])
def test_a_link_that_leads_nowhere_is_no_text(name: str, monkeypatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "gone").symlink_to("nowhere")
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(InputError, match="cannot be read"):
        read_given(name)


def test_a_folder_and_a_device_are_refused(tmp_path: Path) -> None:
    for name in (str(tmp_path), "/dev/zero"):
        with pytest.raises(InputError, match=r"a folder|a device"):
            file_of(name)


def test_a_pipe_that_never_ends_is_cut_off(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setattr(module, "LARGEST", 10)
    file = tmp_path / "long"
    file.write_text("a" * 11)
    with pytest.raises(InputError, match="more than 10 bytes"):
        read_given(str(file))


@given(st.text(max_size=300))
@settings(max_examples=300, deadline=None)
def test_any_argument_is_a_text_or_refused(argument: str) -> None:
    assert may_name_a_file(argument) in (True, False)
    try:
        path = file_of(argument)
    except InputError:
        return
    assert path is None or path.exists()
