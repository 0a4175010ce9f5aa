"""The runtime's part of updates: trying a bundle, and changing to a new one between requests."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from skerry.edge import Runtime
from skerry.edge.engines.base import Generation, Piece, TokenLogprob
from skerry.edge.engines.models import installed_default
from skerry.edge.errors import BundleRefused, Closed, EdgeError
from skerry.edge.updates import HotRuntime, ModelHealth, bundle_of, is_device
from skerry.edge.updates.check import Tried, fault, judged
from skerry.sync.client import Enrolment, Means, enroll, open_client
from skerry.sync.repository import publish
from tests.edge.test_bundled import make_bundle
from tests.sync.fleet import Fleet


@pytest.fixture(autouse=True)
def own_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home"))


class Device:
    """A device that takes versions of a bundle with one model and a policy that differs."""

    def __init__(self, folder: Path, model: bytes | Path) -> None:
        self.fleet = Fleet(folder / "fleet")
        self.folder = folder / "device"
        self._model = model
        enrolment = Enrolment(
            device="d", source=str(self.fleet.public), channel="stable", bundle="small",
            probation_s=1000,
        )  # fmt: skip
        enroll(self.folder, enrolment, self.fleet.root)

    def take(self, version: str, **means: object) -> str:
        """Publishes and applies a version; its digest."""
        made = self.fleet.folder / version
        bundle = make_bundle(made, self._model, f'version = "{version}"\n'.encode())
        with self.fleet.opened() as repository:
            publish(repository, bundle.folder, "stable", version=version)
            repository.sign("stable")
            repository.release()
        with open_client(self.folder, Means(**means)) as client:  # type: ignore[arg-type]
            client.apply()
            client.confirm()
        return bundle.digest


def test_a_runtime_runs_what_the_device_runs(tmp_path: Path) -> None:
    device = Device(tmp_path, b"GGUF")
    assert is_device(device.folder)
    with pytest.raises(BundleRefused, match="no bundle yet"):
        Runtime(bundle=device.folder, offline=True)
    digest = device.take("one")
    with Runtime(bundle=device.folder, offline=True) as runtime:
        assert runtime.parts.bundled is not None
        assert runtime.parts.bundled.bundle.digest == digest
        assert runtime.parts.policy.version == "one"


def test_a_damaged_bundle_of_a_device_is_refused(tmp_path: Path) -> None:
    device = Device(tmp_path, b"GGUF")
    device.take("one")
    model = next((device.folder / "current").rglob("*.gguf"))
    model.chmod(0o644)
    model.write_bytes(b"EVIL")
    with pytest.raises(BundleRefused, match="changed"):
        Runtime(bundle=device.folder, offline=True)


def test_a_model_that_is_none_is_unhealthy(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "b", b"GGUF" + b"x" * 5000)
    found = ModelHealth(timeout_s=120)(bundle.folder)
    assert not found.ok
    assert found.what


def test_a_check_that_hangs(tmp_path: Path) -> None:
    found = ModelHealth(timeout_s=0.01)(tmp_path)
    assert (found.ok, "did not answer" in found.what) == (False, True)


def piece(text: str, *tokens: tuple[int, float]) -> Piece:
    return Piece(text, [TokenLogprob(one, "", logprob) for one, logprob in tokens])


@pytest.mark.parametrize(
    ("pieces", "expect", "words"),
    [
        ([piece("Blue.", (1, -0.1))], (), ""),
        ([piece("It is blue.", (1, -0.1))], ("BLUE", "red"), ""),
        ([piece("It is green.", (1, -0.1))], ("blue",), "lacks the words"),
        ([piece("  \n", (1, -0.1))], (), "no text"),
        ([], (), "no text"),
        ([piece("x", (1, float("nan")))], (), "no numbers"),
        ([piece("x", (1, float("-inf")))], (), "no numbers"),
        ([piece("x" * 24, *[(1, -0.1)] * 24)], (), "over and over"),
    ],
)
def test_what_is_wrong_with_an_answer(
    pieces: list[Piece], expect: tuple[str, ...], words: str
) -> None:
    found = fault(pieces, expect)
    assert (words in found) if words else (found == "")


def test_verdicts() -> None:
    good, bad = Tried(True, "", 0.1), Tried(False, "why", 0.2)
    assert judged([good] * 3, bring_own=False).ok
    assert not judged([good, good, bad], bring_own=False).ok
    assert judged([good] * 4 + [bad], bring_own=True).ok
    found = judged([good] * 3 + [bad] * 2, bring_own=True)
    assert (found.ok, found.score) == (False, 0.6)
    assert "why" in found.what


@pytest.mark.model
def test_a_sound_model_is_healthy(tmp_path: Path) -> None:
    spec = installed_default()
    assert spec is not None
    bundle = make_bundle(tmp_path / "b", spec.path)
    found = ModelHealth()(bundle.folder)
    assert (found.ok, found.score) == (True, 1.0), found.what
    assert found.signals["latency_ms_p50"] > 0


@pytest.mark.model
def test_no_request_is_dropped_by_a_change(tmp_path: Path) -> None:
    spec = installed_default()
    assert spec is not None
    device = Device(tmp_path, spec.path)
    first = device.take("one")
    faults: list[Exception] = []
    done = []
    stop = threading.Event()

    def ask() -> None:
        while not stop.is_set():
            try:
                pieces = list(runtime.complete(Generation(prompt="One, two,", max_tokens=8)))
                done.append("".join(one.text for one in pieces))
            except Exception as error:  # noqa: BLE001  any is a request that was dropped
                faults.append(error)

    with HotRuntime(device.folder, offline=True) as runtime:
        askers = [threading.Thread(target=ask) for _ in range(3)]
        for asker in askers:
            asker.start()
        held = runtime.complete(Generation(prompt="One, two,", max_tokens=8))
        next(held)
        old = runtime.parts
        second = device.take("two")
        assert runtime.digest == first
        assert runtime.refresh()
        assert not runtime.refresh()
        assert runtime.digest == second
        before = len(done)
        "".join(one.text for one in held)  # it began on the old bundle, and ends on it
        with pytest.raises(Closed):
            old.check_open()
        while len(done) < before + 3 and not faults:
            stop.wait(0.05)
        stop.set()
        for asker in askers:
            asker.join()
    assert faults == []
    assert set(done) == {done[0]}
    assert list((device.folder / "uses").iterdir()) == []
    with pytest.raises(Closed):
        runtime.ask("What is it?")


@pytest.mark.model
def test_a_bundle_that_cannot_be_run_changes_nothing(tmp_path: Path) -> None:
    spec = installed_default()
    assert spec is not None
    device = Device(tmp_path, spec.path)
    first = device.take("one")
    with HotRuntime(device.folder, offline=True) as runtime:
        device._model = b"GGUF" + b"x" * 100
        device.take("two")
        with pytest.raises(EdgeError):
            runtime.refresh()
        assert runtime.digest == first
        assert list(runtime.complete(Generation(prompt="One, two,", max_tokens=2)))


def test_which_bundle(tmp_path: Path) -> None:
    device = Device(tmp_path, b"GGUF")
    digest = device.take("one")
    assert bundle_of(device.folder).digest == digest
    assert not is_device(tmp_path)
