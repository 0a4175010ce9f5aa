"""`skerry demo-fleet`: its processes and devices are real: the whole way of an update."""

from __future__ import annotations

import re

import pytest

from skerry.edge.cli.demo_fleet import DEVICES


@pytest.mark.model
def test_a_bad_version_halts_itself_and_a_good_one_comes_by_delta(skerry) -> None:
    done = skerry("demo-fleet")
    assert done.code == 0, done.out + done.err
    assert "the rollout halted itself" in done.out
    assert "STOPPED, 0 well, 1 failed" in done.out
    assert [f"{device} runs version 1" in done.out for device in DEVICES] == [True] * 3
    shares = re.findall(r"1 -> 3, [\d.,]+ MB fetched \(([\d.]+)% of the model\)", done.out)
    assert len(shares) == len(DEVICES)
    assert max(map(float, shares)) < 2
