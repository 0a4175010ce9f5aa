"""The demo's guardrails show what they say."""

from __future__ import annotations

import click
import pytest

from skerry.edge.cli.demo_guardrails import MESSAGE, show_round_trip


def test_what_would_leave_tells_nobody_and_what_comes_back_does(
    capsys: pytest.CaptureFixture[str],
) -> None:
    show_round_trip(click.echo)
    lines = {
        line[2:14].strip(): line[15:]
        for line in capsys.readouterr().out.splitlines()
        if line.startswith("  ")
    }
    assert lines["written"] == MESSAGE
    for secret in ("Maria", "Okonkwo", "1961-03-12", "12 March", "943 476 5919", "0123"):
        assert secret not in lines["would leave"]
        assert secret not in lines["a reply"]
    assert lines["is read as"] == "Maria Okonkwo is asked to ring 020 7946 0123."
