"""Turns a checked request into something that answers it."""

from __future__ import annotations

import threading
from functools import partial

from skerry.edge.engines.base import Generation
from skerry.edge.request import Request
from skerry.edge.runtime import Runtime
from skerry.edge.server import models, structured, tools
from skerry.edge.server.answers import Answering, from_model, from_pipeline
from skerry.edge.server.choices import of_choice
from skerry.edge.server.errors import bad
from skerry.edge.server.wire.chat import ChatMessage, ChatRequest


def chat(
    runtime: Runtime,
    body: ChatRequest,
    cancel: threading.Event,
    labels: frozenset[str] | None = None,
) -> list[Answering]:
    """How each choice of a chat request will be answered.

    Args:
        labels: the access labels of what the earlier messages were made from; None where nobody
            knows, as of a history that the client keeps.

    Raises:
        ApiError: the model does not exist, or cannot do what is asked.
        GrammarError: the grammar or schema cannot be used.
    """
    target = models.find_generating(runtime, body.model)
    if target.kind is models.Kind.PIPELINE:
        request = pipeline_request(runtime, body, cancel, labels)
        return [partial(from_pipeline, runtime, request, body.skerry.confirmed_call)]
    generate = partial(from_model, runtime, target.key)
    wanted = generation(runtime, body, cancel)
    return [_choice(generate, of_choice(wanted, one), body) for one in range(body.n or 1)]


def _choice(generate: structured.Generate, wanted: Generation, body: ChatRequest) -> Answering:
    if body.tools and body.tool_choice != "none":
        return tools.answering(generate, wanted, body)
    if body.schema_wanted is not None:
        return structured.answering(generate, wanted, body.schema_wanted)
    return partial(generate, wanted)


def generation(runtime: Runtime, body: ChatRequest, cancel: threading.Event) -> Generation:
    return Generation(
        messages=[message.message() for message in body.messages],
        max_tokens=body.limit or runtime.parts.settings.max_tokens,
        sampling=body.sampling(runtime.parts.sampling),
        stop=body.stop or (),
        grammar=_grammar(body),
        top_logprobs=body.top,
        adapter=body.adapter,
        session=body.prompt_cache_key and f"client:{body.prompt_cache_key}",
        cancel=cancel,
    )


def pipeline_request(
    runtime: Runtime,
    body: ChatRequest,
    cancel: threading.Event,
    labels: frozenset[str] | None = None,
) -> Request:
    """The last message is the question; system messages are instructions; the rest is history."""
    _check_pipeline(body)
    *earlier, last = body.messages
    if last.role != "user":
        raise bad("the last message must be the user's.", "messages")
    extra = body.skerry
    return Request(
        last.content or "",
        session=extra.session,
        history=[one.message() for one in earlier if one.role in {"user", "assistant"}],
        history_labels=labels,
        instructions="\n\n".join(_instructions(earlier)),
        adapter=body.adapter,
        consent=extra.consent,
        offline=extra.offline,
        domain=extra.domain,
        as_of=extra.as_of,
        max_tokens=body.limit,
        sampling=body.sampling(runtime.parts.sampling),
        stop=body.stop or (),
        grammar=_grammar(body),
        cancel=cancel,
    )


def _check_pipeline(body: ChatRequest) -> None:
    if body.tools and body.tool_choice != "none":
        raise bad("'skerry' calls no tools; name a local model for that.", "tools")
    if body.logprobs:
        raise bad("'skerry' has no logprobs; name a local model for that.", "logprobs")
    if (body.n or 1) > 1:
        raise bad("'skerry' gives one answer with one receipt; name a local model for more.", "n")


def _instructions(messages: list[ChatMessage]) -> list[str]:
    return [one.content or "" for one in messages if one.role in {"system", "developer"}]


def _grammar(body: ChatRequest) -> str | None:
    """The grammar of a request that only asks for a shape; tools and retries come on top."""
    if body.schema_wanted is not None:
        return structured.grammar_of(body.schema_wanted)
    return structured.grammar_of(structured.ANY_OBJECT) if body.json_wanted else body.grammar
