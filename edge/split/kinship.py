"""Whether a cloud's target has the device's tokens, found out without sending any text."""

from __future__ import annotations

import threading

from skerry.cloud.errors import ProtocolError, RequestError
from skerry.cloud.hints.frames import VERSION, Fault, Open
from skerry.edge.errors import CloudRefused
from skerry.edge.split.exchange import Exchange, OtherTokens
from skerry.edge.split.link import Ways
from skerry.edge.split.options import SplitOptions


def why_streamed(options: SplitOptions, vocabulary: bytes, *, deadline_s: float = 10.0) -> str:
    """Why nothing would be drafted for the target by a model of this vocabulary; empty where it
    would. The question that is asked for it has no tokens, so that a target which has them
    refuses it as empty.

    Raises:
        CloudRefused: the target serves no such device, or sends what the protocol does not allow.
        CloudUnavailable: it cannot be reached, or is silent.
    """
    ways = Ways(options)
    exchange = Exchange(
        options, connect=lambda left: ways.connect(options.headers(), left),
        deadline_s=deadline_s, cancel=threading.Event(),
    )  # fmt: skip
    try:
        exchange.open(Open(VERSION, options.model, vocabulary, (), max_tokens=1))
        frame = exchange.receive(begun=True, busy=lambda: False)
    except ProtocolError as error:
        raise CloudRefused(f"{options.destination}: {error.what}") from error
    finally:
        exchange.close()
    if not isinstance(frame, Fault) or frame.code == RequestError.code:
        return ""
    refusal = exchange.failed(frame)
    if isinstance(refusal, OtherTokens):
        return refusal.why
    raise refusal
