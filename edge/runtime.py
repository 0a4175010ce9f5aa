"""The runtime: one question, top to bottom. Read `Runtime.stream` first.

Each line is a step: screen, encode once, route, retrieve, decide, assemble, generate and gate,
record. The steps to the decision are in `skerry.edge.deciding`, who answers in
`skerry.edge.answering`, and the parts behind them in `skerry.edge.parts`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Generator, Iterator
from contextlib import suppress
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from skerry.edge import tiers
from skerry.edge.aio import iterate_in_thread
from skerry.edge.answering import answered, cannot_be_grounded
from skerry.edge.assembly import Decided, work_on
from skerry.edge.deciding import decided_on
from skerry.edge.engines.base import Generation, Piece
from skerry.edge.errors import Cancelled, ConfigError, EdgeError, StateError
from skerry.edge.events import Event, Finished, Reply, RouteDecided, SourcesFound, TierFailed
from skerry.edge.leaving import worked, working
from skerry.edge.parts import Parts, build_parts
from skerry.edge.record import Record
from skerry.edge.request import Request, check_argument
from skerry.edge.tiers import Outcome, Work
from skerry.edge.trace import Trace
from skerry.edge.types import RequestClass, Route, Tier

if TYPE_CHECKING:
    from skerry.edge.index import Index
    from skerry.edge.receipts import Receipt, StepTiming
    from skerry.edge.session import SessionStore
    from skerry.edge.settings import Settings
    from skerry.edge.tools import Registry
    from skerry.guardrails.answer import Answer

_ABOUT_DOCUMENTS = frozenset({RequestClass.LOOKUP, RequestClass.QUESTION})


class Runtime:
    """Answers questions on this device; thread-safe; a context manager.

    Args:
        settings: where everything is; None reads the environment and the file of settings.
        on_step: called at the end of every step of every request.
        tools: what requests may have done; None takes the tools that come with Skerry.
        **overrides: settings by name, such as `model="…"`, `index="…"`, `offline=True`.

    Raises:
        ConfigError: a setting is wrong, or there is none of that name.
        BundleRefused: the bundle that they name was changed, or has nothing for this machine.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        on_step: Callable[[StepTiming], None] | None = None,
        tools: Registry | None = None,
        **overrides: Any,
    ) -> None:
        if on_step is not None and not callable(on_step):
            raise ConfigError("on_step cannot be called", hint="give a function of one argument")
        self.parts = build_parts(settings, overrides, tools)
        self._on_step = on_step

    @classmethod
    def of(cls, parts: Parts) -> Self:
        """A runtime on parts that the caller built."""
        runtime = cls.__new__(cls)
        runtime.parts = parts
        runtime._on_step = None
        return runtime

    @property
    def index(self) -> Index:
        """The documents; opened, or made, on first use."""
        return self.parts.index

    @property
    def sessions(self) -> SessionStore:
        """The conversations that this device keeps: their ids go into `ask(session=…)`."""
        return self.parts.sessions

    def stream(self, question: str | Request, **options: Any) -> Iterator[Event]:
        """Answers `question`, event by event; closing the iterator cancels.

        Args:
            question: the text, or a whole `Request`.
            **options: the fields of `Request`.

        Raises:
            InputError: the question, or another argument, cannot be used.
            Closed: the runtime was closed, or belongs to the process that forked this one.
            ModelError: the model cannot be used.
            IndexFault: the index cannot be used.
            StateError: no receipt could be kept: nothing is answered and nothing leaves.
            CloudError: the cloud failed and policy names no other tier.
            ApprovalRequired: nobody approved, and policy names no other tier.
        """
        request = Request.of(question, options)
        yield from worked(self._stream(request), request.cancel)

    def _stream(self, request: Request) -> Generator[Event, None, None]:
        trace = Trace(self._on_step)
        self._check_receipts(request, trace)
        decided = decided_on(request, self.parts, trace)
        with trace.step("assemble"):
            work = work_on(request, decided, self.parts)
        failures: list[TierFailed] = []
        ended = self._ended(work, decided, trace)
        try:
            work, decided = self._widened(work, decided, trace)
            ended = self._ended(work, decided, trace)
            yield RouteDecided(decided.route)
            yield self._found(work, decided)
            tier, outcome = yield from answered(work, self.parts, trace, failures)
        except EdgeError as error:
            self._record(ended(tuple(failures), error=error))
            raise
        except (GeneratorExit, KeyboardInterrupt):
            # Who leaves early, too, may ask later what left the device.
            left = Cancelled("nobody waited for the end of the answer")
            with suppress(StateError):  # who left does not hear of it
                self._record(ended(tuple(failures), error=left))
            raise
        receipt = self._record(ended(tuple(failures), outcome, tier))
        yield Finished(_reply(work, outcome, receipt))

    def _check_receipts(self, request: Request, trace: Trace) -> None:
        """Raises StateError: no receipt could be kept. Whoever may be in danger is told by its hint
        what policy has for them, for nothing else is said."""
        try:
            self.parts.receipts.check_writable()
        except StateError as error:
            with suppress(EdgeError):
                if decided_on(request, self.parts, trace).route.tier is Tier.HUMAN:
                    error.hint = f"{self.parts.policy.safety.notice} {error.hint}".rstrip()
            raise

    def _ended(self, work: Work, decided: Decided, trace: Trace) -> Callable[..., Record]:
        """Makes the record of a request out of how it ended."""
        return partial(
            Record,
            decided.given,
            decided.policy,
            decided.encoder,
            work,
            trace,
            count_tokens=self.parts.encoder.count_tokens,
            bundle=self.parts.bundle_used,
        )

    def _widened(self, work: Work, decided: Decided, trace: Trace) -> tuple[Work, Decided]:
        """Asks cloud collections where there are some and the documents here do not answer."""
        if not self.parts.settings.collections:
            return work, decided
        from skerry.edge.collections.asking import is_wanted, widened

        with trace.step("collections"):
            wanted = is_wanted(work)
            return widened(work, decided, self.parts) if wanted else (work, decided)

    def ask(self, question: str | Request, **options: Any) -> Reply:
        """The whole answer. Takes and raises what `stream` does."""
        for event in self.stream(question, **options):
            if isinstance(event, Finished):
                return event.reply
        raise AssertionError("a stream ends with Finished")

    async def astream(self, question: str | Request, **options: Any) -> AsyncIterator[Event]:
        """`stream` for asyncio; leaving the loop cancels."""
        request = Request.of(question, options)
        async for event in iterate_in_thread(lambda: self.stream(request), request.cancel):
            yield event

    async def aask(self, question: str | Request, **options: Any) -> Reply:
        """`ask` for asyncio."""
        async for event in self.astream(question, **options):
            if isinstance(event, Finished):
                return event.reply
        raise AssertionError("a stream ends with Finished")

    def route(self, question: str | Request, **options: Any) -> Route:
        """Decides only: where this would be answered, and why. Loads no model, sends nothing."""
        request = Request.of(question, options)
        with working(request.cancel):
            return decided_on(request, self.parts, Trace()).route

    def check(self, question: str | Request, draft: str, **options: Any) -> Answer:
        """What the gate makes of `draft`, an answer that came from elsewhere.

        It is held against what the documents have on the question, as a draft of this runtime would
        be. Keeps no receipt, loads no language model, sends nothing.

        Raises:
            InputError, Closed, IndexFault: as for `stream`.
        """
        request = Request.of(question, options)
        with working(request.cancel):
            gate = work_on(
                request, decided_on(request, self.parts, Trace()), self.parts
            ).grounded_gate()
            gate.feed(draft)
            return gate.finish()[1]

    def complete(self, generation: Generation, *, model: str | None = None) -> Iterator[Piece]:
        """A plain completion by a model on this device: no retrieval, no route, no receipt.

        Raises:
            InputError: an argument cannot be used.
            Closed: as for `stream`.
            ModelNotFound: no model of that name.
            ContextOverflow: the prompt does not fit.
        """
        check_argument("generation", generation, Generation)
        check_argument("model", model, str, type(None))
        yield from worked(self._complete(generation, model), generation.cancel)

    def _complete(self, generation: Generation, model: str | None) -> Generator[Piece, None, None]:
        with self.parts.engine(model) as engine:
            yield from tiers.complete(generation, engine)

    def close(self) -> None:
        """Ends running generations and closes every part. May be called twice."""
        self.parts.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _record(self, record: Record) -> Receipt:
        """Keeps the receipt, the turn where there is a session, and what waits for a person."""
        receipt = self.parts.keep_receipt(record.receipt())
        session = record.work.request.session
        if session is not None and record.outcome is not None:
            asked, told = record.work.request.question, record.outcome.answer.text
            labels = record.given.labels
            self.parts.sessions.append_exchange(session, asked, told, receipt.id, labels)
        if record.tier is Tier.HUMAN:
            self._await_person(record, receipt)
        return receipt

    def _await_person(self, record: Record, receipt: Receipt) -> None:
        """Puts a request that no model may answer before a person."""
        from skerry.edge.review import waiting

        work, minutes = record.work, record.policy.safety.answer_within_minutes
        shown = record.outcome.answer.text if record.outcome else ""
        review = waiting(receipt, work.request.question, shown, work.prompt.sources, 60 * minutes)
        self.parts.reviews.add(review)

    def _found(self, work: Work, decided: Decided) -> SourcesFound:
        """What the answer may cite, how the question was read; whether there is nothing to read."""
        read_as = decided.asked.question
        from_nothing = (
            decided.route.request_class in _ABOUT_DOCUMENTS
            and decided.route.tier not in (Tier.REFUSE, Tier.HUMAN)
            and not (
                work.own_words
                or cannot_be_grounded(work, self.parts)
                or self.parts.expects_documents
            )
        )
        return SourcesFound(
            work.prompt.sources,
            read_as if read_as != work.request.question else None,
            no_documents=from_nothing,
        )


def _reply(work: Work, outcome: Outcome, receipt: Receipt) -> Reply:
    answer = outcome.answer
    cited = tuple(source for source in work.prompt.sources if source.mark in answer.marks)
    return Reply(answer.text, cited, answer.verdict, outcome.finish, receipt)
