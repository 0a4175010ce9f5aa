"""From creation to the end, and what may not be done when."""

from __future__ import annotations

from dataclasses import replace

import pytest

from skerry.sync.rollouts.errors import NotAllowed, PlanError
from skerry.sync.rollouts.machine import against, holds, ready_at_once, step
from skerry.sync.rollouts.plan import Limits, Plan, Stage, Version
from skerry.sync.rollouts.rollout import (
    Approved,
    Checked,
    Counts,
    Denied,
    GateResult,
    Halted,
    Observed,
    Outcome,
    Paused,
    Resumed,
    Retried,
    Rollout,
    Sized,
    Started,
)
from skerry.sync.rollouts.states import RolloutState as S
from tests.sync.rollouts.building import NEW, OLD, outcomes, plan, ready, running

PASSED = GateResult(True, "all there", "ci", 1.0)
FAILED = replace(PASSED, passed=False)


def test_gates_then_an_approval_of_somebody_else_then_the_start() -> None:
    rollout = ready_at_once(Rollout(plan(gates=("deltas", "evaluation"), approvals=1), "ada"))
    assert rollout.state is S.CREATING
    with pytest.raises(NotAllowed, match="only while it is READY"):
        step(rollout, Started("ada"))
    rollout = step(rollout, Checked("deltas", PASSED))
    assert rollout.state is S.CREATING
    rollout = step(rollout, Checked("evaluation", PASSED))
    assert rollout.state is S.WAITING_FOR_APPROVAL
    with pytest.raises(NotAllowed, match="author"):
        step(rollout, Approved("ada"))
    rollout = step(rollout, Approved("bo"))
    assert rollout.state is S.READY
    assert step(rollout, Checked("deltas", FAILED)).state is S.CREATING
    rollout = step(rollout, Started("ada"))
    assert rollout.state is S.STARTING
    assert step(rollout, Sized(5.0, {"phone": 4}, (1, 3))).state is S.RUNNING


def test_two_approvals_are_of_two_people() -> None:
    rollout = step(ready(approvals=2), Approved("bo"))
    with pytest.raises(NotAllowed, match="already"):
        step(rollout, Approved("bo"))
    assert rollout.state is S.WAITING_FOR_APPROVAL
    assert step(rollout, Approved("cy")).state is S.READY


def test_approved_before_its_gates_have_passed() -> None:
    rollout = step(ready(gates=("deltas",), approvals=1), Approved("bo"))
    assert rollout.state is S.CREATING
    assert step(rollout, Checked("deltas", PASSED)).state is S.READY


def test_a_gate_that_is_none_and_a_denial() -> None:
    rollout = ready(gates=("deltas",), approvals=1)
    with pytest.raises(NotAllowed, match="no gate 'delta'") as refused:
        step(rollout, Checked("delta", PASSED))
    assert refused.value.hint == "its gates: deltas"
    denied = step(rollout, Denied("bo", "not on a Friday"))
    assert (denied.state, denied.why) == (S.STOPPED, "denied by bo: not on a Friday")


def test_a_stage_waits_for_devices_time_and_success() -> None:
    rollout = step(running(), Observed(1.0, {0: 10}, outcomes=outcomes(7)))
    assert holds(rollout, 1.0) == "its soak time"
    assert holds(rollout, 20.0) == "devices to settle"
    rollout = step(rollout, Observed(20.0, outcomes=outcomes(1)))
    assert rollout.stage == 1
    assert rollout.stage_began == 20.0


def test_after_its_patience_a_stage_counts_those_that_asked() -> None:
    rollout = step(running(), Observed(20.0, {0: 2}, outcomes=outcomes(2)))
    assert rollout.stage == 0
    assert step(rollout, Observed(101.0)).stage == 1


def test_nobody_asked_and_the_stage_is_not_over() -> None:
    assert step(running(), Observed(1e6)).stage == 0


def test_a_low_success_rate_holds_the_stage() -> None:
    given = {"limits": Limits(failure_rate=0.4, soak_s=0, patience_s=100)}
    rollout = step(running(**given), Observed(20.0, {0: 10}, outcomes=outcomes(8, 2)))
    assert (rollout.state, rollout.stage) == (S.RUNNING, 0)
    assert holds(rollout, 20.0) == "its success rate"


def test_one_failure_holds_no_stage() -> None:
    given = {"limits": Limits(failure_rate=0.4, soak_s=0, patience_s=100)}
    rollout = step(running(**given), Observed(20.0, {0: 10}, outcomes=outcomes(9, 1)))
    assert rollout.stage == 1


def test_a_stage_without_devices_is_over_at_once_and_the_last_ends_it() -> None:
    rollout = step(step(ready(), Started("ada")), Sized(0.0, {}, (0, 0)))
    assert step(rollout, Observed(0.0)).state is S.FINISHED


