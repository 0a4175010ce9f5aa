"""`skerry demo-fleet`: its processes and devices are real: the whole way of an update."""

from __future__ import annotations

import re

import pytest
from click.testing import CliRunner

from skerry.edge.cli.demo_fleet import DEVICES, demo_fleet


@pytest.mark.model
def test_a_bad_version_halts_itself_and_a_good_one_comes_by_delta() -> None:
    done = CliRunner().invoke(demo_fleet, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    assert "the rollout halted itself" in done.output
    assert "STOPPED, 0 well, 1 failed" in done.output
    assert [f"{device} runs version 1" in done.output for device in DEVICES] == [True] * 3
    shares = re.findall(r"1 -> 3, [\d.,]+ MB fetched \(([\d.]+)% of the model\)", done.output)
    assert len(shares) == len(DEVICES)
    assert max(map(float, shares)) < 2
