"""What all tests share."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# A deadline per example measures the machine's other work, not the code.
settings.register_profile("skerry", deadline=None)
settings.load_profile("skerry")


@pytest.fixture(scope="session", autouse=True)
def _own_key() -> Iterator[None]:
    """The key of what is found in documents is not written into the user's own folder."""
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("SKERRY_SCREENING_KEY_FILE", str(Path(folder, "screening.key")))
        yield
