"""Chooses the next token from a row of logits, by llama.cpp's samplers.

Greedy needs no sampler. A grammar is asked about the chosen token first, and about the whole
vocabulary only when it refuses: drawing again among the legal tokens gives the same
distribution as drawing among them at once, and is many times faster.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable

import llama_cpp
import numpy as np

from skerry.bundles.llama.native import Handle, listening
from skerry.edge.engines.base import Sampling
from skerry.edge.engines.gbnf import ROOT, check_gbnf
from skerry.edge.engines.stats import Row, top_ids
from skerry.edge.errors import GrammarError

_CANDIDATE = np.dtype([("id", np.int32), ("logit", np.float32), ("p", np.float32)])
_SHORTLIST = 64


class Candidates:
    """A buffer of llama_token_data for a whole vocabulary, filled anew for every token."""

    def __init__(self, vocabulary: int) -> None:
        self._ids = np.arange(vocabulary, dtype=np.int32)
        self._data = np.empty(vocabulary, _CANDIDATE)
        pointer = self._data.ctypes.data_as(ctypes.POINTER(llama_cpp.llama_token_data))
        self._array = llama_cpp.llama_token_data_array(pointer, 0, -1, False)

    def fill(self, row: Row) -> None:
        """All tokens with their logits."""
        self._data["id"] = self._ids
        self._data["logit"] = row
        self._start(len(row))

    def fill_some(self, ids: np.ndarray[tuple[int], np.dtype[np.intp]], row: Row) -> None:
        """Only the tokens `ids`, in that order."""
        self._data["id"][: len(ids)] = ids
        self._data["logit"][: len(ids)] = row[ids]
        self._start(len(ids))

    def apply(self, sampler: Handle) -> None:
        llama_cpp.llama_sampler_apply(sampler, ctypes.byref(self._array))

    def selected(self) -> int:
        """The token that a sampler chain drew."""
        return int(self._data["id"][self._array.selected])

    def best(self) -> int | None:
        """The likeliest token that is left; None if a grammar struck out all."""
        logits = self._data["logit"][: self._array.size]
        at = int(logits.argmax())
        return int(self._data["id"][at]) if np.isfinite(logits[at]) else None

    def _start(self, size: int) -> None:
        self._array.size = size
        self._array.selected = -1
        self._array.sorted = False


class Chooser:
    """The samplers of one generation. `close` frees them."""

    def __init__(
        self, sampling: Sampling, *, seed: int, window: int, vocabulary: int, grammar: Handle = 0
    ) -> None:
        self._chain = _chain(sampling, seed, window, vocabulary)
        self._grammar = grammar

    def choose(self, row: Row, best: int, candidates: Candidates) -> int:
        """The next token; `best` is the row's likeliest.

        Raises:
            GrammarError: no token of the vocabulary continues the grammar.
        """
        token = self._free_choice(row, best, candidates)
        if self._grammar and not self._legal(token, row, candidates):
            token = self._legal_choice(row, candidates)
        return token

    def accept(self, token: int) -> None:
        """Tells the samplers of a token that went into the answer."""
        if self._chain:
            llama_cpp.llama_sampler_accept(self._chain, token)
        if self._grammar:
            llama_cpp.llama_sampler_accept(self._grammar, token)

    def close(self) -> None:
        for sampler in filter(None, (self._chain, self._grammar)):
            llama_cpp.llama_sampler_free(sampler)
        self._chain = self._grammar = 0

    def _free_choice(self, row: Row, best: int, candidates: Candidates) -> int:
        if not self._chain:
            return best
        candidates.fill(row)
        candidates.apply(self._chain)
        return candidates.selected()

    def _legal(self, token: int, row: Row, candidates: Candidates) -> bool:
        candidates.fill_some(np.array([token]), row)
        candidates.apply(self._grammar)
        return candidates.best() is not None

    def _legal_choice(self, row: Row, candidates: Candidates) -> int:
        if not self._chain:
            candidates.fill_some(top_ids(row, _SHORTLIST), row)
            candidates.apply(self._grammar)
            if (token := candidates.best()) is not None:
                return token
        candidates.fill(row)
        candidates.apply(self._grammar)
        token = candidates.best()
        if token is None:
            raise GrammarError(
                "no token of the model's vocabulary continues the grammar",
                hint="the grammar asks for characters that this model cannot write",
            )
        if self._chain:
            candidates.apply(self._chain)
            token = candidates.selected()
        return token


def compile_grammar(vocab: Handle, grammar: str) -> Handle:
    """A grammar sampler; the caller frees it.

    Raises:
        GrammarError: it is malformed, unsafe or refused by llama.cpp.
    """
    check_gbnf(grammar)
    with listening() as complaint:
        sampler: Handle | None = llama_cpp.llama_sampler_init_grammar(
            vocab, grammar.encode("utf-8", "replace"), ROOT.encode()
        )
        if not sampler:
            raise GrammarError(
                f"llama.cpp cannot use the grammar: {complaint()}",
                hint="check the GBNF: rule names have letters, digits and - only",
            )
    return sampler


def _chain(sampling: Sampling, seed: int, window: int, vocabulary: int) -> Handle:
    """Samplers in llama.cpp's own order; 0 when the likeliest token is the choice anyway.

    Penalties count generated tokens only: repeating a cited document is not a fault.
    """
    if sampling.temperature == 0 and not _penalizes(sampling):
        return 0
    chain: Handle = llama_cpp.llama_sampler_chain_init(
        llama_cpp.llama_sampler_chain_default_params()
    )
    for make in _samplers(sampling, seed, window, vocabulary):
        llama_cpp.llama_sampler_chain_add(chain, make())
    return chain


def _samplers(
    sampling: Sampling, seed: int, window: int, vocabulary: int
) -> list[Callable[[], Handle]]:
    found: list[Callable[[], Handle]] = []
    if _penalizes(sampling):
        found.append(lambda: _penalties(sampling, window, vocabulary))
    if sampling.temperature == 0:
        return [*found, llama_cpp.llama_sampler_init_greedy]
    if sampling.top_k:
        found.append(lambda: llama_cpp.llama_sampler_init_top_k(sampling.top_k))
    if sampling.top_p < 1:
        found.append(lambda: llama_cpp.llama_sampler_init_top_p(sampling.top_p, 1))
    if sampling.min_p > 0:
        found.append(lambda: llama_cpp.llama_sampler_init_min_p(sampling.min_p, 1))
    found.append(lambda: llama_cpp.llama_sampler_init_temp(sampling.temperature))
    found.append(lambda: llama_cpp.llama_sampler_init_dist(_seed32(seed)))
    return found


def _penalties(sampling: Sampling, window: int, vocabulary: int) -> Handle:
    handle: Handle = llama_cpp.llama_sampler_init_penalties(
        vocabulary,
        window,
        sampling.repeat_penalty,
        sampling.frequency_penalty,
        sampling.presence_penalty,
    )
    return handle


def _penalizes(sampling: Sampling) -> bool:
    return (
        sampling.repeat_penalty != 1
        or sampling.frequency_penalty != 0
        or sampling.presence_penalty != 0
    )


def _seed32(seed: int) -> int:
    """llama.cpp takes 32 bits, and draws its own seed for the highest number."""
    return seed % 0xFFFFFFFF


def free_grammar(sampler: Handle) -> None:
    llama_cpp.llama_sampler_free(sampler)
