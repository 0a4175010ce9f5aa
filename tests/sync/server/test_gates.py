"""The gate that the server checks itself: are there deltas?"""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from skerry.sync.names import delta_path
from skerry.sync.rollouts.plan import Version
from skerry.sync.server.errors import Refusal
from skerry.sync.server.gates import of
from tests.sync.fleet import Fleet as Repository
from tests.sync.rollouts.building import plan

LARGE = (1 << 20) + 5


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository(tmp_path)
    for version in ("1", "2"):
        made.publish(version, size=LARGE)
    return made


@pytest.fixture(params=["folder", "web"])
def place(request: pytest.FixtureRequest, repository: Repository) -> Iterator[str]:
    if request.param == "folder":
        yield str(repository.public)
        return
    handler = partial(_Quiet, directory=str(repository.public))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None: ...


def _version(repository: Repository, version: str) -> Version:
    folder = repository.public / "targets" / "stable" / "tiny" / version
    (found,) = folder.glob("*.bundle.json")
    target = f"stable/tiny/{version}/bundle.json"
    return Version(target, version, found.name.partition(".")[0])


def _checked(place: str, repository: Repository, **given: Any) -> list[tuple[bool, str]]:
    versions = {
        "version": _version(repository, "2"),
        "previous": _version(repository, "1"),
        "gates": ("deltas", "evaluation"),
    }
    made = plan()
    changed = {**versions, **given}
    fields = {name: getattr(made, name) for name in made.__dataclass_fields__}
    wanted = type(made)(**{**fields, **changed})
    return [(one.passed, one.what) for _, one in of(place).check(wanted, 1.0)]


def test_a_large_file_that_changed_needs_its_delta(place: str, repository: Repository) -> None:
    ((passed, what),) = _checked(place, repository)
    assert not passed
    assert what == "1 deltas are missing, first: variants/gguf-q4_0/model.gguf"
    old, new = (_model(repository, version) for version in ("1", "2"))
    path = repository.public / delta_path(old, new)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"a delta")
    assert _checked(place, repository) == [(True, "every file that changed has its delta")]


def _model(repository: Repository, version: str) -> str:
    import hashlib

    bundle = repository.folder / f"bundle-{version}" / "variants/gguf-q4_0/model.gguf"
    return hashlib.sha256(bundle.read_bytes()).hexdigest()


def test_a_first_version_needs_none(place: str, repository: Repository) -> None:
    assert _checked(place, repository, previous=None)[0][0]


def test_what_is_not_published_or_cannot_be_asked(place: str, repository: Repository) -> None:
    missing = Version("stable/tiny/9/bundle.json", "9", "9" * 64)
    ((passed, what),) = _checked(place, repository, version=missing)
    assert not passed
    assert "is not published" in what
    ((passed, what),) = _checked("http://127.0.0.1:1", repository)
    assert not passed
    assert "cannot be checked" in what


def test_a_plan_without_the_gate_or_a_server_without_a_repository(repository: Repository) -> None:
    assert _checked(str(repository.public), repository, gates=("evaluation",)) == []
    assert list(of(None).check(plan(gates=("deltas",)), 1.0)) == []
    with pytest.raises(Refusal, match="no folder"):
        of(str(repository.public / "no such"))
