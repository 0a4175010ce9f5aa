from __future__ import annotations

import os
from pathlib import Path

import pytest

from skerry.edge.errors import DocumentError
from skerry.edge.index import Index, Kind, Metadata, Progress, Query
from tests.edge.index.conftest import DAY, Clock, RandomEncoder, Write

V1 = "---\ntitle: Trolley checks\nversion: 1\n---\n# Trolley checks\n\nChecked every week.\n"
V2 = V1.replace("version: 1", "version: 2").replace("every week", "every day")
QUESTION = "How often is the trolley checked?"


def texts(index: Index, **query: object) -> list[str]:
    return [hit.chunk.text for hit in index.search(Query(QUESTION, **query))]  # type: ignore[arg-type]


def age(path: Path, seconds: float) -> None:
    """Puts the file's time of change into the past of the test's clock."""
    then = Clock().now - seconds
    os.utime(path, (then, then))


def test_a_folder_goes_in_and_is_found(index: Index, write: Write, tmp_path: Path) -> None:
    write("a.md", V1)
    write("deep/er/b.txt", "In case of fire close the doors.")
    report = index.add([tmp_path / "docs"])
    assert [Path(name).name for name in report.added] == ["a.md", "b.txt"]
    assert (report.chunks, report.skipped, report.failed) == (2, 0, ())
    assert "Checked every week." in texts(index)[0]


def test_what_folders_have_besides_documents(index: Index, write: Write, tmp_path: Path) -> None:
    write("a.md", V1)
    write("program.bin", "x")
    write(".hidden.md", "hidden")
    write(".git/config.md", "hidden")
    (tmp_path / "docs" / "round").symlink_to(tmp_path / "docs", target_is_directory=True)
    (tmp_path / "docs" / "nowhere.md").symlink_to(tmp_path / "nothing")
    (tmp_path / "docs" / "loop.md").symlink_to(tmp_path / "docs" / "loop.md")
    report = index.add([tmp_path / "docs"])
    assert [Path(name).name for name in report.added] == ["a.md"]
    assert (report.skipped, report.failed) == (3, ())
    assert [Path(one.source).name for one in report.unread] == [
        "loop.md",
        "nowhere.md",
        "program.bin",
    ]
    assert "leads to no file" in report.unread[0].what
    assert "supported are .md" in report.unread[2].hint


def test_a_bad_file_is_listed_and_the_others_go_in(index: Index, write: Write) -> None:
    good, program, empty = write("a.md", V1), write("b.bin", "x"), write("c.md", "")
    broken = write("d.pdf", "not a pdf")
    unreal = [Path("/nowhere/x.md"), Path("nul\0.md"), good.parent]
    report = index.add([program, empty, broken, *unreal, good])
    assert [Path(name).name for name in report.added] == ["a.md"]
    assert len(report.failed) == 5
    for failure in report.failed:
        assert failure.what
        assert failure.hint


