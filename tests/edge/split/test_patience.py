"""When a device has the cloud wait for its hints, and when it says so."""

from __future__ import annotations

from skerry.cloud.hints.frames import MOST_PATIENCE_MS, VERSION, Mode, Open
from skerry.edge.split.controller import Controller, Measured
from skerry.edge.split.patience import Patience


def asked(patience_ms: int = 0) -> Open:
    mode = Mode.THRIFT if patience_ms else Mode.LATENCY
    return Open(VERSION, "", b"", (1,), mode=mode, patience_ms=patience_ms)


def learnt(measured: Measured, rtt_s: float, pass_s: float, draft_s: float) -> None:
    """So often that nothing of what was before is left."""
    for _ in range(60):
        measured.rtt_s.add(rtt_s)
        measured.pass_s.add(pass_s)
        measured.draft_s.add(draft_s)
        measured.judge(8, 2)


def test_it_is_told_once_when_waiting_turns_out_faster_and_again_when_it_does_not() -> None:
    controller = Controller(Measured(), most=32)
    patience = Patience(controller, asked(), fixed=False)
    assert patience.begin() == 0
    assert patience.news() is None
    learnt(controller.measured, 0.01, 0.08, 0.004)
    told = patience.news()
    assert told is not None
    assert 10 < told < 80
    assert patience.waits
    assert controller.waits
    assert patience.news() is None
    learnt(controller.measured, 0.0105, 0.08, 0.004)
    assert patience.news() is None, "it is about the same"
    learnt(controller.measured, 0.02, 0.08, 0.004)
    again = patience.news()
    assert again is not None
    assert again > told
    learnt(controller.measured, 0.2, 0.08, 0.004)
    assert patience.news() == 0
    assert not patience.waits
    assert not controller.waits


def test_what_was_learnt_before_counts_from_the_beginning() -> None:
    measured = Measured()
    learnt(measured, 0.01, 0.08, 0.004)
    assert Patience(Controller(measured, most=32), asked(), fixed=False).begin() > 0


def test_what_was_asked_for_stays() -> None:
    controller = Controller(Measured(), most=32)
    patience = Patience(controller, asked(500), fixed=True)
    assert patience.begin() == 500
    assert controller.waits
    learnt(controller.measured, 0.2, 0.02, 0.004)
    assert patience.news() is None


def test_it_is_never_more_than_a_frame_can_say() -> None:
    controller = Controller(Measured(), most=32)
    learnt(controller.measured, 30.0, 600.0, 1.0)
    assert Patience(controller, asked(), fixed=False).begin() == MOST_PATIENCE_MS
