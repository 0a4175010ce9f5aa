"""Fetching models from a real server that breaks off, lies, changes and refuses."""

from __future__ import annotations

import hashlib
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import gguf
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skerry.edge.engines.models import catalogue
from skerry.edge.engines.partfile import Origin, PartFile
from skerry.edge.engines.pull import pull as fetch
from skerry.edge.engines.pull_rules import RangeRefused, arrival, checked_origin
from skerry.edge.errors import InputError, PullError, PullFull, PullInterrupted
from tests.edge.engines.mirror import Mirror, serving

SIZE = 3_000_000


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A small, whole GGUF file."""
    path = tmp_path_factory.mktemp("gguf") / "made.gguf"
    writer = gguf.GGUFWriter(str(path), "llama")
    values = np.random.default_rng(0).integers(0, 1 << 30, SIZE // 4, dtype=np.int32)
    writer.add_tensor("noise", values.view(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path.read_bytes()


pull = partial(fetch, pause=lambda seconds: None)


@pytest.fixture
def mirror(content: bytes) -> Iterator[Mirror]:
    with serving(Mirror(content)) as serving_mirror:
        yield serving_mirror


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def left_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} if folder.exists() else set()


# It arrives


def test_a_model_arrives(mirror: Mirror, content: bytes, tmp_path: Path) -> None:
    seen: list[tuple[int, int | None]] = []
    folder = tmp_path / "new" / "models"
    spec = pull(
        mirror.url, "mine", folder, sha256=digest(content), progress=lambda *at: seen.append(at)
    )
    assert spec.path.read_bytes() == content
    assert catalogue(folder).find("mine").path.samefile(spec.path)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert seen[-1] == (len(content), len(content))
    assert left_in(folder) == {"mine.gguf", "mine.json"}
    note = json.loads((folder / "mine.json").read_text())
    assert (note["url"], note["sha256"]) == (mirror.url, digest(content))


def test_twice_costs_nothing(mirror: Mirror, content: bytes, tmp_path: Path) -> None:
    pull(mirror.url, "mine", tmp_path)
    again = pull(mirror.url + "?download=true", "mine", tmp_path)
    assert pull("https://elsewhere.invalid/x", "mine", tmp_path, sha256=digest(content)) == again
    assert len(mirror.asked) == 1


def test_a_name_that_is_taken_is_kept(mirror: Mirror, tmp_path: Path) -> None:
    mine = tmp_path / "mine.gguf"
    mine.write_bytes(b"GGUF and mine")
    with pytest.raises(PullError, match="another model named 'mine'"):
        pull(mirror.url, "mine", tmp_path)
    assert mine.read_bytes() == b"GGUF and mine"


def test_without_a_length(content: bytes, tmp_path: Path) -> None:
    with serving(Mirror(content, lengths=False)) as mirror:
        seen: list[int | None] = []
        spec = pull(mirror.url, "m", tmp_path, progress=lambda done, total: seen.append(total))
    assert spec.path.read_bytes() == content
    assert set(seen) == {None}


def test_a_redirect_is_followed(mirror: Mirror, content: bytes, tmp_path: Path) -> None:
    with serving(Mirror(b"", redirect_to=mirror.url)) as first:
        assert pull(first.url, "m", tmp_path).path.read_bytes() == content


def test_what_is_refused_leaves_nothing(tmp_path: Path) -> None:
    page = serving(Mirror(b"<!doctype html>" * 100))
    with page as mirror, pytest.raises(PullError, match="not a GGUF file"):
        pull(mirror.url, "m", tmp_path)
    assert not left_in(tmp_path)


# It breaks off, and goes on


@settings(max_examples=25, deadline=None)
@given(cuts=st.lists(st.integers(0, 1_500_000), max_size=5), ranges=st.booleans())
def test_any_breaks_end_in_the_same_file(
    content: bytes, tmp_path_factory: pytest.TempPathFactory, cuts: list[int], ranges: bool
) -> None:
    folder = tmp_path_factory.mktemp("models")
    with serving(Mirror(content, cut_after=list(cuts), ranges=ranges)) as mirror:
        spec = pull(mirror.url, "m", folder, attempts=10)
    assert spec.path.read_bytes() == content
    assert left_in(folder) == {"m.gguf", "m.json"}


def test_goes_on_where_it_stopped(mirror: Mirror, content: bytes, tmp_path: Path) -> None:
    mirror.cut_after = [1_000_000]
    assert pull(mirror.url, "m", tmp_path).path.read_bytes() == content
    assert mirror.asked == [None, "bytes=1000000-"]


def test_the_next_call_goes_on(mirror: Mirror, content: bytes, tmp_path: Path) -> None:
    mirror.cut_after = [2_000_000]
    mirror.statuses = []
    with pytest.raises(PullInterrupted) as caught:
        pull_once_then_offline(mirror, tmp_path)
    assert caught.value.retryable
    assert (tmp_path / "m.gguf.part").stat().st_size == 2_000_000
    assert catalogue(tmp_path).find("smollm2") is not None
    assert not (tmp_path / "m.gguf").exists()
    mirror.statuses = []
    assert pull(mirror.url, "m", tmp_path).path.read_bytes() == content
    assert mirror.asked[-1] == "bytes=2000000-"


def pull_once_then_offline(mirror: Mirror, folder: Path) -> None:
    """Two megabytes arrive, then the server only answers that it is overloaded."""

    def overload(done: int, total: int | None) -> None:
        if done >= 2_000_000:
            mirror.statuses = [503] * 50

    pull(mirror.url, "m", folder, progress=overload, attempts=2)


def test_a_changed_file_begins_again(mirror: Mirror, content: bytes, tmp_path: Path) -> None:
    part_of(mirror, b"GGUF of an older version", tmp_path, version='"0"')
    assert pull(mirror.url, "m", tmp_path).path.read_bytes() == content


def test_a_changed_file_that_the_server_continues(
    mirror: Mirror, content: bytes, tmp_path: Path
) -> None:
    """The server ignores If-Range, and names the new version in its answer."""
    mirror.etag = None
    part_of(mirror, b"GGUF of an older version", tmp_path, version=None)
    with pytest.raises(PullError, match="SHA-256"):
        pull(mirror.url, "m", tmp_path, sha256=digest(b"another"))
    assert pull(mirror.url, "m", tmp_path, sha256=digest(content)).path.read_bytes() == content


def test_a_part_of_something_else_is_not_continued(
    mirror: Mirror, content: bytes, tmp_path: Path
) -> None:
    part_of(replace(mirror, url="https://elsewhere.invalid/x"), content[:1000], tmp_path)
    assert pull(mirror.url, "m", tmp_path).path.read_bytes() == content
    assert mirror.asked == [None]


def test_a_part_longer_than_the_file(mirror: Mirror, content: bytes, tmp_path: Path) -> None:
    part_of(mirror, content + b"more", tmp_path, version='"1"')
    assert pull(mirror.url, "m", tmp_path).path.read_bytes() == content


def part_of(mirror: Mirror, data: bytes, folder: Path, version: str | None = '"1"') -> None:
    """Leaves behind what an earlier call fetched."""
    with PartFile(folder / "m.gguf", Origin(mirror.url)) as part:
        part.note(Origin(mirror.url, version=version))
        part.write(data)


SLOW_PULL = """
import sys, time
from pathlib import Path
from skerry.edge.engines.pull import pull
pull(sys.argv[1], "m", Path(sys.argv[2]), progress=lambda *at: time.sleep(60))
"""


def test_killed_half_way(content: bytes, tmp_path: Path) -> None:
    """SIGKILL while it arrives: the model is not there, and the next call goes on."""
    with serving(Mirror(content)) as mirror:
        child = subprocess.Popen([sys.executable, "-c", SLOW_PULL, mirror.url, str(tmp_path)])
        part = tmp_path / "m.gguf.part"
        wait_for(lambda: part.exists() and part.stat().st_size > 0)
        child.kill()
        child.wait()
        assert not (tmp_path / "m.gguf").exists()
        arrived = part.stat().st_size
        assert pull(mirror.url, "m", tmp_path).path.read_bytes() == content
        assert mirror.asked == [None, f"bytes={arrived}-"]


def wait_for(condition: object, within_s: float = 20) -> None:
    end = time.monotonic() + within_s
    while not condition():  # type: ignore[operator]  # a function without arguments
        assert time.monotonic() < end
        time.sleep(0.01)


def test_two_at_once(mirror: Mirror, tmp_path: Path) -> None:
    with (
        PartFile(tmp_path / "m.gguf", Origin(mirror.url)),
        pytest.raises(PullError, match="another process"),
    ):
        pull(mirror.url, "m", tmp_path)


# It is not what was wanted


def test_a_wrong_digest(mirror: Mirror, content: bytes, tmp_path: Path) -> None:
    with pytest.raises(PullError) as caught:
        pull(mirror.url, "m", tmp_path, sha256="0" * 64)
    assert digest(content) in str(caught.value)
    assert left_in(tmp_path) == set()


@dataclass(frozen=True)
class Bad:
    name: str
    settings: dict[str, object]
    error: type[Exception]
    match: str


BAD_SERVERS = (
    Bad("a page", {"content": b"<html>", "content_type": "text/html"}, PullError, "text/html"),
    Bad("an empty file", {"content": b""}, PullError, "not a whole GGUF"),
    Bad("a truncated model", {"lengths": False, "cut_after": [9000]}, PullError, "not a whole"),
    Bad("not found", {"statuses": [404]}, PullError, "404"),
    Bad("forbidden", {"statuses": [403]}, PullError, "403"),
    Bad("compressed", {"encoding": "gzip"}, PullError, "compresses"),
    Bad("always overloaded", {"statuses": [503] * 9}, PullInterrupted, "503"),
    Bad("claims an exabyte", {"length_lie": 1 << 60}, PullError, "bytes or more"),
    Bad("sends nothing", {"cut_after": [0] * 9}, PullInterrupted, "broke"),
    Bad("claims more than the disk", {"length_lie": 400 << 30}, PullFull, "MiB free"),
    Bad("redirects for ever", {"redirect_to": "/model.gguf"}, PullError, "redirect"),
    Bad("redirects to nowhere", {"redirect_to": "http://127.0.0.1:9/x"}, PullInterrupted, "broke"),
    Bad("redirects to no name", {"redirect_to": "http://x.invalid/"}, PullInterrupted, "broke"),
)  # fmt: skip


@pytest.mark.parametrize("case", BAD_SERVERS, ids=lambda case: case.name)
def test_a_bad_server(content: bytes, tmp_path: Path, case: Bad) -> None:
    with (
        serving(Mirror(**{"content": content, **case.settings})) as mirror,  # type: ignore[arg-type]  # the case's
        pytest.raises(case.error, match=case.match) as caught,
    ):
        pull(mirror.url, "m", tmp_path, attempts=2)
    assert getattr(caught.value, "hint", "")
    assert not (tmp_path / "m.gguf").exists()


def test_a_server_that_sends_less_than_it_says(content: bytes, tmp_path: Path) -> None:
    """It never sends the rest: each attempt brings nothing, and it gives up."""
    with serving(Mirror(content, length_lie=SIZE * 2, ranges=False)) as mirror:
        with pytest.raises(PullInterrupted):
            pull(mirror.url, "m", tmp_path, attempts=2)
        assert len(mirror.asked) <= 6


def test_pauses_grow_while_nothing_arrives(content: bytes, tmp_path: Path) -> None:
    pauses: list[float] = []
    cuts = [0, 0, 50_000, *[0] * 99]
    with (
        serving(Mirror(content, cut_after=cuts, statuses=[503, 503])) as mirror,
        pytest.raises(PullInterrupted),
    ):
        fetch(mirror.url, "m", tmp_path, attempts=5, pause=pauses.append)
    assert pauses == [0.4, 0.8, 1.6, 3.2, 0.2, 0.4, 0.8, 1.6, 3.2]


def test_nobody_listens(tmp_path: Path) -> None:
    with pytest.raises(PullInterrupted, match=r"http://127\.0\.0\.1:9/x broke") as caught:
        pull("http://127.0.0.1:9/x?token=secret", "m", tmp_path, attempts=1)
    assert "secret" not in str(caught.value)
    assert left_in(tmp_path) == set()


BAD_ARGUMENTS = {
    "a file": {"url": "file:///etc/passwd"},
    "no address": {"url": "model"},
    "not encrypted": {"url": "http://example.org/m.gguf"},
    "a digest of another kind": {"sha256": "abc"},
    "a name with a path": {"name": "../m"},
    "a hidden name": {"name": ".m"},
    "an empty name": {"name": ""},
    "a name with a suffix": {"name": "m.gguf"},
}


@pytest.mark.parametrize("given", BAD_ARGUMENTS.values(), ids=BAD_ARGUMENTS.keys())
def test_bad_arguments(tmp_path: Path, given: dict[str, str]) -> None:
    arguments = {"url": "https://example.org/m.gguf", "name": "m", **given}
    with pytest.raises(InputError) as caught:
        pull(folder=tmp_path, **arguments)  # type: ignore[arg-type]  # the case's
    assert caught.value.hint
    assert left_in(tmp_path) == set()


def test_secrets_are_not_kept() -> None:
    origin = checked_origin("https://me:password@example.org/m.gguf?signature=1#top", None)
    assert origin.url == "https://example.org/m.gguf"


def test_plain_http_with_a_digest_is_enough() -> None:
    assert checked_origin("http://example.org/m", "A" * 64).sha256 == "a" * 64


# The disk


def test_no_room_for_it(mirror: Mirror, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk cannot be had in a test without being root; its figures can."""
    usage = type("Usage", (), {"free": 1 << 20})
    monkeypatch.setattr("shutil.disk_usage", lambda path: usage)
    with pytest.raises(PullFull, match="MiB are needed"):
        pull(mirror.url, "m", tmp_path)