def test_the_current_folder_is_gone(
    index: Index, write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert index.add([write("a.md", V1)]).added
    with pytest.raises(DocumentError, match="the current folder is gone"):
        index.add([Path("a.md")])


def test_a_link_to_itself_that_is_named(index: Index, tmp_path: Path) -> None:
    loop = tmp_path / "loop.md"
    loop.symlink_to(loop)
    assert len(index.add([loop]).failed) == 1


def test_a_name_that_is_not_utf8(index: Index, tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9.md")
    (tmp_path / name).write_text(V1)
    report = index.add([tmp_path / name])
    assert report.added[0].endswith(r"caf\udce9.md")
    assert index.remove(report.added[0]) == 1


def test_an_unchanged_file_is_not_read(index: Index, write: Write, clock: Clock) -> None:
    path = write("a.md", V1)
    age(path, DAY)
    index.add([path])
    path.write_bytes(path.read_bytes().replace(b"week", b"hour"))
    age(path, DAY)  # same size, same time: only reading would tell
    assert len(index.add([path]).unchanged) == 1
    assert "week" in texts(index)[0]


def test_a_file_changed_as_it_was_read_is_read_again(index: Index, write: Write) -> None:
    path = write("a.md", V1)
    age(path, 1.0)
    index.add([path])
    path.write_bytes(path.read_bytes().replace(b"week", b"hour"))
    age(path, 1.0)
    assert len(index.add([path]).updated) == 1


def test_a_touched_file_is_read_once_and_kept(index: Index, write: Write) -> None:
    path = write("a.md", V1)
    age(path, 3 * DAY)
    index.add([path])
    age(path, 2 * DAY)
    assert len(index.add([path]).unchanged) == 1
    assert len(index.documents(include_superseded=True)) == 1


def test_a_changed_file_supersedes(index: Index, write: Write, clock: Clock) -> None:
    path = write("a.md", V1)
    index.add([path])
    then = clock.now
    clock.now += DAY
    write("a.md", V2)
    assert index.add([path]).updated == (str(path),)
    assert ["every day" in text for text in texts(index)] == [True]
    assert ["every week" in text for text in texts(index, as_of=then)] == [True]
    assert texts(index, as_of=then - 1) == []
    assert [d.version for d in index.documents()] == ["2"]
    assert [d.version for d in index.documents(as_of=then)] == ["1"]
    assert [d.version for d in index.documents(include_superseded=True)] == ["1", "2"]


@pytest.mark.parametrize("order", [("old.md", "new.md"), ("new.md", "old.md")])
def test_a_newer_version_in_another_file_supersedes(
    index: Index, write: Write, clock: Clock, order: tuple[str, str]
) -> None:
    content = {"old.md": V1, "new.md": V2}
    for name in order:
        index.add([write(name, content[name])])
        clock.now += DAY
    assert [d.version for d in index.documents()] == ["2"]
    assert ["every day" in text for text in texts(index)] == [True]


def test_files_that_are_called_alike_without_versions_stand_side_by_side(
    index: Index, write: Write
) -> None:
    index.add([write("a/notes.md", "# Notes\n\nOne."), write("b/notes.md", "# Notes\n\nTwo.")])
    assert len(index.documents()) == 2


def test_a_version_in_force_from_a_later_day(index: Index, write: Write, clock: Clock) -> None:
    path = write("a.md", V1)
    index.add([path])
    write("a.md", V2)
    index.add([path], metadata=Metadata(valid_from=clock.now + DAY))
    assert "every week" in texts(index)[0]
    assert "every day" in texts(index, as_of=clock.now + DAY)[0]
    clock.now += DAY
    assert "every day" in texts(index)[0]


def test_an_expired_document_is_not_served_and_is_kept(
    index: Index, write: Write, clock: Clock
) -> None:
    then = clock.now
    index.add([write("a.md", V1)], metadata=Metadata(expires_at=then + DAY))
    clock.now += DAY
    assert texts(index) == []
    assert index.stats().expired == 1
    assert len(texts(index, as_of=then)) == 1


def test_labels_of_caller_and_document_add_up(index: Index, write: Write) -> None:
    path = write("a.md", V1.replace("version: 1", "version: 1\nlabels: ward"))
    index.add([path], metadata=Metadata(labels=frozenset({"staff"})))
    assert index.documents()[0].labels == {"ward", "staff"}
    assert texts(index, labels=frozenset({"ward"})) == []
    assert len(texts(index, labels=frozenset({"ward", "staff", "more"}))) == 1


def test_tighter_labels_hold_for_the_past_too(index: Index, write: Write, clock: Clock) -> None:
    path, then = write("a.md", V1), clock.now
    index.add([path])
    clock.now += DAY
    assert len(index.add([path], metadata=Metadata(labels=frozenset({"ward"}))).updated) == 1
    assert texts(index) == texts(index, as_of=then) == []
    assert len(texts(index, as_of=then, labels=frozenset({"ward"}))) == 1
    assert len(index.documents(include_superseded=True)) == 1


def test_files_of_a_fluid_kind_expire_and_have_no_history(
    index: Index, write: Write, clock: Clock
) -> None:
    path = write("rota.txt", "Dr Lee checks the trolley today.")
    index.add([path], kind=Kind.FLUID)
    write("rota.txt", "Dr Roy checks the trolley today.")
    index.add([path], kind=Kind.FLUID)
    assert [d.kind for d in index.documents(include_superseded=True)] == [Kind.FLUID]
    assert "Roy" in texts(index)[0]
    clock.now += 31 * DAY
    assert texts(index) == []


def test_progress_tells_each_file(index: Index, write: Write, tmp_path: Path) -> None:
    write("a.md", V1)
    write("b.md", "")
    steps: list[Progress] = []
    index.add([tmp_path / "docs"], progress=steps.append)
    assert [(step.done, step.total, step.chunks) for step in steps] == [
        (0, 2, 0),
        (1, 2, 1),
        (2, 2, 1),
    ]
    assert [Path(step.source).name for step in steps] == ["a.md", "b.md", "b.md"]


def test_progress_moves_within_a_long_file(tmp_path: Path, write: Write) -> None:
    long = write("long.md", "\n\n".join(f"# Part {n}\n\nText {n}." for n in range(600)))
    steps: list[Progress] = []
    with Index.open(tmp_path / "quick.db", RandomEncoder()) as index:
        index.add([long], progress=steps.append)
    parts = [step.part for step in steps]
    assert len(parts) > 4
    assert parts[:-1] == sorted(set(parts[:-1]))
    assert (steps[-1].done, steps[-1].part) == (1, 0.0)


def test_what_was_in_before_ctrl_c_stays(tmp_path: Path, write: Write) -> None:
    write("a.md", V1)
    write("b.md", "\n\n".join(f"# Part {n}\n\nText {n}." for n in range(600)))
    write("c.md", "# C\n\nMore.")

    def interrupt(step: Progress) -> None:
        if step.part:
            raise KeyboardInterrupt

    with Index.open(tmp_path / "quick.db", RandomEncoder()) as index:
        with pytest.raises(KeyboardInterrupt):
            index.add([tmp_path / "docs"], progress=interrupt)
        assert [Path(it.source).name for it in index.documents()] == ["a.md"]
        assert index.verify().ok
        report = index.add([tmp_path / "docs"])
    assert (len(report.unchanged), len(report.added)) == (1, 2)


def test_a_citation_opens_at_its_place(index: Index, write: Write) -> None:
    body = "\n\n".join(f"## Part {n}\n\nThe trolley has item {n}. " * 9 for n in range(30))
    index.add([write("a.md", f"# Long\n\n{body}")])
    for hit in index.search(Query("item 17 of the trolley")):
        text = index.document_text(hit.chunk.document_id)
        assert hit.chunk.text.endswith(text[hit.chunk.start : hit.chunk.end])
        assert hit.chunk.heading[0] == "Long"


def test_removing(index: Index, write: Write, tmp_path: Path, clock: Clock) -> None:
    a, b, c = write("a.md", V1), write("sub/b.md", "# B\n\nOne."), write("sub/c.md", "# C\n\nTwo.")
    index.add([a, b, c])
    for nothing in ("", "nothing", "nul\0", "\ud800", 999, -1, 10**30):
        assert index.remove(nothing) == 0
    assert index.remove(index.documents()[0].id) == 1
    assert texts(index, floor=0.5) == []
    assert index.remove(tmp_path.joinpath("docs", "sub").as_posix()) == 2
    assert index.documents(include_superseded=True) == []
    assert index.verify().ok
    assert index.add([a]).added == (str(a),)


def test_a_folder_is_not_removed_by_the_beginning_of_its_name(index: Index, write: Write) -> None:
    path = write("hand/book.md", V1)
    index.add([path])
    assert index.remove(str(path.parent)[:-1]) == 0


def test_what_a_caller_may_not_read_is_not_there(index: Index, write: Write) -> None:
    from skerry.edge.errors import InputError

    index.add(write("a.md", V1), metadata=Metadata(labels=frozenset({"ward"})))
    (document,) = index.documents()
    assert index.documents(labels=frozenset()) == []
    assert "week" in index.document_text(document.id, labels=frozenset({"ward"}))
    for call in ((document.id, frozenset()), (10**30, frozenset({"ward"}))):
        with pytest.raises(InputError, match="there is no document"):
            index.document_text(call[0], labels=call[1])
