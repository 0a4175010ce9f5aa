"""The benchmark of the gateway, with a few sessions."""

from __future__ import annotations

import random

import pytest

from benchmarks import gateway


@pytest.mark.slow
async def test_it_measures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway, "_SESSIONS", 20)
    figures = {**await gateway._passing(5), **await gateway._drafting(3.0, random.Random(0))}
    assert set(figures) == set(gateway.KEYS)
    assert figures["sessions"].value == 20
    assert all(one.value is not None for one in figures.values())
    assert "failed" not in figures["sessions"].note
