from __future__ import annotations

import signal
import threading
from collections.abc import Callable

import pytest

from skerry.bundles.llama.interrupts import interrupts_wait


def interrupted(done: list[str], then: Callable[[], object] = lambda: None) -> None:
    with interrupts_wait():
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        then()
        done.append("the end")


def test_ctrl_c_takes_effect_at_the_end() -> None:
    before = signal.getsignal(signal.SIGINT)
    done: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        interrupted(done)
    assert done
    assert signal.getsignal(signal.SIGINT) is before


def test_an_error_is_not_hidden_and_the_handler_comes_back() -> None:
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(ZeroDivisionError):
        interrupted([], then=lambda: 1 / 0)
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
