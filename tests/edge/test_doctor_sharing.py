"""The check of split inference."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from skerry.edge.doctor import parts
from skerry.edge.doctor.report import Status
from skerry.edge.doctor.sharing import check_split
from skerry.edge.settings import Settings
from tests.cloud.serving import KEY, served
from tests.cloud.simulated import SimulatedVerifier


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
