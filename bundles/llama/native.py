"""Handles on llama.cpp's model and adapters, and its log.

Everything here is a thin layer over the C functions of `llama_cpp`; NULL becomes an exception
with llama.cpp's own last words. Importing this module loads the shared library.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import llama_cpp

from skerry.bundles.gguf.container import read_gguf
from skerry.bundles.gguf.errors import GgufError
from skerry.bundles.llama.errors import AdapterRefused, LlamaRefused
from skerry.bundles.llama.interrupts import interrupts_wait

Handle = int
"""Address of an object of llama.cpp's."""

_WARN, _ERROR = 3, 4  # enum ggml_log_level (ggml.h)
_KEPT_LINES = 4

_heard = threading.local()


@llama_cpp.llama_log_callback  # type: ignore[untyped-decorator]  # a ctypes prototype
def _on_log(level: int, text: bytes, _data: object) -> None:
    """llama.cpp logs on the thread that called it: its complaints go to that call's error."""
    if level in {_WARN, _ERROR} and hasattr(_heard, "lines"):
        _heard.lines.append(text.decode("utf-8", "replace").strip())


llama_cpp.llama_log_set(_on_log, ctypes.c_void_p(0))
llama_cpp.llama_backend_init()


@contextmanager
def listening() -> Iterator[Callable[[], str]]:
    """Collects what llama.cpp complains of on this thread; gives a function that tells it."""
    _heard.lines = []
    try:
        with interrupts_wait():
            yield lambda: "; ".join(_heard.lines[-_KEPT_LINES:]) or "llama.cpp gave no reason"
    finally:
        del _heard.lines


def holding_gil(function: Any, result: Any, *arguments: Any) -> Any:
    """The same C function, called without giving up the GIL.

    A call of well under a microsecond is cheaper so, and the thread does not have to
    queue for the GIL afterwards.
    """
    address = ctypes.cast(function, ctypes.c_void_p).value or 0
    return ctypes.PYFUNCTYPE(result, *arguments)(address)


class Model:
    """A loaded model: `handle` for contexts, `vocab` for tokenising.

    Args:
        gpu_layers: 0 is all that a GPU can take, where there is one.
        vocabulary_only: load no weights; of any kind of model.

    Raises:
        LlamaRefused: llama.cpp refuses the file, or it is not for generating text.
    """

    def __init__(self, path: Path, *, gpu_layers: int = 0, vocabulary_only: bool = False) -> None:
        params = llama_cpp.llama_model_default_params()
        params.n_gpu_layers = gpu_layers or (-1 if llama_cpp.llama_supports_gpu_offload() else 0)
        params.vocab_only = vocabulary_only
        with listening() as complaint:
            handle = llama_cpp.llama_model_load_from_file(_encoded(path), params)
            if not handle:
                raise LlamaRefused(
                    f"llama.cpp cannot load {path}: {complaint()}",
                    hint="use a model of an architecture that this llama.cpp knows, undamaged",
                )
        self.handle: Handle = handle
        self.vocab: Handle = llama_cpp.llama_model_get_vocab(handle)
        if not vocabulary_only and not _generates(handle):
            self.close()
            raise LlamaRefused(
                f"{path} is not a model that generates text from text",
                hint="encoders and encoder-decoders cannot answer; give a decoder model",
            )

    def close(self) -> None:
        """Frees the model and its adapters; contexts must be freed before. May be called twice."""
        if self.handle:
            llama_cpp.llama_model_free(self.handle)
        self.handle = 0


class Adapter:
    """A LoRA adapter loaded for a model; freed with the model.

    Raises:
        AdapterRefused: no such file, not an adapter, or made for another model.
    """

    def __init__(self, model: Model, name: str, path: Path) -> None:
        _check_adapter(name, path)
        with listening() as complaint:
            handle = llama_cpp.llama_adapter_lora_init(model.handle, _encoded(path))
            if not handle:
                raise AdapterRefused(
                    f"the adapter '{name}' ({path}) does not fit the model: {complaint()}",
                    hint="use an adapter that was trained on this model and converted to GGUF",
                )
        self.name = name
        self.handle: Any = handle


def _check_adapter(name: str, path: Path) -> None:
    try:
        kind = read_gguf(path).metadata.get("general.type")
    except GgufError as error:
        raise AdapterRefused(f"the adapter '{name}': {error.what}", hint=error.hint) from error
    if kind != "adapter":
        raise AdapterRefused(
            f"{path}, named as the adapter '{name}', is not a LoRA adapter",
            hint="convert the adapter with llama.cpp's convert_lora_to_gguf.py",
        )


def _generates(model: Handle) -> bool:
    return (
        llama_cpp.llama_model_has_decoder(model)
        and not llama_cpp.llama_model_has_encoder(model)
        and not llama_cpp.llama_model_is_diffusion(model)
    )


def _encoded(path: Path) -> bytes:
    return str(path).encode("utf-8")
