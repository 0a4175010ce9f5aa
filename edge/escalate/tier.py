"""The cloud as a tier: guards the circuit and offline mode, and starts exchanges on their thread.

What is said over HTTP is in `exchange`. Whether the cloud should be asked at all is left to policy.
"""

from __future__ import annotations

import asyncio
import queue
import ssl
import threading
from collections.abc import Callable, Sequence
from typing import Self

import httpx2

from skerry.edge.engines.base import FinishReason, Message, Piece, Sampling
from skerry.edge.errors import CloudError, CloudRefused, ConfigError, InputError
from skerry.edge.escalate.breaker import Breaker, CircuitState
from skerry.edge.escalate.chunks import TokenCounts
from skerry.edge.escalate.exchange import Exchange, converse
from skerry.edge.escalate.faults import Overdue, circuit_fault, offline_fault, overdue
from skerry.edge.escalate.loop import LoopThread, unless
from skerry.edge.escalate.meter import Meter
from skerry.edge.escalate.options import CloudOptions
from skerry.edge.escalate.preview import Preview, encode_request
from skerry.edge.escalate.probe import Probe, probe
from skerry.edge.escalate.stream import CloudStream

_GRACE_S = 5.0
_PROBE_S = 3.0


class CloudTier:
    """An OpenAI-compatible service as a tier. Thread-safe; a context manager.

    Args:
        options: where it is, and the limits.
        offline: asked before every attempt; while it says True, no socket is made.

    Raises:
        ConfigError: the CA bundle cannot be used.
    """

    def __init__(
        self, options: CloudOptions, *, offline: Callable[[], bool] = lambda: False
    ) -> None:
        self.options = options
        self._offline = offline
        self._breaker = Breaker(options.breaker_failures, options.breaker_cooldown_s)
        self._client = _client(options, _trust(options))
        self._loop = LoopThread("skerry-cloud", self._client.aclose)

    @property
    def circuit(self) -> CircuitState:
        return self._breaker.state

    def available(self) -> bool:
        """Whether a request would be sent now: not offline, and the circuit lets one through."""
        return not self._offline() and self._breaker.admits

    def preview(
        self,
        messages: Sequence[Message],
        *,
        sampling: Sampling,
        max_tokens: int,
        stop: Sequence[str] = (),
        reasoning: bool = False,
        redactions: int = 0,
        request_class: str = "",  # noqa: ARG002  not told to services that may be anybody's
    ) -> Preview:
        """Exactly what `send` would send; the same arguments give the same digest.

        `redactions` is how many identifiers were replaced in `messages` before.

        Raises:
            InputError: a message cannot be sent as text.
        """
        options = self.options
        body = encode_request(
            messages,
            model=(reasoning and options.reasoning_model) or options.model,
            sampling=sampling,
            max_tokens=max_tokens,
            stop=stop,
            reasoning=reasoning and options.reasoning_model is not None,
        )
        names = tuple(sorted(options.request_headers()))
        return Preview(options.completions_url, options.destination, body, names, redactions)

    def send(self, preview: Preview, *, deadline_s: float, cancel: threading.Event) -> CloudStream:
        """Sends what was previewed, at once, and streams the answer.

        Args:
            preview: of this tier; its `body` is what goes out, byte for byte.
            deadline_s: seconds for everything, at most `options.total_s`.
            cancel: when set, the connection is closed and the stream ends as cancelled.

        Raises:
            CloudUnavailable: offline, or the circuit is open; nothing was sent.
            InputError: the preview is of another destination.
            RuntimeError: this tier is closed.
        """
        if preview.url != self.options.completions_url:
            raise InputError(f"this preview is for {preview.url}, not for this tier")
        if self._offline():
            raise offline_fault(self.options)
        if not self._breaker.admit():
            raise circuit_fault(self.options)
        return self._start(preview, min(deadline_s, self.options.total_s), cancel)

    def generate(
        self,
        messages: Sequence[Message],
        *,
        sampling: Sampling,
        max_tokens: int,
        deadline_s: float,
        cancel: threading.Event,
        stop: Sequence[str] = (),
        reasoning: bool = False,
    ) -> CloudStream:
        """`preview` and `send` in one, for text that may leave without being shown first."""
        preview = self.preview(
            messages, sampling=sampling, max_tokens=max_tokens, stop=stop, reasoning=reasoning
        )
        return self.send(preview, deadline_s=deadline_s, cancel=cancel)

    def probe(self, limit_s: float = _PROBE_S) -> Probe:
        """Whether the service answers, and which models it has. Raises nothing; sends no text."""
        if self._offline():
            return Probe.failed(self.options.destination, offline_fault(self.options))
        asked = self._loop.submit(probe(self._client, self.options, limit_s))
        return asked.result(limit_s + _GRACE_S)

    def close(self) -> None:
        """Ends running requests and closes their connections. May be called twice."""
        self._loop.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def _start(self, preview: Preview, deadline_s: float, cancel: threading.Event) -> CloudStream:
        thinks = preview.model == self.options.reasoning_model
        pieces: queue.SimpleQueue[Piece | None] = queue.SimpleQueue()
        exchange = Exchange(
            client=self._client,
            options=self.options,
            preview=preview,
            meter=Meter(preview.destination),
            emit=pieces.put,
            offline=self._offline,
            deadline_s=deadline_s,
            first_token_s=deadline_s if thinks else self.options.ttft_s,
        )
        done = self._loop.submit(self._conduct(exchange, cancel))
        done.add_done_callback(lambda _: pieces.put(None))
        late = overdue(self.options, deadline_s)
        return CloudStream(pieces, done, exchange.meter, late, deadline_s + _GRACE_S)

    async def _conduct(self, exchange: Exchange, cancel: threading.Event) -> None:
        """Runs an exchange to its end and tells the breaker what that says of the server."""
        report = self._breaker.abandoned
        try:
            if await unless(cancel, converse(exchange)):
                report = self._breaker.succeeded
            else:
                exchange.emit(_cancelled(exchange))
        except asyncio.CancelledError:  # the stream or the tier was closed
            exchange.emit(_cancelled(exchange))
            raise
        except CloudError as error:
            report = self._judge(error, exchange.meter)
            raise
        finally:
            report()

    def _judge(self, error: CloudError, meter: Meter) -> Callable[[], None]:
        if isinstance(error, CloudRefused) and error.status is not None and error.status >= 400:
            return self._breaker.succeeded  # it is there, and it says no
        if isinstance(error, Overdue) and meter.has_text:
            return self._breaker.abandoned  # it was answering, only not fast enough for this caller
        return self._breaker.failed


