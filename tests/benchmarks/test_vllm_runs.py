"""The benchmark of runs on vLLM reports what it says it does."""

from __future__ import annotations

import pytest

from benchmarks import vllm_runs
from benchmarks.contract import Options


def test_without_a_vllm_there_are_no_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SKERRY_VLLM_MODEL", raising=False)
    found = vllm_runs.run(Options())
    assert tuple(found) == vllm_runs.KEYS
    assert all(one.value is None and "SKERRY_VLLM_MODEL" in one.note for one in found.values())


def test_figures_are_shares_of_the_stream() -> None:
    took = {"stream": 40.0, "looks": 60.0, "none": 41.0, "wrong": 42.0, "right": 10.0}
    found = vllm_runs._figures(took)
    assert tuple(found) == vllm_runs.KEYS
    assert found["run_ratio_to_stream"].value == pytest.approx(1.025)
    assert found["run_ratio_to_stream"].peers == {"a request for each pass": 1.5}
    assert found["right_hints_speedup"].value == 4
