"""How each tier answers: quote a source, generate here, ask the cloud, or decline.

A tier is a generator of released text that returns an `Outcome`. Whatever it makes passes the
gate here, so that nothing ungated can be yielded.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

from skerry.edge.engines.base import (
    Engine,
    FinishReason,
    Generation,
    Message,
    ModelInfo,
    Piece,
    Usage,
)
from skerry.edge.errors import ApprovalRequired, CloudRefused, EdgeError
from skerry.edge.events import TextReleased
from skerry.edge.prompt import Prompt
from skerry.edge.request import Request
from skerry.edge.screening import screen_message
from skerry.edge.sections import may_be_whole
from skerry.edge.session.pseudonyms import ForRequest, Keeper
from skerry.edge.types import Route
from skerry.guardrails.answer import Answer, Evidence
from skerry.guardrails.errors import GuardrailError
from skerry.guardrails.gate import GroundedGate, OpenGate, fixed
from skerry.guardrails.judging import Judge
from skerry.guardrails.networks import INSTALLED, Networks
from skerry.guardrails.outgoing import OutputScreen
from skerry.guardrails.passages import Quotation
from skerry.guardrails.pseudonyms import Pseudonyms, Restorer

if TYPE_CHECKING:
    from skerry.edge.escalate import Preview, RemoteTier
    from skerry.edge.escalate.base import Egress
    from skerry.edge.index.types import Chunk
    from skerry.edge.receipts import CollectionAsked, VectorSent
    from skerry.edge.split.report import SplitReport
    from skerry.edge.tools import Toolbox

_TICK_S = 0.02
REFUSED = (
    "I answer questions about the documents on this device; this is not one that I can help "
    "with. Ask me about them, or ask a person."
)
NO_DOCUMENTS = (
    "There are no documents yet, so nothing can be looked up. "
    "`skerry index add PATH` takes some in."
)
REFERRED = "This needs a person, not a language model."


class Gate(Protocol):
    @property
    def wants_more(self) -> bool: ...

    def feed(self, text: str) -> str: ...

    def finish(self, *, whole: bool = True) -> tuple[str, Answer]: ...


@dataclass(frozen=True, slots=True)
class Departure:
    """Something that left the device: what was previewed, and the bytes that it took.

    `approved`: a person saw the preview and approved it. `replaced`: how many identifiers of each
    label something else stood for. `split`: how the answer was drafted here and verified there.
    `vector`: nothing but a vector of the question left.
    """

    egress: Egress
    preview: Preview
    approved: bool
    replaced: Mapping[str, int]
    split: SplitReport | None = None
    vector: VectorSent | None = None


@dataclass(frozen=True, slots=True)
class Work:
    """A routed request, ready to be answered.

    `judge` judges the sentences of a draft that must be `grounded`. `surrogates` keeps what stands
    for what. What leaves the device is written to `ledger`, what tools did is in `toolbox`, which
    cloud collections were wanted in `collections`. `gives_orders`: the question tries to give
    orders to the model. `own_words` are the answer to small talk. `screen` looks at what a model
    writes. `self_harm`: the question has signs of it. `quotes_again`: the last answer is wanted
    again, in its source's own words. `networks` screen what leaves.
    """

    request: Request
    route: Route
    prompt: Prompt
    generation: Generation
    grounded: bool
    judge: Judge
    surrogates: Keeper = field(default_factory=ForRequest)
    ledger: list[Departure] = field(default_factory=list)
    collections: list[CollectionAsked] = field(default_factory=list)
    toolbox: Toolbox | None = None
    gives_orders: bool = False
    own_words: str = ""
    screen: OutputScreen | None = None
    self_harm: bool = False
    quotes_again: bool = False
    networks: Networks = INSTALLED

    @property
    def query(self) -> str:
        """What was searched for: the question, with the one before it where it leans on that."""
        return self.judge.question

    def gate(self) -> Gate:
        if self.grounded:
            return self.grounded_gate()
        return OpenGate(self._given() if self.prompt.sources else None, self.screen)

    def _given(self) -> str:
        """All that an extract can be made from."""
        messages = (str(message.get("content")) for message in self.prompt.messages)
        return "\n".join(messages)

    def grounded_gate(self) -> GroundedGate:
        return GroundedGate(self.judge, self.screen)

    def quotation(self) -> Quotation | None:
        """The passage of the sources to quote, if one takes up what is asked."""
        found = self.judge.quote()
        return found if found and found.fits else None

    @property
    def is_quoted_whole(self) -> bool:
        """Whether a list or rows of a table answer, of which no model is to tell a part."""
        if not self.grounded:
            return False
        if not (self.quotes_again or may_be_whole(self.query, self.judge.evidence)):
            return False
        found = self.judge.quote()
        return found is not None and found.is_whole

    def evidence(self) -> Sequence[Evidence]:
        """The sources as the gate sees them."""
        return self.judge.evidence


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a tier made: the gated answer, and what it took."""

    answer: Answer
    finish: FinishReason = FinishReason.STOP
    usage: Usage | None = None
    model: ModelInfo | None = None


