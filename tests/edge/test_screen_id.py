"""Another screen has another id: other code, other weights, another encoder."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from skerry import guardrails
from skerry.edge import screen_id as module
from skerry.edge.screen_id import screen_id

HEADS = "minilm-l6-int8@0123456789abcdef"


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the guardrails' files, which is looked at in their place."""
    root, there = Path(guardrails.__file__).parent, tmp_path / "guardrails"
    shutil.copytree(root, there, ignore=shutil.ignore_patterns("*.onnx", "*.npz", "train"))
    monkeypatch.setattr(guardrails, "__file__", str(there / "__init__.py"))
    module._digest_of_code.cache_clear()
    yield there
    module._digest_of_code.cache_clear()


def test_the_same_screen(copy: Path) -> None:
    first = screen_id(HEADS)
    assert first is not None
    assert len(first) == 16
    module._digest_of_code.cache_clear()
    assert screen_id(HEADS) == first


def test_vectors_that_the_heads_read_count(copy: Path) -> None:
    assert screen_id(HEADS) != screen_id(f"{HEADS}0")
    assert screen_id(HEADS) != screen_id("other@1") == screen_id("other@2")


@pytest.mark.parametrize(
    "name",
    [
        "phrases.py",
        "normal.py",
        "injection/hidden.py",
        "injection/weights/injection.json",
        "names/fusion.py",
        "names/weights/names.json",
        "safety/weights/safety.json",
        "wording/words.py",
        "wording/weights/table.json",
    ],
)
def test_another_screen(copy: Path, name: str) -> None:
    first = screen_id(HEADS)
    with (copy / name).open("a") as file:
        file.write("\n")
    module._digest_of_code.cache_clear()
    assert screen_id(HEADS) != first


@pytest.mark.parametrize("name", ["screen.py", "wording/weights/table.json"])
def test_a_screen_that_cannot_be_read_is_not_known(copy: Path, name: str) -> None:
    (copy / name).unlink()
    assert screen_id(HEADS) is None