@contextmanager
def largest_file(size_bytes: int) -> Iterator[None]:
    """The kernel refuses to write files beyond that size, as it does on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_the_disk_fills_up(mirror: Mirror, content: bytes, tmp_path: Path) -> None:
    with largest_file(2_000_000), pytest.raises(PullFull, match="no room"):
        pull(mirror.url, "m", tmp_path)
    assert 0 < (tmp_path / "m.gguf.part").stat().st_size <= 2_000_000
    assert pull(mirror.url, "m", tmp_path).path.read_bytes() == content


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written(mirror: Mirror, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with ExitStack() as stack:
        stack.callback(tmp_path.chmod, 0o700)
        with pytest.raises(PullError, match="cannot be written"):
            pull(mirror.url, "m", tmp_path)


def test_a_folder_that_is_a_file(mirror: Mirror, tmp_path: Path) -> None:
    (tmp_path / "models").write_text("not a folder")
    with pytest.raises(PullError, match="cannot be written"):
        pull(mirror.url, "m", tmp_path / "models")


# What a response means


RANGES = {
    "another start": {"content-range": "bytes 5-9/10"},
    "none": {},
    "garbage": {"content-range": "bytes */x"},
    "another version": {"content-range": "bytes 4-9/10", "etag": '"2"'},
}


@pytest.mark.parametrize("headers", RANGES.values(), ids=RANGES.keys())
def test_a_range_that_cannot_be_used(headers: dict[str, str]) -> None:
    with pytest.raises(RangeRefused):
        arrival(206, headers, 4, '"1"')


@given(
    st.integers(100, 599),
    st.dictionaries(
        st.sampled_from(["content-range", "content-length", "etag", "content-encoding"]),
        st.text(max_size=20),
    ),
    st.integers(0, 10**12),
)
def test_no_response_surprises(status: int, headers: dict[str, str], have: int) -> None:
    try:
        coming = arrival(status, headers, have, None)
    except PullError:
        return
    assert coming.start in {0, have}