TierRun = Generator[TextReleased, None, Outcome]


class NothingToQuote(EdgeError):
    """No sentence of the sources answers the question; the next tier may."""

    code = "nothing_to_quote"


def quote(work: Work) -> TierRun:
    """Answers in a source's own words, without a model.

    Raises:
        NothingToQuote: no sentence of the sources fits the question, or the answer must have a
            form that a sentence does not have.
    """
    found = work.quotation()
    if found is None or work.generation.grammar is not None:
        raise NothingToQuote("no sentence of the sources answers this by itself")
    if found.is_whole:
        return (yield from quote_whole(work))
    gate = work.grounded_gate()
    quoted = [Piece(f"{found.text} [{found.mark}]", finish=FinishReason.STOP)]
    answer, _ = yield from _through(gate, quoted, lambda: None)
    return Outcome(answer)


def quote_whole(work: Work) -> TierRun:
    """Answers with a list, or rows of a table, whether they answer or are only the nearest."""
    text, answer = work.grounded_gate().quote()
    yield TextReleased(text)
    return Outcome(answer)


def generate_here(work: Work, engine: Engine) -> TierRun:
    """Answers with a model on this device.

    When the route's whole budget has passed since the draft began, a grounded answer is made of
    what there is. The clock starts here, so that the device has its time after a cloud failed.
    """
    ends_at = time.perf_counter() + work.route.budget.total_ms / 1e3
    enough = _Enough(work.generation.cancel, ends_at if work.grounded else math.inf)
    generation = replace(work.generation, cancel=enough)
    with closing(_as_generator(engine.generate(generation))) as pieces:
        answer, last = yield from _through(work.gate(), pieces, enough.set)
    finish = last.finish or FinishReason.CANCELLED
    if not work.generation.cancel.is_set():
        finish = _end_for_reader(finish, answer)
    return Outcome(answer, finish, last.usage, engine.info)


def _end_for_reader(finish: FinishReason, answer: Answer) -> FinishReason:
    """How an answer that nobody cancelled ended: what stands in place of a draft is whole."""
    if answer.instead:
        return FinishReason.STOP
    return FinishReason.LENGTH if finish is FinishReason.CANCELLED else finish


def ask_cloud(work: Work, cloud: RemoteTier, *, reasoning: bool) -> TierRun:
    """Answers in the cloud, with PII replaced, once approved where the route wants that.

    Raises:
        ApprovalRequired: nobody approved; nothing has left the device.
        CloudError: the cloud did not answer.
    """
    pseudonyms = work.surrogates.load()
    preview = _preview(work, cloud, pseudonyms, reasoning=reasoning)
    work.surrogates.keep(pseudonyms)
    approved = work.route.needs_approval and _approved(work.request, preview)
    if work.route.needs_approval and not approved:
        raise ApprovalRequired(
            f"sending this to {preview.destination} was not approved; nothing has left this device",
            hint="approve what `skerry ask` shows, or pass `approve` to the runtime",
        )
    with cloud.send(
        preview, deadline_s=work.route.budget.total_ms / 1e3, cancel=work.request.cancel
    ) as stream:
        try:
            pieces = _restored(stream, pseudonyms)
            answer, last = yield from _through(work.gate(), pieces, stream.close)
        finally:
            replaced = pseudonyms.replaced
            shared = getattr(stream, "report", None)
            work.ledger.append(Departure(stream.egress, preview, approved, replaced, shared))
    return Outcome(answer, last.finish or FinishReason.CANCELLED, last.usage)


