"""Which drafters a generation gets: copying always, the draft model where there is one and the
device is up to it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from skerry.edge.split.drafter import Cascade, Drafter, Guess
from skerry.edge.split.lookup import PromptLookup
from skerry.edge.split.preview import SplitPreview
from skerry.edge.types import DeviceState, Thermal

if TYPE_CHECKING:
    from skerry.edge.split.draft_model import DraftModel

BUILT_IN = Path(__file__).parent / "weights" / "draft.gguf"
"""The draft model that comes with Skerry, for the tokens of SmolLM2."""
_LEAST_BATTERY = 20.0
_LEAST_MEMORY_MB = 256


def strained(state: DeviceState) -> bool:
    """Whether the device is too hot, too empty or too full to draft by a model."""
    battery = state.battery_percent
    empty = battery is not None and battery < _LEAST_BATTERY and not state.on_power
    return empty or state.thermal >= Thermal.HOT or state.memory_free_mb < _LEAST_MEMORY_MB


class Drafting:
    """Makes drafters. The draft model is loaded when it is first wanted. Thread-safe.

    Args:
        path: the draft model; None: there is none.
        wanted: somebody named it: that it does not fit is an error, and not its absence.
    """

    def __init__(
        self, path: Path | None, *, threads: int, state: Callable[[], DeviceState],
        wanted: bool = False,
    ) -> None:  # fmt: skip
        self._path, self._threads, self._state, self._wanted = path, threads, state, wanted
        self._model: DraftModel | None = None
        self._lock = threading.Lock()

    def __call__(self, preview: SplitPreview) -> Drafter:
        """The drafter of what is about to be sent.

        Raises:
            ConfigError: the draft model that was named has other tokens than the device's.
            ModelError: it cannot be loaded.
        """
        opening = preview.opening
        if self._path is None or not opening.vocabulary or strained(self._state()):
            return PromptLookup()
        model = self._loaded(self._path)
        if model.vocabulary != opening.vocabulary:
            if self._wanted:
                model.check(opening.vocabulary)
            return PromptLookup()
        drafter = model.drafter(opening.choosing.sampling(), len(opening.tokens))
        return Cascade((PromptLookup(), _UnlessStrained(drafter, self._state)))

    def _loaded(self, path: Path) -> DraftModel:
        from skerry.edge.split.draft_model import DraftModel

        with self._lock:
            if self._model is None:
                self._model = DraftModel(path, threads=self._threads)
            return self._model

    def close(self) -> None:
        with self._lock:
            if self._model is not None:
                self._model.close()
            self._model = None


class _UnlessStrained:
    """Has no ideas while the device is strained."""

    def __init__(self, drafter: Drafter, state: Callable[[], DeviceState]) -> None:
        self._drafter, self._state = drafter, state

    def draft(self, sequence: Sequence[int], most: int) -> list[Guess] | None:
        return [] if strained(self._state()) else self._drafter.draft(sequence, most)

    def read(self, sequence: Sequence[int]) -> bool:
        return not strained(self._state()) and self._drafter.read(sequence)

    def branch(self, sequence: Sequence[int], token: int, most: int) -> list[int]:
        return self._drafter.branch(sequence, token, most)

    def close(self) -> None:
        self._drafter.close()
