"""The simulated network: its arithmetic, and a real connection through it."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from urllib.parse import urlsplit

import pytest

from skerry.cloud.simulate.conditions import Conditions, ConditionsError, Fault, FaultKind, Way
from skerry.cloud.simulate.link import linked

SOON = 10.0


def way(seed: int = 0, **values: float) -> Way:
    return Way(Conditions(**values), Random(seed))  # type: ignore[arg-type]


def test_what_is_sent_is_there_after_the_delay() -> None:
    assert way(delay_ms=30).arrival(5.0, 100) == pytest.approx(5.03)


def test_bandwidth_makes_pieces_wait_for_each_other() -> None:
    slow = way(kbit_per_s=80)  # 10,000 bytes a second
    assert [slow.arrival(1.0, 1_000) for _ in range(3)] == pytest.approx([1.1, 1.2, 1.3])


def test_what_is_lost_is_late() -> None:
    lossy = way(loss=0.5, again_ms=200)
    took = [round(lossy.arrival(i, 10) - i, 3) for i in range(50)]
    assert set(took) == {0, 0.2}


def test_what_follows_a_loss_waits_for_it() -> None:
    lossy = way(loss=0.5, again_ms=200)
    arrivals = [lossy.arrival(i / 1e3, 10) for i in range(50)]
    assert arrivals == sorted(arrivals)
    assert any(arrivals[i] == arrivals[i + 1] for i in range(49))


def test_jitter_is_drawn_by_the_seed_and_keeps_the_order() -> None:
    drawn = [[way(seed, jitter_ms=50).arrival(0, 1), seed] for seed in (1, 1, 2)]
    assert drawn[0][0] == drawn[1][0] != drawn[2][0]
    shaky = way(delay_ms=10, jitter_ms=50)
    arrivals = [shaky.arrival(0, 1) for _ in range(100)]
    assert arrivals == sorted(arrivals)
    assert 0.01 <= arrivals[0] <= arrivals[-1] <= 0.06


@pytest.mark.parametrize(
    "values",
    [
        {"delay_ms": -1},
        {"jitter_ms": float("nan")},
        {"kbit_per_s": float("inf")},
        {"loss": 1},
        {"loss": -0.1},
        {"again_ms": -1},
    ],
    ids=str,
)
def test_conditions_that_no_link_has_are_refused(values: dict[str, float]) -> None:
    with pytest.raises(ConditionsError, match=next(iter(values))) as caught:
        Conditions(**values)  # type: ignore[arg-type]
    assert caught.value.hint


@pytest.mark.parametrize("values", [{"after_s": -1}, {"after_bytes": -1}, {"lasts_s": -1}], ids=str)
def test_faults_in_the_past_are_refused(values: dict[str, float]) -> None:
    with pytest.raises(ConditionsError):
        Fault(kind=FaultKind.CUT, **values)  # type: ignore[arg-type]


@pytest.mark.parametrize("url", ["https://127.0.0.1:1", "127.0.0.1:1", "http://", ""])
def test_a_link_leads_to_an_http_address(url: str) -> None:
    with pytest.raises(ConditionsError, match="no link leads"), linked(url):
        pass


@contextmanager
def echo() -> Iterator[str]:
    """A service that says again what it is told."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve(one: socket.socket) -> None:
        with one:
            try:
                while data := one.recv(4_096):
                    one.sendall(data)
            except OSError:
                pass

    def accept() -> None:
        while True:
            try:
                one, _ = listening.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(one,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        listening.close()


@contextmanager
def through(
    conditions: Conditions | None = None, *faults: Fault
) -> Iterator[tuple[socket.socket, str]]:
    with echo() as url, linked(url, conditions, faults) as far, connected(far) as one:
        yield one, far


def connected(url: str) -> socket.socket:
    return socket.create_connection(("127.0.0.1", urlsplit(url).port), timeout=SOON)


def said_again(one: socket.socket, text: bytes) -> bytes:
    """What comes back for `text` until there is as much or the end."""
    one.sendall(text)
    back = b""
    while len(back) < len(text) and (data := one.recv(4_096)):
        back += data
    return back


def test_everything_passes_in_order_whatever_the_link_is_like() -> None:
    text = bytes(range(256)) * 100
    link = Conditions(delay_ms=2, jitter_ms=5, kbit_per_s=8_000, loss=0.2, again_ms=10, seed=3)
    with through(link) as (one, _):
        assert said_again(one, text) == text


def test_a_connection_takes_a_round_trip_and_so_does_an_answer() -> None:
    with through(Conditions(delay_ms=40)) as (one, _):
        began = time.monotonic()
        assert said_again(one, b"a") == b"a"
        assert time.monotonic() - began >= 0.155  # two round trips, but for the clock's grain
        began = time.monotonic()
        assert said_again(one, b"b") == b"b"
        assert time.monotonic() - began >= 0.078


def test_a_connection_that_is_cut_ends_between_pieces() -> None:
    with through(None, Fault(kind=FaultKind.CUT, after_bytes=3)) as (one, far):
        assert said_again(one, b"abc") == b"abc"
        assert said_again(one, b"def") == b""
        with connected(far) as another:  # it happened, and is over
            assert said_again(another, b"ghi") == b"ghi"


def test_a_fault_waits_for_its_time() -> None:
    with through(None, Fault(kind=FaultKind.CUT, after_s=0.5)) as (one, _):
        began = time.monotonic()
        while said_again(one, b"a") == b"a":
            assert time.monotonic() - began < SOON
        assert time.monotonic() - began >= 0.4


def test_a_connection_that_is_truncated_ends_within_a_piece() -> None:
    with through(None, Fault(kind=FaultKind.TRUNCATE)) as (one, _):
        assert said_again(one, b"abcdef") == b"abc"


def test_a_reset_is_one() -> None:
    with through(None, Fault(kind=FaultKind.RESET)) as (one, _), pytest.raises(ConnectionError):
        said_again(one, b"abc")


def test_a_link_that_flaps_takes_nobody_for_a_while() -> None:
    with through(None, Fault(kind=FaultKind.FLAP, lasts_s=0.3)) as (one, far):
        with pytest.raises(ConnectionError):
            said_again(one, b"abc")
        with pytest.raises(ConnectionRefusedError):
            connected(far)
        until = time.monotonic() + SOON
        while time.monotonic() < until:
            try:
                with connected(far) as another:
                    assert said_again(another, b"abc") == b"abc"
                    return
            except ConnectionRefusedError:
                time.sleep(0.02)
        pytest.fail("it never came back")


def test_a_stall_holds_all_back_and_loses_nothing() -> None:
    with through(None, Fault(kind=FaultKind.STALL, lasts_s=0.2)) as (one, far):
        began = time.monotonic()
        one.sendall(b"abc")
        with connected(far) as another:
            assert said_again(one, b"") == b""
            assert one.recv(3) == b"abc"
            assert said_again(another, b"def") == b"def"
        assert time.monotonic() - began >= 0.195


def test_faults_happen_one_after_the_other() -> None:
    faults = (Fault(kind=FaultKind.CUT), Fault(kind=FaultKind.TRUNCATE))
    with through(None, *faults) as (one, far):
        assert said_again(one, b"abcd") == b""
        with connected(far) as another:
            assert said_again(another, b"abcd") == b"ab"


def test_nobody_behind_the_link_is_a_reset() -> None:
    def ask(url: str) -> bytes:
        with connected(url) as one:
            return one.recv(1)

    with linked("http://127.0.0.1:9") as far, pytest.raises(ConnectionError):
        ask(far)
