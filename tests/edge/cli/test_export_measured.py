"""`skerry export report`, `eval` and `measure`, as a person runs them."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

from skerry.export.measure.results import SCHEMA, Measured
from skerry.export.measure.saved import write_measured
from tests.edge.cli.conftest import Skerry
from tests.export.evaluation.made_up import measured, task

WORSE = measured(tasks={"grounded_qa": task("grounded_qa", [0.0] * 60)})


def _saved(folder: Path, *found: Measured) -> str:
    for one in found:
        write_measured({"schema": SCHEMA, **asdict(one)}, folder)
    return str(folder)


@pytest.fixture
def folders(tmp_path: Path) -> tuple[str, str]:
    return _saved(tmp_path / "old", measured()), _saved(tmp_path / "new", WORSE)


def test_a_report_is_written_and_told(
    skerry: Skerry, folders: tuple[str, str], tmp_path: Path
) -> None:
    out = tmp_path / "report"
    done = skerry("export", "report", folders[0], "--out", str(out), "--json")
    assert done.code == 0, done.err
    assert done.json["variants"][0]["name"] == "gguf-q4_0"
    assert (out / "report.html").read_text().count("<svg") == 3
    assert json.loads((out / "report.json").read_text())["name"] == "old"


def test_the_gate_passes_what_is_as_good_and_fails_what_is_not(
    skerry: Skerry, folders: tuple[str, str]
) -> None:
    old, new = folders
    same = skerry("export", "eval", old, old, "--json")
    assert (same.code, same.json["ok"]) == (0, True)
    worse = skerry("export", "eval", old, new, "--json")
    assert (worse.code, worse.json["ok"]) == (1, False)
    shown = skerry("export", "eval", old, new)
    assert shown.code == 1
    assert "gguf-q4_0 in the place of gguf-q4_0: FAIL" in shown.out
    assert "30 lost" in shown.out


def test_thresholds_are_printed_and_taken(
    skerry: Skerry, folders: tuple[str, str], tmp_path: Path
) -> None:
    printed = skerry("export", "eval", "--print-thresholds")
    lax = printed.out.replace("margin = 0.10", "margin = 1.0")
    (tmp_path / "lax.toml").write_text(lax)
    done = skerry("export", "eval", *folders, "--thresholds", str(tmp_path / "lax.toml"))
    assert done.code == 0, done.out


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ((), 2, "Give two bundles"),
        (("{old}", "none"), 4, "'none' cannot be read"),
        (("{old}", "{old}", "--variant", "gguf-q2_k"), 2, "'gguf-q2_k' was measured"),
        (("{old}", "{old}", "--thresholds", "none.toml"), 3, "cannot be read"),
    ],
)
def test_what_cannot_be_compared_is_no_verdict(
    skerry: Skerry, folders: tuple[str, str], arguments: tuple[str, ...], code: int, said: str
) -> None:
    done = skerry("export", "eval", *(one.format(old=folders[0]) for one in arguments))
    assert done.code == code, done.err
    assert said in done.err


def test_a_damaged_model_is_measured_as_far_as_it_goes(skerry: Skerry, tmp_path: Path) -> None:
    (tmp_path / "made.gguf").write_bytes(b"GGUF and nothing else")
    done = skerry("export", "measure", str(tmp_path / "made.gguf"), "--source", "none.gguf",
                  "--out", str(tmp_path / "out"))  # fmt: skip
    assert done.code == 4
    assert "Traceback" not in done.err
    assert not (tmp_path / "out").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="limits are those of Linux")
def test_a_command_runs_in_the_limits_of_a_device(skerry: Skerry) -> None:
    code = "print('hello')"
    done = skerry("export", "emulate", "budget-phone", "--json", "--", sys.executable, "-c", code)
    assert (done.code, done.json["output"]) == (0, "hello\n")
    assert done.json["limit_mb"] == 1024
    assert done.json["predicted_mb"] is None


@pytest.mark.skipif(sys.platform != "linux", reason="limits are those of Linux")
def test_a_command_that_needs_more_is_ended(skerry: Skerry) -> None:
    code = "import time; held = bytearray(b'x' * (60 << 20)); time.sleep(60)"
    done = skerry("export", "emulate", "raspberry", "--memory", "40", "--", sys.executable, "-c",
                  code)  # fmt: skip
    assert done.code == 1
    assert "over memory after" in done.err


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("raspberry",), 2, "Give --bundle, or a command"),
        (("toaster", "--", "true"), 3, "no device profile is called 'toaster'"),
        (("raspberry", "--bundle", "none"), 4, "there is no bundle at 'none'"),
        (("raspberry", "--", "/nonexistent"), 2, "No such file or directory"),
    ],
)
def test_what_cannot_be_emulated_is_said(
    skerry: Skerry, arguments: tuple[str, ...], code: int, said: str
) -> None:
    done = skerry("export", "emulate", *arguments)
    assert done.code == code, done.err
    assert said in done.err