def _cancelled(exchange: Exchange) -> Piece:
    usage = exchange.meter.usage(TokenCounts(), exchange.preview.seed)
    return Piece("", finish=FinishReason.CANCELLED, usage=usage)


def _trust(options: CloudOptions) -> ssl.SSLContext | bool:
    """What makes a server's certificate good. True is the system's authorities.

    Raises:
        ConfigError: the CA bundle cannot be read.
    """
    if not options.verify_tls:
        return False
    if options.ca_bundle is None:
        return True
    try:
        return ssl.create_default_context(cafile=options.ca_bundle)
    except OSError as error:
        raise ConfigError(
            f"the cloud's ca_bundle {options.ca_bundle} cannot be used: {error}",
            hint="name a readable file of certificates in PEM format",
        ) from error


def _client(options: CloudOptions, trust: ssl.SSLContext | bool) -> httpx2.AsyncClient:
    """A client that follows nothing and takes nothing from the environment."""
    # Reading and writing are bounded by `exchange`, which knows what it is waiting for.
    timeout = httpx2.Timeout(None, connect=options.connect_s)
    return httpx2.AsyncClient(
        headers=options.request_headers(),
        timeout=timeout,
        verify=trust,
        proxy=options.proxy,
        trust_env=False,
        follow_redirects=False,
    )
