"""Assembles what a tier answers: the prompt, how it is generated, and who judges it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from skerry.edge import tiers
from skerry.edge.again import Again
from skerry.edge.engines.base import Generation
from skerry.edge.followup import Asked
from skerry.edge.prompt import Prompt, PromptBudget, assemble
from skerry.edge.quoting import Reading
from skerry.edge.request import Request
from skerry.edge.smalltalk import Talk, told
from skerry.edge.terminal import visible_line
from skerry.edge.tiers import Work
from skerry.edge.tools.asking import is_order
from skerry.edge.types import Classification, RequestClass, Route, Tier
from skerry.edge.understanding import ASKED_OF_PEOPLE, IN_DOCUMENTS
from skerry.guardrails.findings import FindingKind, Where
from skerry.guardrails.judging import Judge
from skerry.guardrails.outgoing import OutputScreen
from skerry.guardrails.screen import screen

if TYPE_CHECKING:
    from skerry.edge.encoder.base import Vectors
    from skerry.edge.index.types import Hit
    from skerry.edge.parts import Parts
    from skerry.edge.policy import Policy, PolicyInput

_GIVEN_WORDS = 40  # a longer request, or one of several lines, brings the text to extract from
_SURE = 0.93  # no harmless text of the development lists reaches it
_FORGED = "forged_source"


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision, what it was made on and by, and what the next steps need of it.

    `encoder` is the encoder's id. `asked` is what was searched for, and `vector` its vector.
    `talk`: the request is small talk.
    """

    given: PolicyInput
    policy: Policy
    encoder: str
    route: Route
    hits: list[Hit]
    asked: Asked
    vector: Vectors
    talk: Talk | None = None


def asks_documents(seen: Classification, question: str) -> Classification:
    """The router's opinion; an extraction that brings no text of its own asks the documents."""
    if seen.request_class is not RequestClass.EXTRACTION or gives_text(question):
        return seen
    return replace(seen, request_class=RequestClass.QUESTION)


def work_on(request: Request, decided: Decided, parts: Parts) -> Work:
    """A request that was decided on, ready to be answered."""
    route = decided.route
    max_tokens = request.max_tokens or parts.settings.max_tokens
    budget = PromptBudget.of(parts.context_tokens, max_tokens)
    prompt = assemble(
        decided.asked.question if decided.asked.again else request.question,
        () if route.tier is Tier.REFUSE else decided.hits,
        parts.history(request, budget.history),
        budget=budget,
        count_tokens=parts.encoder.count_tokens,
        longest_chunk=parts.encoder.max_tokens,
        instructions=request.instructions,
        prompts=parts.prompts,
    )
    generation = Generation(
        messages=prompt.messages,
        max_tokens=max_tokens,
        sampling=request.sampling or parts.sampling,
        stop=request.stop,
        grammar=request.grammar,
        adapter=request.adapter,
        session=request.session,
        cancel=request.cancel,
    )
    grounded = _grounded(request, decided, prompt.sources)
    return Work(
        request,
        route,
        prompt,
        generation,
        grounded,
        _judge(decided, parts, prompt),
        parts.surrogates(request),
        toolbox=parts.toolbox(request),
        gives_orders=_gives_orders(request, decided),
        own_words=_own_words(request, decided, parts),
        screen=_output_screen(decided, parts, prompt),
        self_harm=_self_harm(decided),
        networks=parts.networks,
        quotes_again=decided.asked.again in (Again.SHORTER, Again.SOURCE),
    )


def _self_harm(decided: Decided) -> bool:
    """Whether the question has signs that somebody may harm themselves."""
    from skerry.edge.policy.request import shows_danger

    return any(
        one.label == "self_harm" and shows_danger(one, decided.policy.safety)
        for one in decided.given.findings
    )


def _output_screen(decided: Decided, parts: Parts, prompt: Prompt) -> OutputScreen:
    """What a model may not write, unless it quotes a source."""
    quotable = [one.chunk.text for one in prompt.sources]
    return OutputScreen(decided.policy.safety.answer.counted, quotable, parts.networks)


def _own_words(request: Request, decided: Decided, parts: Parts) -> str:
    """What is said to small talk; empty for any other request.

    A document that not everybody may read is counted and not named: the words may be kept with a
    session. One whose title reads as an order is not named either.
    """
    from skerry.edge.tools.documents import NAME as LOOK_UP

    if decided.talk is None:
        return ""
    documents = parts.documents(request)
    open_to_all = (visible_line(one.title) for one in documents if not one.labels)
    tools = [tool.description for tool in parts.toolbox(request).tools if tool.name != LOOK_UP]
    return told(
        decided.talk,
        titles=[title for title in dict.fromkeys(open_to_all) if not screen(title)],
        documents=len(documents),
        tools=tools,
    )


def _judge(decided: Decided, parts: Parts, prompt: Prompt) -> Judge:
    evidence = tiers.evidence_of(prompt)
    chunks = {one.mark: one.chunk for one in prompt.sources}
    reader = Reading(
        decided.asked,
        decided.vector,
        evidence,
        parts.encoder,
        lambda mark: parts.beside(chunks[mark]),
        doubted=_is_doubted(decided),
    )
    return Judge(
        decided.asked.text,
        evidence,
        decided.policy.gate.rules,
        reader=reader,
        checker=lambda: parts.grounding,
    )


def _is_doubted(decided: Decided) -> bool:
    """Whether the documents may not be what is asked, for all that the router makes of it."""
    by_router = decided.given.classification.request_class
    if by_router is RequestClass.TOOL and is_order(decided.asked.matter):
        return True
    return decided.given.classification.rules_of in (IN_DOCUMENTS, ASKED_OF_PEOPLE)


def _grounded(request: Request, decided: Decided, sources: Sequence[object]) -> bool:
    """Whether every sentence must be in the sources: not for structured output or given text.

    A given text that passes for a source is none.
    """
    extracts = (
        decided.route.request_class is RequestClass.EXTRACTION
        and gives_text(request.question)
        and not any(
            one.label == _FORGED and one.where is Where.INPUT for one in decided.given.findings
        )
    )
    return bool(sources) and request.grammar is None and not extracts


def _gives_orders(request: Request, decided: Decided) -> bool:
    """Whether the question itself tries to give orders to the model; not a text that it brings.

    The small network must be surer of it than for keeping tools away: to decline "Say it again in
    other words" would be worse than to let a model that can do nothing answer an order.
    """
    score = decided.policy.injection.score
    return not gives_text(request.question) and any(
        finding.kind is FindingKind.INJECTION
        and finding.where is Where.INPUT
        and finding.score >= (_SURE if finding.rule.startswith("network:") else score)
        for finding in decided.given.findings
    )


def gives_text(question: str) -> bool:
    """Whether the request brings a text of its own to work on."""
    return "\n" in question.strip() or len(question.split()) > _GIVEN_WORDS
