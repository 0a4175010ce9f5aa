"""What the endpoints share: the runtime, the places for answers, the counts."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass

from fastapi import Request as HttpRequest
from starlette.types import Receive

from skerry.edge.aio import iterate_in_thread
from skerry.edge.runtime import Runtime
from skerry.edge.server.admission import Admission, stopping
from skerry.edge.server.answers import Answering, Step, Whole, whole
from skerry.edge.server.metrics import Metrics
from skerry.edge.server.options import ServerOptions
from skerry.edge.server.threads import Threads


@dataclass(frozen=True, slots=True)
class Service:
    runtime: Runtime
    options: ServerOptions
    admission: Admission
    metrics: Metrics
    threads: Threads
    started_at: int

    async def steps(
        self, http: HttpRequest, answering: Answering, cancel: threading.Event
    ) -> AsyncGenerator[Step, None]:
        """The steps of one answer. The client's going away stops it at the next token.

        Raises:
            ApiError: there is no place, or the server stops meanwhile.
            EdgeError: what answering raises.
        """
        with self.admission.place(cancel), self.metrics.answer() as watch:
            async with cancelled_with(http.receive, cancel):
                async for step in iterate_in_thread(answering, cancel):
                    watch.see(step)
                    self._check_closing(step)
                    yield step

    async def begin(
        self, http: HttpRequest, answering: Answering, cancel: threading.Event
    ) -> AsyncGenerator[Step, None]:
        """`steps`, once the first is there: what fails before it still gets its own status."""
        steps = self.steps(http, answering, cancel)
        return _with_first(await anext(steps), steps)

    async def finish(
        self, http: HttpRequest, answering: Answering, cancel: threading.Event
    ) -> Whole:
        """The whole answer."""
        async with aclosing(self.steps(http, answering, cancel)) as steps:
            return whole([step async for step in steps])

    def _check_closing(self, step: Step) -> None:
        if step.finish == "cancelled" and self.admission.closing:
            raise stopping()


def service_of(http: HttpRequest) -> Service:
    """The service of the app that a request came to; a FastAPI dependency."""
    service: Service = http.app.state.service
    return service


async def _with_first(first: Step, rest: AsyncGenerator[Step, None]) -> AsyncGenerator[Step, None]:
    async with aclosing(rest):
        yield first
        async for step in rest:
            yield step


@asynccontextmanager
async def cancelled_with(receive: Receive, cancel: threading.Event) -> AsyncIterator[None]:
    """Sets `cancel` when the client goes away meanwhile."""
    watcher = asyncio.create_task(_watch(receive, cancel))
    try:
        yield
    finally:
        watcher.cancel()


async def _watch(receive: Receive, cancel: threading.Event) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    cancel.set()
