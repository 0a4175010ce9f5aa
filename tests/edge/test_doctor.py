from __future__ import annotations

import json
import os
import shutil
import socket
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from skerry.device_profiles import load_profiles
from skerry.edge.doctor import THIS_MACHINE, Report, Status, examine, parts, surroundings
from skerry.edge.doctor.examination import CHECKS
from skerry.edge.encoder import OnnxEncoder, Vectors
from skerry.edge.engines.models import DEFAULT_MODEL
from skerry.edge.index import Index
from skerry.edge.session import SessionStore
from skerry.edge.settings import Settings
from skerry.guardrails.grounding import model as grounding


@pytest.fixture(autouse=True)
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No settings of the person who runs the tests."""
    for name in [name for name in os.environ if name.startswith("SKERRY_")]:
        monkeypatch.delenv(name)
    config = tmp_path / "config.toml"
    config.write_text("")
    monkeypatch.setenv("SKERRY_CONFIG", str(config))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(
        models_dir=tmp_path / "models",
        index=tmp_path / "index.sqlite",
        state=tmp_path / "state.sqlite",
        profiles_dir=tmp_path / "profiles",
        api_key_file=tmp_path / "keys" / "api-key",
        port=0,
    )


def _check(report: Report, name: str) -> tuple[Status, str, str]:
    found = {check.name: check for check in report.checks}[name]
    return found.status, found.detail, found.hint


def _database(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE words (word TEXT)")
        rows = ((f"word {number}",) for number in range(5000))
        connection.executemany("INSERT INTO words VALUES (?)", rows)
        connection.commit()


@pytest.mark.model
def test_this_machine(settings: Settings) -> None:
    report = examine(settings)
    assert [check.name for check in report.checks] == list(CHECKS)
    wrong = [check for check in report.checks if check.status is Status.FAIL]
    assert wrong == []
    assert report.machine is not None
    assert report.profile is not None
    assert json.loads(json.dumps(report.as_json()))["schema"] == "skerry.doctor/1"


@pytest.mark.model
def test_default_model_on_every_device(settings: Settings) -> None:
    report = examine(settings)
    (default,) = [model for model in report.models if model.model == DEFAULT_MODEL]
    assert not default.problem
    assert set(default.fits) == {THIS_MACHINE, *(profile.name for profile in load_profiles())}
    assert {fit.fits for fit in default.fits.values()} == {"yes"}
    speed = default.fits[THIS_MACHINE].tokens_per_s_estimate
    assert speed is not None
    assert 1 < speed < 10_000


def test_nothing_is_made(settings: Settings, tmp_path: Path) -> None:
    before = sorted(tmp_path.rglob("*"))
    examine(settings)
    assert sorted(tmp_path.rglob("*")) == before


def test_one_broken_check_hides_no_other(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: Settings) -> None:
        raise ZeroDivisionError("whoops")

    for name in ("sqlite", "policy"):
        monkeypatch.setitem(CHECKS, name, fail)
    report = examine(settings)
    assert [check.name for check in report.checks] == list(CHECKS)
    status, detail, hint = _check(report, "policy")
    assert (status, detail) == (Status.FAIL, "ZeroDivisionError: whoops")
    assert hint
    assert _check(report, "python")[0] is Status.OK
    assert report.status is Status.FAIL


def test_failing_fit_is_shown(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise MemoryError("no room to measure")

    monkeypatch.setattr("skerry.edge.doctor.examination.fit_models", fail)
    report = examine(settings)
    status, detail, _ = _check(report, "fit")
    assert (status, detail) == (Status.FAIL, "MemoryError: no room to measure")
    assert report.machine is not None


def test_sound_files(settings: Settings) -> None:
    Index.open(settings.index, OnnxEncoder.load()).close()
    SessionStore.open(settings.state).close()
    report = examine(settings)
    for name in ("index", "state"):
        status, detail, _ = _check(report, name)
        assert status is Status.OK, detail
        assert "sound" in detail


class OtherEncoder:
    """An encoder of another make; an index remembers its id."""

    id = "other@0123"
    dimensions = 8
    max_tokens = 16

    def encode(self, texts: Sequence[str]) -> Vectors:
        return np.ones((len(texts), self.dimensions), np.float32) / np.float32(8**0.5)

    def count_tokens(self, text: str) -> int:
        return len(text.split())


def test_index_of_another_encoder(settings: Settings) -> None:
    Index.open(settings.index, OtherEncoder()).close()
    status, detail, hint = _check(examine(settings), "index")
    assert status is Status.FAIL
    assert "other@0123" in detail
    assert hint


@pytest.mark.parametrize("name", ["index", "state"])
def test_database_of_another_program(settings: Settings, name: str) -> None:
    path: Path = getattr(settings, name)
    _database(path)
    before = path.read_bytes()
    status, detail, hint = _check(examine(settings), name)
    assert status is Status.FAIL
    assert str(path) in detail
    assert "another program" in detail
    assert "another" in hint
    assert path.read_bytes() == before


def test_index_and_state_exchanged(settings: Settings) -> None:
    Index.open(settings.state, OnnxEncoder.load()).close()
    SessionStore.open(settings.index).close()
    report = examine(settings)
    for name in ("index", "state"):
        assert "another program" in _check(report, name)[1]


def test_state_of_a_newer_version(settings: Settings) -> None:
    SessionStore.open(settings.state).close()
    with closing(sqlite3.connect(settings.state)) as connection:
        connection.execute("UPDATE _sqlite_migrations SET name = name || '-later'")
        connection.commit()
    status, detail, hint = _check(examine(settings), "state")
    assert status is Status.FAIL
    assert "-later" in detail
    assert "upgrade" in hint


def _make_pipe(path: Path) -> None:
    os.mkfifo(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
@pytest.mark.parametrize("make", [Path.mkdir, _make_pipe], ids=["folder", "pipe"])
@pytest.mark.parametrize("name", ["index", "state"])
def test_no_ordinary_file(settings: Settings, name: str, make: Callable[[Path], None]) -> None:
    make(getattr(settings, name))
    status, detail, hint = _check(examine(settings), name)
    assert status is Status.FAIL
    assert "no ordinary file" in detail
    assert hint


@pytest.mark.parametrize("name", ["grounding.json", "model.onnx", "tokenizer.json"])
def test_guardrail_weights_that_were_changed(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    assert parts.check_guardrails(settings).status is Status.OK
    folder = shutil.copytree(grounding.DEFAULT_FOLDER, tmp_path / "weights")
    (folder / name).write_bytes((folder / name).read_bytes().replace(b"0", b"1", 1))
    monkeypatch.setattr(grounding, "DEFAULT_FOLDER", folder)
    status, detail, hint = _check(examine(settings), "guardrails")
    assert status is Status.FAIL
    assert "was changed" in detail
    assert str(folder) in detail
    assert hint == "Reinstall skerry."


def test_empty_files_are_none_yet(settings: Settings) -> None:
    for path in (settings.index, settings.state):
        path.touch()
    report = examine(settings)
    for name in ("index", "state"):
        status, detail, _ = _check(report, name)
        assert status is Status.OK, detail
        assert "none yet" in detail


@dataclass(frozen=True)
class Damage:
    name: str
    start: int
    content: bytes


DAMAGES = [
    Damage("text", 0, b"this is no database at all, only a long line of text " * 200),
    Damage("torn pages", 8192, b"\xff" * 12_000),
]


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.name)
@pytest.mark.parametrize("name", ["index", "state"])
def test_damaged_file(settings: Settings, name: str, damage: Damage) -> None:
    path: Path = getattr(settings, name)
    _database(path)
    with path.open("r+b") as file:
        file.seek(damage.start)
        file.write(damage.content)
    report = examine(settings)
    status, detail, hint = _check(report, name)
    assert status is Status.FAIL, detail
    assert str(path) in detail
    assert hint
    assert _check(report, "port")[0] is Status.OK


def test_locked_index(settings: Settings) -> None:
    _database(settings.index)
    with closing(sqlite3.connect(settings.index, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        status, _, hint = _check(examine(settings), "index")
    assert status is Status.FAIL
    assert "again" in hint


def test_large_file_is_not_checked_forever(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "_CHECK_LIMIT_S", -1.0)
    monkeypatch.setattr(parts, "_STEPS_BETWEEN_LOOKS", 1)
    SessionStore.open(settings.state).close()
    check = parts.check_state(settings)
    assert check.status is Status.OK
    assert "too large" in check.detail


def test_missing_model(settings: Settings) -> None:
    status, _, hint = _check(examine(settings.with_changes(model="no-such-model")), "model")
    assert status is Status.FAIL
    assert hint


def test_damaged_model_hides_no_other(settings: Settings) -> None:
    settings.models_dir.mkdir()
    (settings.models_dir / "torn.gguf").write_bytes(b"GGUF\x03\x00\x00\x00")
    (settings.models_dir / "prose.gguf").write_text("Once upon a time")
    report = examine(settings.with_changes(model="torn"))
    status, detail, _ = _check(report, "model")
    assert status is Status.FAIL
    assert "torn.gguf" in detail
    problems = {model.model: model.problem for model in report.models if model.problem}
    assert set(problems) == {"torn", "prose"}


def test_policy_with_an_error(settings: Settings, tmp_path: Path) -> None:
    policy = tmp_path / "mine.toml"
    policy.write_text("[cloud]\nalow = true\n")
    report = examine(settings.with_changes(policy=policy))
    status, detail, _ = _check(report, "policy")
    assert status is Status.FAIL
    assert "line 2" in detail


def test_profile_with_an_error(settings: Settings) -> None:
    settings.profiles_dir.mkdir()
    (settings.profiles_dir / "cart.toml").write_text("name = 'cart'\nwheels = 4\n")
    report = examine(settings)
    status, detail, _ = _check(report, "profile")
    assert status is Status.FAIL
    assert "line 2" in detail
    assert (report.machine, report.profile, report.models) == (None, None, ())


def test_profile_by_name(settings: Settings) -> None:
    report = examine(settings.with_changes(profile="raspberry"))
    assert report.profile is not None
    assert report.profile.name == "raspberry"
    status, detail, hint = _check(examine(settings.with_changes(profile="toaster")), "profile")
    assert status is Status.FAIL
    assert "toaster" in detail
    assert "raspberry" in hint


def test_misspelt_variable(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SKERRY_OFLINE", "1")
    check = surroundings.check_settings(settings)
    assert check.status is Status.WARN
    assert "SKERRY_OFLINE" in check.detail
    assert "SKERRY_OFFLINE" in check.hint


@pytest.fixture
def busy_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_port_in_use(settings: Settings, busy_port: int) -> None:
    check = surroundings.check_port(settings.with_changes(port=busy_port))
    assert check.status is Status.WARN
    assert str(busy_port) in check.detail


def test_address_that_is_not_ours(settings: Settings) -> None:
    check = surroundings.check_port(settings.with_changes(host="203.0.113.7"))
    assert check.status is Status.WARN


def test_folder_that_is_a_file(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    check = surroundings.check_folders(settings.with_changes(index=tmp_path / "file" / "i.sqlite"))
    assert check.status is Status.FAIL
    assert "index" in check.detail


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write all")
def test_folder_that_cannot_be_written(settings: Settings, tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    check = surroundings.check_folders(settings.with_changes(models_dir=closed / "models"))
    assert check.status is Status.FAIL


@pytest.mark.parametrize(
    ("free_mb", "status"), [(50, Status.FAIL), (500, Status.WARN), (5000, Status.OK)]
)
def test_disk(
    free_mb: int, status: Status, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = type("Usage", (), {"free": free_mb << 20})
    monkeypatch.setattr(surroundings.shutil, "disk_usage", lambda _: usage)
    assert surroundings.check_disk(settings).status is status


def test_clock_before_the_installation(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    assert surroundings.check_clock(settings).status is Status.OK
    monkeypatch.setattr(surroundings.time, "time", lambda: 0.0)
    assert surroundings.check_clock(settings).status is Status.FAIL


class _Cloud(BaseHTTPRequestHandler):
    """Answers `GET /v1/models` as an OpenAI-compatible service does."""

    def do_GET(self) -> None:
        body = json.dumps({"data": [{"id": "big"}]}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def cloud() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Cloud) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize(("model", "status"), [("big", Status.OK), ("huge", Status.FAIL)])
def test_cloud_is_asked_for_its_models(
    model: str, status: Status, settings: Settings, cloud: str
) -> None:
    check = parts.check_cloud(settings.with_changes(cloud_url=cloud, cloud_model=model))
    assert check.status is status, check.detail


def test_cloud_that_is_not_there(settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        url = f"http://127.0.0.1:{gone.getsockname()[1]}"
    check = parts.check_cloud(settings.with_changes(cloud_url=url, cloud_model="big"))
    assert check.status is Status.FAIL
    assert check.hint


def test_cloud_is_not_asked_without_need(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    assert "none is configured" in parts.check_cloud(settings).detail
    away = settings.with_changes(cloud_url="https://c.example", cloud_model="m", offline=True)
    assert "offline" in parts.check_cloud(away).detail
