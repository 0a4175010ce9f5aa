from __future__ import annotations

import signal
import threading

import pytest

from skerry.edge.engines.llama.interrupts import interrupts_wait


def test_ctrl_c_takes_effect_at_the_end() -> None:
    before, reached = signal.getsignal(signal.SIGINT), []
    with pytest.raises(KeyboardInterrupt), interrupts_wait():
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        reached.append("the end")
    assert reached
    assert signal.getsignal(signal.SIGINT) is before


def test_an_error_is_not_hidden_and_the_handler_comes_back() -> None:
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(ZeroDivisionError), interrupts_wait():
        signal.raise_signal(signal.SIGINT)
        _ = 1 / 0
    assert signal.getsignal(signal.SIGINT) is before


def test_other_threads_have_no_handlers_to_keep() -> None:
    passed = threading.Event()

    def work() -> None:
        with interrupts_wait():
            passed.set()

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert passed.is_set()
