"""Loads a GGUF model: checks the file, chooses sizes, and only then wakes llama.cpp."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from skerry.bundles.gguf.header import GgufHeader
from skerry.bundles.llama.cores import usable_cores
from skerry.bundles.llama.openmp import wait_briefly
from skerry.edge.engines.base import EngineOptions
from skerry.edge.engines.digest import FileDigest
from skerry.edge.engines.llama.files import check_model, read_header
from skerry.edge.errors import ConfigError

if TYPE_CHECKING:
    from skerry.bundles.llama.context import ContextShape
    from skerry.edge.engines.llama.engine import LlamaEngine

DEFAULT_CONTEXT_TOKENS = 4096
DEFAULT_BATCH_TOKENS = 256
"""Larger batches are no faster on a CPU, and a cancelled prompt would stop later."""

_MAX_PARALLEL = 256
_MAX_THREADS = 512


def load_llama(
    path: Path, options: EngineOptions | None = None, *, name: str = "", cache: Path | None = None
) -> LlamaEngine:
    """An engine for the GGUF model at `path`.

    `options.context_tokens` is cut to what the model was trained for. `name` is the model's own
    by default. `cache` is the folder where the file's digest is remembered.

    Raises:
        ModelNotFound: there is no such file.
        ModelInvalid: not a GGUF model of a known architecture that generates text, or damaged.
        AdapterError: an adapter is missing or does not fit.
        ConfigError: an option cannot be used, or not with this model.
        ModelError: there is not enough memory, or the file cannot be read.
    """
    options = options or EngineOptions()
    header = read_header(path)
    check_model(header)
    wait_briefly()
    from skerry.edge.engines.llama.engine import LlamaEngine

    shape = context_shape(header, options)
    digest = FileDigest(path, cache=cache)
    try:
        return LlamaEngine(header, shape, options, digest, name=name or header.name)
    except BaseException:  # after Ctrl-C as well, nothing goes on reading the file
        digest.stop()
        raise


def context_shape(header: GgufHeader, options: EngineOptions) -> ContextShape:
    """The sizes that `options` mean for this model; ConfigError for impossible ones."""
    from skerry.bundles.llama.context import ContextShape
    from skerry.edge.engines.llama.native import kv_type_number

    kv_type_number(options.kv_type)
    parallel = _within("parallel", options.parallel, 1, _MAX_PARALLEL)
    context = _within("context_tokens", options.context_tokens, 0, 2**31 - 1)
    batch = _within("batch_tokens", options.batch_tokens, 0, 2**16)
    threads = _within("threads", options.threads, 0, _MAX_THREADS)
    return ContextShape(
        context_tokens=min(context or DEFAULT_CONTEXT_TOKENS, header.context_tokens),
        parallel=parallel,
        batch_tokens=max(batch or DEFAULT_BATCH_TOKENS, parallel),
        threads=threads or usable_cores(),
        kv_type=options.kv_type,
    )


def _within(name: str, value: int, low: int, high: int) -> int:
    if not low <= value <= high:
        raise ConfigError(f"{name} is {value}", hint=f"give a number from {low} to {high}")
    return value
