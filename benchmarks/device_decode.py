"""Decoding through the engine beside a raw loop over llama.cpp's C API, in turns.

The raw loop is the least that a Python program can do for a token: sample, fill a batch of one,
decode. The engine does the same on its worker thread, with text, stop strings, statistics and a
queue between threads. The prompt is prefilled before the clock starts. Each has a process of its
own, which sleeps while the other decodes: two teams of OpenMP threads in one process give up
waiting in a loop as soon as they are more than the cores, and both then run at half speed.
"""

from __future__ import annotations

import ctypes
import multiprocessing
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Protocol

import llama_cpp

from benchmarks.contract import Figure, Options
from skerry.edge.engines.base import EngineOptions, Generation
from skerry.edge.engines.llama import load_llama

TARGET = 0.97
CONTEXT_TOKENS = 1024
TOKENS = 64
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
    starts, rounds = (2, 6) if options.quick else (6, 25)
    rates = compare(model, threads=threads, starts=starts, rounds=rounds)
    engine, raw = statistics.median(rates.engine), statistics.median(rates.raw)
    note = (
        f"engine {engine:.1f}, raw loop {raw:.1f} tokens/s, {threads} threads, "
        f"{rounds} rounds in each of {starts} pairs of processes"
    )
    return {
        "decode_ratio": Figure(
            rates.ratio, "x", "higher", TARGET, peers={"raw llama.cpp loop": 1.0}, note=note
        )
    }


def compare(model: Path, *, threads: int, starts: int, rounds: int) -> Rates:
    """Both in turns, `rounds` times in each of `starts` pairs of processes.

    New processes, because where memory happens to lie changes the speed of a whole process by
    some hundredths.
    """
    pairs = [pair for _ in range(starts) for pair in _in_turns(model, threads, rounds)]
    return Rates(tuple(pair[0] for pair in pairs), tuple(pair[1] for pair in pairs))


def _in_turns(model: Path, threads: int, rounds: int) -> list[tuple[float, float]]:
    """Rates of engine and raw loop, after two rounds to warm up; each is first every other time."""
    pairs = []
    with _process(EngineLoop, model, threads) as engine, _process(RawLoop, model, threads) as raw:
        for turn in range(rounds + 2):
            order = (engine, raw) if turn % 2 else (raw, engine)
            rates = {id(one): _ask(one) for one in order}
            pairs.append((rates[id(engine)], rates[id(raw)]))
    return pairs[2:]


class Loop(Protocol):
    """Something that decodes; made of a model's path and a number of threads."""

    def __init__(self, model: Path, threads: int) -> None: ...

    def rate(self) -> float:
        """Tokens per second after the first, for an answer of TOKENS to PROMPT."""
        ...


@contextmanager
def _process(kind: type[Loop], model: Path, threads: int) -> Iterator[Connection]:
    """A new process with a loop in it, at the other end of the connection."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(kind, model, threads, theirs))
    process.start()
    theirs.close()
    try:
        yield ours
    finally:
        ours.close()
        process.join()


def _serve(kind: type[Loop], model: Path, threads: int, asked: Connection) -> None:
    """Measures as often as it is asked, until the other end is closed."""
    loop = kind(model, threads)
    while True:
        try:
            asked.recv()
        except EOFError:
            return
        asked.send(loop.rate())


def _ask(process: Connection) -> float:
    process.send(None)
    rate: float = process.recv()
    return rate


class EngineLoop:
    """The engine, as the reader of its stream sees it."""

    def __init__(self, model: Path, threads: int) -> None:
        self._engine = load_llama(
            model, EngineOptions(context_tokens=CONTEXT_TOKENS, threads=threads)
        )
        self._prompt = self._engine.tokenize(PROMPT)

    def rate(self) -> float:
        pieces = self._engine.generate(Generation(prompt=self._prompt, max_tokens=TOKENS))
        next(pieces)
        began = time.perf_counter()
        last = list(pieces)[-1]
        seconds = time.perf_counter() - began
        if last.usage is None:
            raise RuntimeError("a stream ended without usage")
        return (last.usage.completion_tokens - 1) / seconds


@llama_cpp.llama_log_callback  # type: ignore[untyped-decorator]  # a ctypes prototype
def _unheard(_level: int, _text: bytes, _data: object) -> None:
    """llama.cpp's log goes nowhere."""


class RawLoop:
    """The same model decoded greedily by the C functions alone."""

    def __init__(self, model: Path, threads: int) -> None:
        llama_cpp.llama_log_set(_unheard, ctypes.c_void_p(0))
        self._model = llama_cpp.llama_model_load_from_file(
            str(model).encode(), llama_cpp.llama_model_default_params()
        )
        params = llama_cpp.llama_context_default_params()
        params.n_ctx = CONTEXT_TOKENS
        params.n_threads = params.n_threads_batch = threads
        params.no_perf = True
        self._context = llama_cpp.llama_init_from_model(self._model, params)
        self._sampler = llama_cpp.llama_sampler_init_greedy()
        self._prompt = self._tokenize(PROMPT)

    def rate(self) -> float:
        memory = llama_cpp.llama_get_memory(self._context)
        llama_cpp.llama_memory_clear(memory, True)
        self._decode(self._prompt)
        one = (ctypes.c_int32 * 1)(self._sample())
        began = time.perf_counter()
        for _ in range(TOKENS - 1):
            self._decode(one)
            one[0] = self._sample()
        return (TOKENS - 1) / (time.perf_counter() - began)

    def _tokenize(self, text: str) -> ctypes.Array[ctypes.c_int32]:
        vocab, raw = llama_cpp.llama_model_get_vocab(self._model), text.encode()
        room = (ctypes.c_int32 * (len(raw) + 2))()
        count = llama_cpp.llama_tokenize(vocab, raw, len(raw), room, len(room), True, True)
        return (ctypes.c_int32 * count)(*room[:count])

    def _sample(self) -> int:
        token: int = llama_cpp.llama_sampler_sample(self._sampler, self._context, -1)
        return token

    def _decode(self, tokens: ctypes.Array[ctypes.c_int32]) -> None:
        if llama_cpp.llama_decode(
            self._context, llama_cpp.llama_batch_get_one(tokens, len(tokens))
        ):
            raise RuntimeError("llama_decode failed")
