"""`skerry.bundles.llama` with the runtime's errors. Importing this module loads llama.cpp."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

from skerry.bundles.llama import context, native, vocab
from skerry.bundles.llama.context import ContextShape
from skerry.bundles.llama.errors import (
    AdapterRefused,
    LlamaError,
    LlamaRefused,
    OptionRefused,
    TokenRefused,
)
from skerry.cloud.hints.vocabulary import digest
from skerry.edge.errors import (
    AdapterError,
    ConfigError,
    EdgeError,
    InputError,
    ModelError,
    ModelInvalid,
)

_OF_THE_RUNTIME: dict[type[LlamaError], type[EdgeError]] = {
    AdapterRefused: AdapterError,
    LlamaRefused: ModelInvalid,
    OptionRefused: ConfigError,
    TokenRefused: InputError,
}


@contextmanager
def _of_the_runtime() -> Iterator[None]:
    try:
        yield
    except LlamaError as error:
        raise _translated(error) from error


def _translated(error: LlamaError) -> EdgeError:
    return _OF_THE_RUNTIME.get(type(error), ModelError)(error.what, hint=error.hint)


class NativeModel(native.Model):
    """See `skerry.bundles.llama.native.Model`; raises ModelInvalid."""

    def __init__(self, path: Path, *, gpu_layers: int) -> None:
        with _of_the_runtime():
            super().__init__(path, gpu_layers=gpu_layers)


class NativeAdapter(native.Adapter):
    """See `skerry.bundles.llama.native.Adapter`; raises AdapterError."""

    def __init__(self, model: NativeModel, name: str, path: Path) -> None:
        with _of_the_runtime():
            super().__init__(model, name, path)


class NativeContext(context.Context):
    """See `skerry.bundles.llama.context.Context`; raises ConfigError and ModelError."""

    def __init__(self, model: NativeModel, shape: ContextShape) -> None:
        with _of_the_runtime():
            super().__init__(model, shape)

    def use_adapter(self, adapter: native.Adapter | None) -> None:
        """As there; raises ModelError."""
        try:  # before every step: no block for it
            super().use_adapter(adapter)
        except LlamaError as error:
            raise _translated(error) from error


class Vocabulary(vocab.Vocabulary):
    """See `skerry.bundles.llama.vocab.Vocabulary`; raises InputError."""

    @cached_property
    def digest(self) -> bytes:
        """`skerry.cloud.hints.vocabulary.digest` of all tokens."""
        return digest(self.texts())

    def _check(self, token: int) -> None:
        if not 0 <= token < self.size:  # nearly always there: no block for it
            with _of_the_runtime():
                super()._check(token)


def kv_type_number(name: str) -> int:
    """See `skerry.bundles.llama.context.kv_type_number`; raises ConfigError."""
    with _of_the_runtime():
        return context.kv_type_number(name)
