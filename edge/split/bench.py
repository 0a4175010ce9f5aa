"""Measures split inference with a live cloud tier: each prompt is streamed plainly and with drafts,
in turn, as the runtime would send it."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import msgspec
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidMessage
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from skerry.cloud.hints.frames import SUBPROTOCOL, written
from skerry.edge.engines.base import Message, Sampling
from skerry.edge.errors import CloudRefused, CloudUnavailable
from skerry.edge.split.options import SplitOptions
from skerry.edge.split.preview import SplitPreview
from skerry.edge.split.report import SplitReport
from skerry.edge.split.tier import SplitTier

_PINGS = 5


@dataclass(frozen=True, slots=True)
class Reading:
    """One answer: seconds from connecting to its end, its text, what it took, and bytes of frames
    both ways without the prompt's."""

    took_s: float
    text: str
    report: SplitReport
    data: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """One prompt, streamed plainly and with drafts."""

    plain: Reading
    split: Reading

    @property
    def speedup(self) -> float:
        """Plain streaming's time over that with drafts."""
        return self.plain.took_s / self.split.took_s

    @property
    def same(self) -> bool:
        """Whether both said the same."""
        return self.plain.text == self.split.text


@dataclass(frozen=True, slots=True)
class Summary:
    """What several prompts came to: of the sums, not of the quotients.

    `acceptance` is the share of drafted tokens that stand in the answers; None where none were
    drafted. `same` is the share of prompts to which both said the same.
    """

    speedup: float
    passes_per_token: float
    acceptance: float | None
    bytes_per_token: float
    same: float

    @classmethod
    def of(cls, compared: Sequence[Comparison]) -> Summary:
        """Of one comparison or more."""
        readings = [one.split for one in compared]
        reports = [one.report for one in readings]
        tokens = max(1, sum(one.tokens for one in reports))
        drafted = sum(one.drafted for one in reports)
        return cls(
            speedup=sum(one.plain.took_s for one in compared) / sum(one.took_s for one in readings),
            passes_per_token=sum(one.passes for one in reports) / tokens,
            acceptance=sum(one.taken for one in reports) / drafted if drafted else None,
            bytes_per_token=sum(one.data for one in readings) / tokens,
            same=sum(one.same for one in compared) / len(compared),
        )


def compare(
    tier: SplitTier, messages: Sequence[Message], sampling: Sampling, *, max_tokens: int,
    deadline_s: float,
) -> Comparison:  # fmt: skip
    """Sends the messages three times: for one token, so that a cloud which keeps prompts has this
    one for both; then for the answer, plainly and with drafts.

    Raises:
        ConfigError, ContextOverflow: the device's model cannot tell the prompt's tokens.
        CloudRefused: nothing can be drafted for the target.
        CloudError: the cloud did not answer.
    """
    preview = tier.preview(messages, sampling=sampling, max_tokens=max_tokens)
    first = _read(tier, _changed(preview, max_tokens=1), deadline_s)
    if first.report.streamed:
        raise CloudRefused(
            f"{preview.destination} streams its answers, for {first.report.why}: nothing can be "
            "drafted, and there is nothing to compare",
            hint="ask a target of the device's model's family",
        )
    plain = _changed(preview, vocabulary=b"")
    return Comparison(_read(tier, plain, deadline_s), _read(tier, preview, deadline_s))


def _changed(preview: SplitPreview, **fields: object) -> SplitPreview:
    opening = msgspec.structs.replace(preview.opening, **fields)
    spoken = preview.spoken and msgspec.structs.replace(
        preview.spoken, max_tokens=opening.max_tokens
    )
    return replace(preview, opening=opening, spoken=spoken, body=written(opening))


def _read(tier: SplitTier, preview: SplitPreview, deadline_s: float) -> Reading:
    began = time.perf_counter()
    with tier.send(preview, deadline_s=deadline_s, cancel=threading.Event()) as stream:
        text = "".join(piece.text for piece in stream)
        took = time.perf_counter() - began
        if broke := stream.report.broke:
            raise CloudUnavailable(
                f"{broke}; the device went on alone, and there is nothing to compare",
                hint="try again while the network holds",
            )
        traffic = stream.traffic
        data = traffic.sent + traffic.received - traffic.opening
        return Reading(took, text, stream.report, data)


def round_trip_ms(options: SplitOptions) -> float:
    """The median of a few pings on one connection that asks for nothing.

    Raises:
        CloudRefused: there is no cloud tier, or it does not take the API key.
        CloudUnavailable: it cannot be reached, or does not answer.
    """
    try:
        with connect(
            options.url,
            additional_headers=options.headers(),
            subprotocols=[Subprotocol(SUBPROTOCOL)],
            open_timeout=options.connect_s,
            close_timeout=options.connect_s,
            compression=None,
            proxy=None,
        ) as connection:
            took = [_ping_s(connection, options) for _ in range(_PINGS)]
    except (OSError, TimeoutError, ConnectionClosed, InvalidMessage) as error:
        raise _unreachable(options, str(error)) from error
    except InvalidHandshake as error:
        raise CloudRefused(
            f"{options.destination} serves no split inference: {error}",
            hint="check the URL and split_api_key",
        ) from error
    return statistics.median(took) * 1e3


def _ping_s(connection: ClientConnection, options: SplitOptions) -> float:
    began = time.perf_counter()
    if not connection.ping().wait(options.connect_s):
        raise _unreachable(options, "it does not answer a ping")
    return time.perf_counter() - began


def _unreachable(options: SplitOptions, why: str) -> CloudUnavailable:
    what = f"{options.destination} cannot be reached: {why}"
    return CloudUnavailable(what, hint="check that `skerry cloud serve` runs there")
