"""What the endpoints share: the runtime, the places for answers, the counts."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass

from fastapi import Request as HttpRequest
from starlette.types import Receive

from skerry.edge.aio import iterate_in_threads
from skerry.edge.runtime import Runtime
from skerry.edge.server.admission import Admission, stopping
from skerry.edge.server.answers import Answering, Step, Whole
from skerry.edge.server.choices import lanes, wholes
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
        self, http: HttpRequest, choices: Sequence[Answering], cancel: threading.Event
    ) -> AsyncGenerator[Step, None]:
        """The steps of the answers to one request, which have one place together. The client's
        going away stops them at the next token.

        Raises:
            ApiError: there is no place, or the server stops meanwhile.
            EdgeError: what answering raises.
        """
        with self.admission.place(cancel), self.metrics.answer() as watch:
            async with cancelled_with(http.receive, cancel):
                async for step in iterate_in_threads(self._lanes(choices), cancel):
                    watch.see(step)
                    self._check_closing(step)
                    yield step

    async def begin(
        self, http: HttpRequest, choices: Sequence[Answering], cancel: threading.Event
    ) -> AsyncGenerator[Step, None]:
        """`steps`, once the first is there: what fails before it still gets its own status."""
        steps = self.steps(http, choices, cancel)
        return _with_first(await anext(steps), steps)

    async def finish(
        self, http: HttpRequest, choices: Sequence[Answering], cancel: threading.Event
    ) -> list[Whole]:
        """The whole answers, in their order."""
        async with aclosing(self.steps(http, choices, cancel)) as steps:
            return wholes([step async for step in steps], len(choices))

    def _lanes(self, choices: Sequence[Answering]) -> list[Answering]:
        """As many at once as the model decodes together: more would only wait."""
        return lanes(choices, self.runtime.parts.engine_options.parallel)

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
