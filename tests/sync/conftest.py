from __future__ import annotations

from pathlib import Path

import pytest

from tests.sync.fleet import Fleet


@pytest.fixture
def fleet(tmp_path: Path) -> Fleet:
    """A repository with the version 1, and a device that runs it."""
    made = Fleet(tmp_path)
    made.publish("1")
    made.enrol()
    assert made.apply() == "1"
    return made


@pytest.fixture(autouse=True)
def quick_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test here outlives a power cut: `benchmarks.faults` says what one would leave."""
    monkeypatch.setattr("os.fsync", lambda _handle: None)
