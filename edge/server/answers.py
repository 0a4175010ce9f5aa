"""Where answers come from: a local model alone, or the whole pipeline; both as a stream of `Step`.

Blocking iterators, to be run in a thread. What a step looks like on the wire is for the endpoints.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from skerry.edge.engines.base import FinishReason, Generation, Piece, TokenLogprob, Usage
from skerry.edge.events import Finished, Reply, TextReleased, TierFailed
from skerry.edge.fields import citation_fields, route_fields
from skerry.edge.receipts import Receipt, TokenUsage
from skerry.edge.request import Request
from skerry.edge.server.assent import Assent
from skerry.guardrails.answer import Verdict

if TYPE_CHECKING:
    from skerry.edge.runtime import Runtime

TOOL_CALLS = "tool_calls"
NO_USAGE = TokenUsage(0, 0, 0)


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call of a function; `arguments` is JSON text, valid against the function's schema."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Step:
    """A step of an answer on its way to the wire; of the answer `choice`, where there are several.

    The last one has `finish` (`stop`, `length`, `tool_calls` or `cancelled`) and `usage`, and
    `receipt` where there is one. `void`: the text before this is no part of the answer.
    """

    text: str = ""
    choice: int = 0
    tokens: Sequence[TokenLogprob] = ()
    top: Sequence[Sequence[TokenLogprob]] = ()
    calls: tuple[ToolCall, ...] = ()
    refusal: str = ""
    void: bool = False
    finish: str | None = None
    usage: TokenUsage | None = None
    extra: Mapping[str, Any] | None = None
    receipt: Receipt | None = None


Answering = Callable[[], Iterator[Step]]
"""Begins an answer; called once, in a thread."""


def from_model(runtime: Runtime, model: str, generation: Generation) -> Iterator[Step]:
    """A plain completion by a model on this device."""
    for piece in runtime.complete(generation, model=model):
        yield _step(piece)


def from_pipeline(runtime: Runtime, request: Request, confirmed: str | None) -> Iterator[Step]:
    """Routing, documents, citations, gate and receipt.

    `confirmed` is the digest of the call of a tool that a person has agreed to.
    """
    assent = Assent(None, confirmed, hold=False)
    request = replace(request, confirm=assent.confirm)
    if request.grammar is not None:
        yield from _in_form(runtime.ask(request), assent)
        return
    for event in runtime.stream(request):
        match event:
            case TextReleased(text):
                yield Step(text)
            case TierFailed():
                yield Step(void=True)
            case Finished(reply):
                yield _finished(reply, assent)


def _in_form(reply: Reply, assent: Assent) -> Iterator[Step]:
    """An answer in a form, whole; fixed words in its place are a refusal."""
    last = _finished(reply, assent)
    if reply.verdict is Verdict.WITHHELD:
        yield replace(last, refusal=reply.text)
        return
    yield Step(reply.text)
    yield last


def _step(piece: Piece) -> Step:
    usage = _usage(piece.usage) if piece.usage is not None else None
    return Step(piece.text, tokens=piece.tokens, top=piece.top, finish=piece.finish, usage=usage)


def _usage(usage: Usage) -> TokenUsage:
    return TokenUsage(usage.prompt_tokens, usage.cached_tokens, usage.completion_tokens)


def _finished(reply: Reply, assent: Assent) -> Step:
    asked = assent.asked()
    wanted = {"confirmation": asked[0]["confirmation"]} if asked else {}
    return Step(
        finish=reply.finish,
        usage=usage_in(reply.receipt),
        extra={"skerry": skerry_fields(reply) | wanted},
        receipt=reply.receipt,
    )


def usage_in(receipt: Receipt) -> TokenUsage | None:
    """The tokens of an answer: none at all without a model, None of a cloud that did not count."""
    return receipt.usage or (None if receipt.egress else NO_USAGE)


def skerry_fields(reply: Reply) -> dict[str, Any]:
    """The extension object `skerry` of an answer by the pipeline."""
    receipt = reply.receipt
    return {
        "route": route_fields(receipt.route),
        "answered_by": receipt.answered_by,
        "citations": [citation_fields(one) for one in reply.citations],
        "verdict": reply.verdict,
        "unfounded": reply.unfounded,
        "answer_confidence": receipt.answer_confidence,
        "doubtful": reply.doubtful,
        "receipt": receipt.id,
    }


@dataclass(frozen=True, slots=True)
class Whole:
    """An answer that was read to its end; fields as in `Step`."""

    text: str
    tokens: tuple[TokenLogprob, ...]
    top: tuple[Sequence[TokenLogprob], ...]
    last: Step

    @property
    def cancelled(self) -> bool:
        return self.last.finish == FinishReason.CANCELLED

    @property
    def cut_off(self) -> bool:
        return self.last.finish == FinishReason.LENGTH


def whole(steps: Sequence[Step]) -> Whole:
    """Puts the steps of one answer together; the last one has `finish`."""
    start = max((index for index, step in enumerate(steps) if step.void), default=0)
    kept = steps[start:]
    return Whole(
        "".join(step.text for step in kept),
        tuple(token for step in kept for token in step.tokens),
        tuple(top for step in kept for top in step.top),
        steps[-1],
    )
