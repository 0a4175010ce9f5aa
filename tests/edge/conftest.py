"""Shared by the runtime's tests: the real parts, and an engine whose drafts a test writes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from skerry.edge.encoder import OnnxEncoder
from skerry.edge.engines.base import (
    FinishReason,
    Generation,
    Message,
    ModelInfo,
    Piece,
    TokenStats,
    Usage,
)
from skerry.edge.parts import Parts
from skerry.edge.runtime import Runtime
from skerry.edge.settings import Settings
from skerry.edge.types import RequestClass
from tests.edge.asking import Cloud, route_as

TROLLEY = """# Emergency trolley

The emergency trolley is checked every day before 08:00 by the nurse in charge.

Ring extension 231 if the seal is broken.
"""
FRIDGE = """# Vaccine fridge

The vaccine fridge is kept between 2 and 8 degrees. Tell the pharmacist about any other reading.
"""


class ScriptedEngine:
    """An engine that says what a test tells it to: drafts must be exact to test what is made of
    them. It streams a word at a time and stops when it is cancelled."""

    def __init__(self, draft: str = "The emergency trolley is checked every day [1].") -> None:
        self.draft = draft
        self.stats: TokenStats | None = None
        self.pause_s = 0.0
        self.ends = FinishReason.STOP
        self.seen: list[Generation] = []
        self.cancelled_after: list[int] = []
        self.info = ModelInfo(
            "scripted", Path("scripted"), "scripted", "none", 0, 0, 2048, 2048, 0, "none", "0" * 64
        )

    def tokenize(self, text: str, *, special: bool = False) -> list[int]:
        return [len(word) for word in text.split()]

    def detokenize(self, ids: Sequence[int]) -> str:
        return " ".join("x" * length for length in ids)

    def render(
        self, messages: Sequence[Message], *, tools: Sequence[Mapping[str, Any]] = ()
    ) -> str:
        return "\n".join(str(message["content"]) for message in messages)

    def generate(self, request: Generation) -> Iterator[Piece]:
        self.seen.append(request)
        words = self.draft.split(" ")
        for number, word in enumerate(words):
            time.sleep(self.pause_s)
            if request.cancel.is_set():
                self.cancelled_after.append(number)
                yield Piece("", finish=FinishReason.CANCELLED, usage=self._usage(number))
                return
            yield Piece(word if number == 0 else f" {word}")
        yield Piece("", finish=self.ends, usage=self._usage(len(words)))

    def check_grammar(self, grammar: str) -> None:
        pass

    def close(self) -> None:
        pass

    def _usage(self, tokens: int) -> Usage:
        return Usage(10, 0, tokens, 1.0, 1.0, 0.0, 0, self.stats)


class OneEngine:
    """A pool that has the one engine."""

    def __init__(self, engine: ScriptedEngine) -> None:
        self._engine = engine

    @contextmanager
    def engine(self, wanted: str) -> Iterator[ScriptedEngine]:
        yield self._engine


@pytest.fixture(scope="session")
def encoder() -> OnnxEncoder:
    return OnnxEncoder.load()


@pytest.fixture
def handbook(tmp_path: Path) -> Path:
    folder = tmp_path / "handbook"
    folder.mkdir()
    (folder / "trolley.md").write_text(TROLLEY)
    (folder / "fridge.md").write_text(FRIDGE)
    return folder


@pytest.fixture
def scripted() -> ScriptedEngine:
    return ScriptedEngine()


MakeRuntime = Callable[..., Runtime]


@pytest.fixture
def make_runtime(
    tmp_path: Path, encoder: OnnxEncoder, scripted: ScriptedEngine
) -> Iterator[MakeRuntime]:
    """Makes runtimes on files of their own; `parts` replaces parts, the rest are settings."""
    made: list[Runtime] = []

    def make(parts: dict[str, Any] | None = None, **settings: Any) -> Runtime:
        places = {
            "index": tmp_path / "index.sqlite",
            "state": tmp_path / "state.sqlite",
            "store_text": True,
        }
        given = {"encoder": encoder, "pool": OneEngine(scripted), **(parts or {})}
        made.append(Runtime.of(Parts(Settings(**{**places, **settings}), **given)))
        return made[-1]

    yield make
    for runtime in made:
        runtime.close()


@pytest.fixture
def runtime(make_runtime: MakeRuntime, handbook: Path) -> Runtime:
    """A runtime that has read the handbook."""
    runtime = make_runtime(offline=True)
    runtime.index.add([handbook])
    return runtime


@pytest.fixture
def asks(make_runtime, handbook: Path) -> Runtime:
    """A runtime that takes every question for one about the handbook."""
    runtime = make_runtime(route_as(RequestClass.QUESTION), offline=True)
    runtime.index.add([handbook])
    return runtime


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    server = Cloud("The emergency trolley is checked every day [1].")
    yield server
    server.close()


@pytest.fixture
def hard(make_runtime, handbook: Path, cloud: Cloud) -> Runtime:
    """A runtime to which every question is hard, with a cloud."""
    parts = route_as(RequestClass.QUESTION, complexity=0.95)
    runtime = make_runtime(parts, cloud_url=cloud.url, cloud_model="large", consent="granted")
    runtime.index.add([handbook])
    return runtime
