"""Runs a function for so long and no longer."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from skerry.edge.tools.definition import Context

_TICK_S = 0.05


@dataclass(frozen=True, slots=True)
class Returned:
    value: Any


@dataclass(frozen=True, slots=True)
class Raised:
    error: BaseException


def run_within(
    function: Callable[[Context], Any], context: Context, seconds: float
) -> Returned | Raised | None:
    """What `function` returned or raised within `seconds`; None where it was not done by then, or
    nobody waits any longer.

    It runs in a thread of its own, since Python can end none: when time is up, its context is
    `cancelled`, and whatever it still does is not heard.
    """
    own = threading.Event()
    done = threading.Event()
    ended: list[Returned | Raised] = []

    def run() -> None:
        try:
            ended.append(Returned(function(replace(context, cancelled=own))))
        except BaseException as error:  # noqa: BLE001  it is told to who waits
            ended.append(Raised(error))
        done.set()

    threading.Thread(target=run, name="skerry-tool", daemon=True).start()
    end = time.monotonic() + seconds
    while not context.cancelled.is_set() and (left := end - time.monotonic()) > 0:
        if done.wait(min(left, _TICK_S)):
            return ended[0]
    own.set()
    return None
