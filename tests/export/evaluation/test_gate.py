"""What the gate lets through, case by case, and the file of its thresholds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from skerry.export.evaluation import Outcome, Pair, gate, pairs_of, read_thresholds
from skerry.export.evaluation.errors import EvaluationError, ThresholdsInvalid
from skerry.export.evaluation.thresholds import DEFAULTS
from skerry.export.measure.results import Measured
from tests.export.evaluation.made_up import cost, encoding, fidelity, measured, task

LIMITS = replace(read_thresholds(), resamples=1000)
OLD = measured()
ENCODER = measured(kind="encoder", fidelity=None, tasks={}, encoding=encoding())


@dataclass(frozen=True)
class Case:
    name: str
    new: Measured
    failed: tuple[str, ...] = ()
    old: Measured = OLD


QA = [1.0, 0.5] * 30
CASES = [
    Case("the same", OLD),
    Case("better", measured(tasks={"grounded_qa": task("grounded_qa", [1.0] * 60)})),
    Case("one answer lost", measured(tasks={"grounded_qa": task("grounded_qa", [0.0, *QA[1:]])})),
    Case(
        "a sixth lost",
        measured(tasks={"grounded_qa": task("grounded_qa", [0.0] * 14 + QA[14:])}),
        ("task grounded_qa",),
    ),
    Case("a task is gone", measured(tasks={}), ("task grounded_qa",)),
    Case(
        "other items",
        measured(tasks={"grounded_qa": task("grounded_qa", QA, digest="e")}),
        ("task grounded_qa",),
    ),
    Case(
        "fewer items",
        measured(tasks={"grounded_qa": task("grounded_qa", QA[:30])}),
        ("task grounded_qa",),
    ),
    Case("a little more perplexed", measured(fidelity=fidelity([2.01, 2.21, 2.41, 2.11]))),
    Case(
        "more perplexed in one window",
        measured(fidelity=fidelity([2.0, 2.2, 2.6, 2.1])),
        ("perplexity, ratio",),
    ),
    Case(
        "says other tokens", measured(fidelity=fidelity([2.0, 2.2, 2.4, 2.1], top1=0.9)),
        ("top-1 agreement",),
    ),
    Case(
        "far from its source", measured(fidelity=fidelity([2.0, 2.2, 2.4, 2.1], kl=1.5)),
        ("kl to the source",),
    ),
    Case(
        "another text", measured(held={"sha256": "2" * 64, "texts": []}), ("fidelity",)
    ),
    Case(
        "slower", measured(cost=cost([40.0, 41.0, 42.0])),
        ("decode tokens/s, ratio", "prefill tokens/s, ratio", "seconds to first token, ratio"),
    ),
    Case("no speed", measured(cost=None), ("speed and memory",)),
    Case("slower elsewhere", measured(cost=cost([4.0]), machine={"system": "Darwin"})),
    Case("more memory", measured(cost=cost([61.0], peak_mb=260)), ("peak memory, ratio",)),
    Case("a larger file", measured(size_bytes=120_000_000), ("size, ratio",)),
    Case("an encoder", ENCODER, old=ENCODER),
    Case(
        "a worse encoder", replace(ENCODER, encoding=encoding(0.98, 0.8)),
        ("cosine to the source", "nearest neighbours"), ENCODER,
    ),
    Case("an encoder not compared", replace(ENCODER, encoding=None), ("encoding",), ENCODER),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_gate(case: Case) -> None:
    verdict = gate(Pair(case.old, case.new), LIMITS)
    failed = tuple(one.name for one in verdict.checks if one.outcome is Outcome.FAIL)
    assert failed == case.failed
    assert verdict.ok is not bool(case.failed)


def test_speed_that_cannot_be_compared_is_said_and_may_be_required() -> None:
    elsewhere = Pair(OLD, measured(machine={"system": "Darwin"}))
    skipped = [one for one in gate(elsewhere, LIMITS).checks if one.outcome is Outcome.SKIPPED]
    assert "different machines" in skipped[0].note
    strict = replace(LIMITS, speed=replace(LIMITS.speed, required=True))
    assert not gate(elsewhere, strict).ok


def test_a_floor_holds_whatever_the_old_one_reached() -> None:
    limit = replace(LIMITS.tasks["grounded_qa"], floor=0.8)
    strict = replace(LIMITS, tasks={"grounded_qa": limit})
    failed = [one for one in gate(Pair(OLD, OLD), strict).checks if one.outcome is Outcome.FAIL]
    assert [one.name for one in failed] == ["task grounded_qa, at least"]


def test_a_task_says_what_changed() -> None:
    new = measured(tasks={"grounded_qa": task("grounded_qa", [0.0, 1.0, *QA[2:]])})
    check = gate(Pair(OLD, new), LIMITS).checks[0]
    assert check.note == "60 items: 1 won, 1 lost, McNemar p = 1.000"


def test_variants_are_paired_by_name() -> None:
    old = [measured("gguf-q4_0"), measured("gguf-q8_0")]
    new = [measured("gguf-q8_0"), measured("gguf-q6_k")]
    assert [(one.old.name, one.new.name) for one in pairs_of(old, new)] == [
        ("gguf-q8_0", "gguf-q8_0")
    ]
    (chosen,) = pairs_of(old, new, variant="gguf-q6_k", against="gguf-q4_0")
    assert (chosen.old.name, chosen.new.name) == ("gguf-q4_0", "gguf-q6_k")
    (only,) = pairs_of(old[:1], new[1:])
    assert only.new.name == "gguf-q6_k"


@pytest.mark.parametrize(
    ("variant", "against", "said"),
    [(None, None, "no variant of the same name"), ("gguf-q2_k", None, "'gguf-q2_k' was measured")],
)
def test_what_cannot_be_paired_is_said(variant: str | None, against: str | None, said: str) -> None:
    old = [measured("gguf-q4_0"), measured("gguf-q8_0")]
    with pytest.raises(EvaluationError, match=said):
        pairs_of(old, [measured("gguf-q6_k")], variant=variant, against=against)


def test_kinds_are_not_mixed() -> None:
    with pytest.raises(EvaluationError, match="kind"):
        pairs_of([OLD], [ENCODER])


FAULTS = {
    "margin = 1": "line 1: margin: there is no such key",
    "[tasks.grounded_qa]\nmargin = 7": "line 2: tasks.grounded_qa.margin",
    "[tasks.poetry]\nmargin = 0.1\nfloor = 0.0": "there is no task 'poetry'",
    "[speed]\nrequired = 'yes'": "line 2: speed.required",
    "confidence = nan": "line 1: confidence",
    "resamples = 10000000000": "line 1: resamples",
    "[speed": "line 1",
}


@pytest.mark.parametrize("text", FAULTS)
def test_a_wrong_threshold_names_file_line_and_key(tmp_path: Path, text: str) -> None:
    (tmp_path / "gate.toml").write_text(text)
    with pytest.raises(ThresholdsInvalid) as error:
        read_thresholds(tmp_path / "gate.toml")
    assert "gate.toml" in str(error.value)
    assert FAULTS[text] in str(error.value)


def test_thresholds_are_laid_over_the_defaults(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text("seed = 7\n[tasks.refusal]\nfloor = 0.9\n")
    mine, defaults = read_thresholds(tmp_path / "mine.toml"), read_thresholds()
    assert (mine.seed, mine.tasks["refusal"].floor) == (7, 0.9)
    assert mine.tasks["refusal"].margin == defaults.tasks["refusal"].margin
    assert mine.tasks["format"] == defaults.tasks["format"]
    assert read_thresholds(DEFAULTS) == defaults


def test_a_file_of_thresholds_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ThresholdsInvalid, match="cannot be read"):
        read_thresholds(tmp_path / "none.toml")
