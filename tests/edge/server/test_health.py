"""What a running server says when its files are moved, deleted, replaced or damaged."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from skerry.edge.encoder import OnnxEncoder
from skerry.edge.index import Index
from tests.edge.server.conftest import Server
from tests.edge.server.test_lifecycle import failure

ASKED = {
    "model": "skerry",
    "messages": [{"role": "user", "content": "How often is the emergency trolley checked?"}],
}


@pytest.fixture
def index(tmp_path: Path) -> Path:
    path = tmp_path / "index.sqlite"
    build(path, "The emergency trolley is checked every morning.")
    return path


@pytest.fixture
def http(index: Path, start: Callable[..., Server]) -> Iterator[httpx2.Client]:
    with start("--lazy").http() as client:
        assert "morning" in answer(client)
        yield client


def build(path: Path, text: str) -> None:
    document = path.parent / "trolley.md"
    document.write_text(f"# Emergency trolley\n\n{text}\n")
    with Index.open(path, OnnxEncoder.load()) as made:
        made.add([document])


def delete(path: Path) -> None:
    for part in path.parent.glob(f"{path.name}*"):
        part.unlink()


def answer(http: httpx2.Client) -> str:
    found: str = http.post("/v1/chat/completions", json=ASKED).json()["choices"][0]["message"][
        "content"
    ]
    return found


def health(http: httpx2.Client) -> tuple[int, dict[str, Any]]:
    response = http.get("/health")
    return response.status_code, response.json()


def test_an_index_that_is_built_again_answers(http: httpx2.Client, index: Path) -> None:
    delete(index)
    build(index, "The emergency trolley is checked every evening.")
    assert "evening" in answer(http)
    assert health(http) == (200, {"status": "ok"})


def test_an_index_that_is_no_more(http: httpx2.Client, index: Path) -> None:
    delete(index)
    index.mkdir()
    response = http.post("/v1/chat/completions", json=ASKED)
    assert response.status_code == 500
    assert "is a folder" in response.json()["error"]["message"]
    assert health(http) == (503, {"status": "degraded", "faults": {"index": "index"}})
    index.rmdir()
    build(index, "The emergency trolley is checked every evening.")
    assert health(http) == (200, {"status": "ok"})


def test_a_state_file_that_was_moved(http: httpx2.Client, tmp_path: Path) -> None:
    shutil.move(tmp_path / "state.sqlite", tmp_path / "elsewhere.sqlite")
    assert http.post("/v1/chat/completions", json=ASKED).status_code == 500
    assert health(http) == (503, {"status": "degraded", "faults": {"state": "state"}})


@pytest.mark.parametrize("lazy", [[], ["--lazy"]])
def test_it_does_not_start_without_a_state_file(tmp_path: Path, lazy: list[str]) -> None:
    (tmp_path / "file").touch()
    place = str(tmp_path / "file" / "state.db")
    code, error = failure(tmp_path, *lazy, SKERRY_STATE=place)
    assert (code, error["code"]) == (5, "state")
    assert place in error["what"]


def test_it_does_not_start_with_a_damaged_index(tmp_path: Path) -> None:
    (tmp_path / "index.sqlite").write_bytes(b"no database " * 400)
    code, error = failure(tmp_path)
    assert (code, error["code"]) == (5, "index_corrupt")
