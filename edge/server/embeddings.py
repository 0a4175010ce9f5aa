"""POST /v1/embeddings: unit vectors of the encoder that the router and the index use too."""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterator
from functools import partial
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Depends
from fastapi import Request as HttpRequest

from skerry.edge.aio import iterate_in_thread
from skerry.edge.encoder import TextEncoder, Vectors
from skerry.edge.server import models
from skerry.edge.server.errors import ApiError, bad
from skerry.edge.server.service import Service, cancelled_with, service_of
from skerry.edge.server.sse import Json
from skerry.edge.server.wire.embeddings import EmbeddingRequest

router = APIRouter()
_BATCH = 32  # texts between two looks at whether the client is still there


@router.post("/v1/embeddings")
async def embed(
    body: EmbeddingRequest, http: HttpRequest, service: Annotated[Service, Depends(service_of)]
) -> Json:
    _check(service, body)
    cancel = threading.Event()
    encode = partial(_encode, service.runtime.parts.encoder, body.input, cancel)
    with service.admission.place(cancel):
        async with cancelled_with(http.receive, cancel):
            batches = [batch async for batch in iterate_in_thread(encode, cancel)]
    vectors = np.concatenate([vectors for vectors, _ in batches])
    tokens = sum(count for _, count in batches)
    service.metrics.prompt_tokens.inc(tokens)
    return Json(_body(body, vectors, tokens))


def _check(service: Service, body: EmbeddingRequest) -> None:
    target = models.find(service.runtime, body.model)
    if target.kind is not models.Kind.EMBEDDING:
        raise ApiError(
            400,
            f"'{target.name}' makes no embeddings; use '{models.EMBEDDING}'.",
            code="unsupported_value",
            param="model",
        )
    own = service.runtime.parts.encoder.dimensions
    if body.dimensions not in (None, own):
        raise bad(f"these embeddings have {own} dimensions, no other number.", "dimensions")


def _encode(
    encoder: TextEncoder, texts: list[str], cancel: threading.Event
) -> Iterator[tuple[Vectors, int]]:
    """Batches of vectors with the tokens that they took.

    Raises:
        ApiError: a text is longer than the encoder reads.
    """
    for start in range(0, len(texts), _BATCH):
        if cancel.is_set():
            break
        batch = texts[start : start + _BATCH]
        counts = [encoder.count_tokens(text) for text in batch]
        if max(counts) > encoder.max_tokens:
            raise _too_long(start + counts.index(max(counts)), max(counts), encoder.max_tokens)
        yield encoder.encode(batch), sum(counts)


def _too_long(index: int, tokens: int, most: int) -> ApiError:
    return bad(
        f"text {index} has {tokens} tokens; the encoder reads {most}. Cut it into pieces.",
        "input",
        "context_length_exceeded",
    )


def _body(body: EmbeddingRequest, vectors: Vectors, tokens: int) -> dict[str, Any]:
    packed = body.encoding_format == "base64"
    data = [
        {
            "object": "embedding",
            "index": index,
            "embedding": _as_base64(vector) if packed else vector.tolist(),
        }
        for index, vector in enumerate(vectors)
    ]
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return {"object": "list", "data": data, "model": body.model, "usage": usage}


def _as_base64(vector: Vectors) -> str:
    """Little-endian float32, as OpenAI's clients read it."""
    return base64.b64encode(vector.astype("<f4").tobytes()).decode()
