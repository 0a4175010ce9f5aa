"""The body of POST /v1/embeddings (https://platform.openai.com/docs/api-reference/embeddings)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from skerry.edge.server.wire.fields import Label, Wire


def _texts(value: Any) -> Any:
    """One text as a list of one.

    Raises:
        ValueError: there are token ids, which mean nothing to the encoder here.
    """
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise ValueError("a text or a list of texts is needed; token ids are not supported")
    return texts


Text = Annotated[str, Field(min_length=1)]


class EmbeddingRequest(Wire):
    model: Label
    input: Annotated[list[Text], BeforeValidator(_texts), Field(min_length=1, max_length=2048)]
    encoding_format: Literal["float", "base64"] | None = None
    dimensions: int | None = None
    user: str | None = None