def _preview(work: Work, cloud: RemoteTier, pseudonyms: Pseudonyms, *, reasoning: bool) -> Preview:
    for _ in range(2):  # a name that one message tells is replaced in those before it, too
        messages = [_redacted(message, pseudonyms, work) for message in work.prompt.messages]
    return cloud.preview(
        messages,
        sampling=work.generation.sampling,
        max_tokens=work.generation.max_tokens,
        stop=work.generation.stop,
        reasoning=reasoning,
        redactions=len(pseudonyms),
        request_class=work.route.request_class,
    )


def _approved(request: Request, preview: Preview) -> bool:
    return request.approve is not None and request.approve(preview)


def decline(text: str) -> TierRun:
    """Answers with the runtime's own words."""
    yield TextReleased(text)
    return Outcome(fixed(text))


class _Enough(threading.Event):
    """Set when it is set itself, when `other` is, and from `ends_at` on."""

    def __init__(self, other: threading.Event, ends_at: float) -> None:
        super().__init__()
        self._other = other
        self._ends_at = ends_at

    def is_set(self) -> bool:
        return super().is_set() or self._other.is_set() or time.perf_counter() >= self._ends_at

    def wait(self, timeout: float | None = None) -> bool:
        """Looks at the other every few milliseconds: it cannot wake who waits here."""
        end = math.inf if timeout is None else time.monotonic() + timeout
        while not self.is_set() and time.monotonic() < end:
            super().wait(min(_TICK_S, max(end - time.monotonic(), 0)))
        return self.is_set()


def _through(
    gate: Gate, pieces: Iterable[Piece], stop: Callable[[], None]
) -> Generator[TextReleased, None, tuple[Answer, Piece]]:
    """Feeds the gate. When it wants no more, `stop` ends the stream, whose usage still comes."""
    last = Piece("")
    enough = False
    for last in pieces:
        if enough:
            continue
        if text := gate.feed(last.text):
            yield TextReleased(text)
        if not gate.wants_more:
            enough = True
            stop()
    if enough:
        last = replace(last, finish=FinishReason.STOP)
    rest, answer = gate.finish(whole=last.finish is FinishReason.STOP)
    if rest:
        yield TextReleased(rest)
    return answer, last


def _as_generator(pieces: Iterable[Piece]) -> Generator[Piece, None, None]:
    yield from pieces


def _restored(pieces: Iterable[Piece], pseudonyms: Pseudonyms) -> Iterator[Piece]:
    restorer = Restorer(pseudonyms)
    for piece in pieces:
        text = restorer.feed(piece.text)
        yield replace(piece, text=text + restorer.flush() if piece.finish else text)


def evidence_of(prompt: Prompt) -> list[Evidence]:
    """The sources of a prompt as the gate sees them."""
    return [
        Evidence(one.mark, one.chunk.text, context=_about(one.chunk), document=one.chunk.source)
        for one in prompt.sources
    ]


def _about(chunk: Chunk) -> str:
    return "\n".join((chunk.title, *chunk.heading))


def _redacted(message: Message, pseudonyms: Pseudonyms, work: Work) -> Message:
    content = message.get("content")
    if not (work.route.redact and isinstance(content, str)):
        return message
    try:
        findings = screen_message(message.get("role"), content, work.networks)
        return {**message, "content": pseudonyms.replace(content, findings)}
    except GuardrailError as error:
        raise CloudRefused(f"nothing was sent: {error.what}", hint=error.hint) from error


def complete(generation: Generation, engine: Engine) -> Iterator[Piece]:
    """A plain completion: every piece passes an open gate."""
    gate = OpenGate()
    with closing(_as_generator(engine.generate(generation))) as pieces:
        for piece in pieces:
            yield replace(piece, text=gate.feed(piece.text))
    gate.finish()
