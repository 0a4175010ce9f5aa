"""Model files as the runtime reads them: `skerry.bundles.gguf`, with the runtime's errors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from skerry.bundles.gguf import container, draft_tokens, header
from skerry.bundles.gguf.errors import GgufError, GgufInvalid, GgufNotFound
from skerry.edge.errors import ModelError, ModelInvalid, ModelNotFound


def read_gguf(path: Path) -> container.Gguf:
    """See `skerry.bundles.gguf.container.read_gguf`.

    Raises:
        ModelNotFound, ModelInvalid, ModelError: as there.
    """
    with _of_the_runtime():
        return container.read_gguf(path)


def read_header(path: Path) -> header.GgufHeader:
    """See `skerry.bundles.gguf.header.read_header`. Raises as `read_gguf`."""
    with _of_the_runtime():
        return header.read_header(path)


def check_model(found: header.GgufHeader) -> None:
    """See `skerry.bundles.gguf.header.check_model`. Raises ModelInvalid."""
    with _of_the_runtime():
        header.check_model(found)


def read_draft_tokens(facts: Mapping[str, object], size: int) -> draft_tokens.DraftTokens | None:
    """See `skerry.bundles.gguf.draft_tokens.draft_tokens`. Raises ModelInvalid."""
    with _of_the_runtime():
        return draft_tokens.draft_tokens(facts, size)


@contextmanager
def _of_the_runtime() -> Iterator[None]:
    try:
        yield
    except GgufNotFound as error:
        raise ModelNotFound(error.what, hint=error.hint) from error
    except GgufInvalid as error:
        raise ModelInvalid(error.what, hint=error.hint) from error
    except GgufError as error:
        raise ModelError(error.what, hint=error.hint) from error