def test_failures_halt_it_and_say_what_and_where() -> None:
    rollout = step(running(), Observed(1.0, {0: 10}, outcomes=outcomes(4, 6)))
    assert rollout.state is S.STOPPED
    assert rollout.why.startswith("halted by evidence: failures on phone")


def test_what_got_worse_halts_it() -> None:
    seen = outcomes(40, marks={"latency_ms_p50": 1, "health_score": 0})
    rollout = step(running(), Observed(1.0, {0: 40}, outcomes=seen))
    assert rollout.state is S.STOPPED
    assert "latency_ms_p50 on phone" in rollout.why


def test_as_many_better_as_worse_is_nothing() -> None:
    both = outcomes(200, marks={"latency_ms_p50": 1}) + outcomes(200, marks={"latency_ms_p50": -1})
    rollout = step(running(), Observed(1.0, {0: 400}, outcomes=both))
    assert rollout.state is S.RUNNING
    assert against(rollout).total < 1


def test_a_finished_one_is_still_watched() -> None:
    rollout = step(running(), Observed(20.0, {0: 10}, outcomes=outcomes(10)))
    rollout = step(rollout, Observed(40.0, {1: 90}, outcomes=outcomes(90, stage=1)))
    assert rollout.state is S.FINISHED
    late = tuple(replace(one, late=True) for one in outcomes(0, 20, stage=1))
    assert step(rollout, Observed(50.0, outcomes=late)).state is S.STOPPED


def test_pause_and_resume_begin_the_stage_anew() -> None:
    rollout = step(running(), Paused("bo"))
    assert step(rollout, Observed(50.0, {0: 10}, outcomes=outcomes(10))).stage == 0
    with pytest.raises(NotAllowed):
        step(rollout, Paused("bo"))
    rollout = step(rollout, Resumed("bo", 60.0))
    assert rollout.stage_began == 60.0
    with pytest.raises(NotAllowed):
        step(rollout, Resumed("bo", 61.0))


def test_a_pause_does_not_keep_evidence_from_halting_it() -> None:
    rollout = step(running(), Paused("bo"))
    assert step(rollout, Observed(1.0, {0: 10}, outcomes=outcomes(4, 6))).state is S.STOPPED


def test_halted_by_a_person_is_the_end() -> None:
    rollout = step(running(), Halted("bo", "a call from the ward"))
    assert rollout.why == "halted by bo: a call from the ward"
    for event in (Paused("bo"), Resumed("bo", 1), Halted("bo"), Retried("bo"), Started("bo")):
        with pytest.raises(NotAllowed, match="STOPPED"):
            step(rollout, event)
    assert step(rollout, Observed(1.0, outcomes=outcomes(1))).counts[0].succeeded == 1


def test_a_retry_is_no_new_evidence() -> None:
    limits = Limits(failure_rate=0.4, soak_s=0, patience_s=100)
    rollout = step(running(limits=limits), Observed(1.0, {0: 10}, outcomes=outcomes(8, 2)))
    before = rollout.tallies
    rollout = step(rollout, Retried("bo"))
    assert rollout.attempt == 2
    assert rollout.counts[0] == Counts(offered=8, succeeded=8, failed=0, again=2)
    again = (Outcome(0, "phone", succeeded=True, again=True),) * 2
    rollout = step(rollout, Observed(2.0, retold={0: 2}, outcomes=again))
    assert rollout.tallies == before
    assert (rollout.counts[0].succeeded, rollout.counts[0].again) == (10, 0)
    assert rollout.stage == 1


def test_reports_before_the_start_are_refused() -> None:
    with pytest.raises(NotAllowed):
        step(ready(), Observed(1.0))


BAD_PLANS = {
    "no stage": {"stages": ()},
    "a stage twice": {"stages": (Stage("a", 1), Stage("a", 2))},
    "no percent": {"stages": (Stage("a", 0),)},
    "too much percent": {"stages": (Stage("a", 101),)},
    "not a number": {"stages": (Stage("a", float("nan")),)},
    "back to itself": {"previous": NEW},
    "everything may fail": {"limits": Limits(failure_rate=1.0)},
    "patience below soak": {"limits": Limits(soak_s=10, patience_s=5)},
    "negative approvals": {"approvals": -1},
    "endless probation": {"probation_s": float("inf")},
}


@pytest.mark.parametrize("given", BAD_PLANS.values(), ids=BAD_PLANS)
def test_plans_out_of_bounds(given: dict[str, object]) -> None:
    with pytest.raises(PlanError):
        plan(**given)


@pytest.mark.parametrize("name", ["", "a:b", "x" * 129])
def test_ids_out_of_bounds(name: str) -> None:
    with pytest.raises(PlanError, match="id"):
        Plan(name, "stable", Version("t", "2", "2" * 64), OLD)
