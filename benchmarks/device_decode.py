"""Decoding through the engine beside a raw loop over llama.cpp's C API, in turns in one process.

The raw loop is the least that a Python program can do for a token: sample, fill a batch of one,
decode. The engine does the same on its worker thread, with text, stop strings, statistics and a
queue between threads. The prompt is prefilled before the clock starts.
"""

from __future__ import annotations

import ctypes
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import llama_cpp

from benchmarks.contract import Figure, Options
from skerry.edge.engines.base import EngineOptions, Generation
from skerry.edge.engines.llama import load_llama
from skerry.edge.engines.llama.engine import LlamaEngine

TARGET = 0.97
CONTEXT_TOKENS = 1024
PROMPT = "Once upon a time, in a small town by the sea, there was a lighthouse keeper who"


@dataclass(frozen=True)
class Rates:
    """Tokens per second of each round, in pairs."""

    engine: tuple[float, ...]
    raw: tuple[float, ...]

    @property
    def ratio(self) -> float:
        """Median over rounds of engine over raw: what disturbs the machine disturbs a pair."""
        return statistics.median(e / r for e, r in zip(self.engine, self.raw, strict=True))


def measure(options: Options, *, model: Path, threads: int = 1) -> dict[str, Figure]:
    """`decode_ratio`: tokens per second of the engine over those of the raw loop, one stream."""
    tokens, rounds = (48, 5) if options.quick else (128, 15)
    rates = compare(model, threads=threads, tokens=tokens, rounds=rounds)
    engine, raw = statistics.median(rates.engine), statistics.median(rates.raw)
    note = f"engine {engine:.1f}, raw loop {raw:.1f} tokens/s, {threads} threads, {rounds} rounds"
    return {
        "decode_ratio": Figure(
            rates.ratio, "x", "higher", TARGET, peers={"raw llama.cpp loop": 1.0}, note=note
        )
    }


def compare(model: Path, *, threads: int, tokens: int, rounds: int) -> Rates:
    """Runs engine and raw loop in turns, `rounds` times after one to warm up."""
    shape = EngineOptions(context_tokens=CONTEXT_TOKENS, threads=threads)
    engine = load_llama(model, shape)
    raw = RawLoop(model, threads=threads)
    try:
        ids = engine.tokenize(PROMPT)
        pairs = [
            _pair(lambda: engine_rate(engine, ids, tokens), lambda: raw.rate(ids, tokens), turn)
            for turn in range(rounds + 1)
        ][1:]
    finally:
        raw.close()
        engine.close()
    return Rates(tuple(pair[0] for pair in pairs), tuple(pair[1] for pair in pairs))


def _pair(one: Callable[[], float], two: Callable[[], float], turn: int) -> tuple[float, float]:
    """Each goes first every other time."""
    if turn % 2:
        second = two()
        return one(), second
    return one(), two()


def engine_rate(engine: LlamaEngine, prompt: list[int], tokens: int) -> float:
    """Tokens per second after the first token, as the reader of the stream sees it."""
    pieces = engine.generate(Generation(prompt=prompt, max_tokens=tokens))
    next(pieces)
    began = time.perf_counter()
    last = list(pieces)[-1]
    seconds = time.perf_counter() - began
    if last.usage is None:
        raise RuntimeError("a stream ended without usage")
    return (last.usage.completion_tokens - 1) / seconds


class RawLoop:
    """The same model in a context of its own, decoded greedily by the C functions alone."""

    def __init__(self, model: Path, *, threads: int) -> None:
        self._model = llama_cpp.llama_model_load_from_file(
            str(model).encode(), llama_cpp.llama_model_default_params()
        )
        params = llama_cpp.llama_context_default_params()
        params.n_ctx = CONTEXT_TOKENS
        params.n_threads = params.n_threads_batch = threads
        params.no_perf = True
        self._context = llama_cpp.llama_init_from_model(self._model, params)
        self._sampler = llama_cpp.llama_sampler_init_greedy()

    def rate(self, prompt: list[int], tokens: int) -> float:
        """Tokens per second after the first."""
        memory = llama_cpp.llama_get_memory(self._context)
        llama_cpp.llama_memory_clear(memory, True)
        self._decode((ctypes.c_int32 * len(prompt))(*prompt))
        one = (ctypes.c_int32 * 1)(self._sample())
        began = time.perf_counter()
        for _ in range(tokens - 1):
            self._decode(one)
            one[0] = self._sample()
        return (tokens - 1) / (time.perf_counter() - began)

    def close(self) -> None:
        llama_cpp.llama_sampler_free(self._sampler)
        llama_cpp.llama_free(self._context)
        llama_cpp.llama_model_free(self._model)

    def _sample(self) -> int:
        token: int = llama_cpp.llama_sampler_sample(self._sampler, self._context, -1)
        return token

    def _decode(self, tokens: ctypes.Array[ctypes.c_int32]) -> None:
        if llama_cpp.llama_decode(
            self._context, llama_cpp.llama_batch_get_one(tokens, len(tokens))
        ):
            raise RuntimeError("llama_decode failed")
