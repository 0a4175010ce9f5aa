"""Whether a model fits on a device, and about how fast it decodes there. Pure arithmetic.

The memory that a loaded model takes, by llama.cpp's allocations (all resident, in bytes):

    weights   the tensors, mapped from the file; those that are rearranged for the CPU's kernels
              a second time (`repack`): at the peak both are resident
    KV cache  values per token x bytes per element x context x parallel, where the values are
              2 x layers x kv_heads x head_dim, and the context is rounded up to 256 tokens
              as llama.cpp does
    working   activations of one batch, 16 x batch x (embedding + feed_forward);
              logits, 8 x vocabulary x parallel;
              the tokenizer's tables, 360 x vocabulary;
              50 MiB of Python with numpy and llama.cpp; 2 MiB of graph and context

The factors 16, 360 and 50 MiB were measured with llama-cpp-python 0.3.36 on Linux x86-64;
`tests/device_profiles/test_fit_measured.py` repeats the measurement.

Decoding reads all weights and the filled part of the KV cache for each token, so it is bound by
memory (Pope et al., "Efficiently Scaling Transformer Inference", arXiv:2211.05102, section 2):

    tokens/s = decode bandwidth / (weights + half of one sequence's KV cache)

The bandwidth is what decoding reaches, not the peak; half, because an answer starts and ends
in between.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from skerry.device_profiles.kv import KvType
from skerry.device_profiles.machine import Machine
from skerry.device_profiles.profile import Format, Profile
from skerry.device_profiles.repack import repacked_types

MIB = 1 << 20
PROCESS_MB = 50
GRAPH_MB = 2
TOKENIZER_BYTES = 360
ACTIVATION_BYTES = 16
LOGIT_BYTES = 8
CONTEXT_STEP = 256

TIGHT_FROM = 0.85
"""Share of the limit from which a fit is tight: encoder, index and server need the rest."""

CORE_DECODE_GB_S = 9.0
"""What one core multiplies of 4-bit weights, in 10**9 bytes per second: measured on a Zen 3 core at
2.4 GHz with Q4_1. Faster memory does not help beyond it."""


class Fits(StrEnum):
    YES = "yes"
    TIGHT = "tight"
    NO = "no"


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What a model's file says of it. `context_tokens` is what it was trained for.

    `kv_values` is how many values one token adds to the KV cache: keys and values of all layers,
    2 x layers x kv_heads x head_dim where all layers are alike. `matrices` are the bytes of its
    matrices by ggml's type (`repack.matrix_bytes`); none where nobody knows.
    """

    name: str
    weights_bytes: int
    kv_values: int
    embedding: int
    feed_forward: int
    vocabulary: int
    context_tokens: int
    format: Format = Format.GGUF
    matrices: Mapping[str, int] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class Loading:
    """How a model is loaded. `context_tokens` is per sequence."""

    context_tokens: int
    batch_tokens: int = 512
    kv_type: KvType = KvType.F16
    parallel: int = 1


@dataclass(frozen=True, slots=True)
class Room:
    """What a device has for a model. None is not known, or no limit. `repacks`: the types of
    weights that it keeps twice."""

    limit_mb: float
    decode_gb_s: float | None = None
    storage_mb: float | None = None
    formats: frozenset[Format] = frozenset(Format)
    repacks: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Fit:
    """The answer, in MiB, and why. `weights_mb` counts what is kept twice twice;
    `tokens_per_s_estimate`: of one sequence; None if unknown."""

    weights_mb: float
    kv_mb: float
    working_mb: float
    total_mb: float
    limit_mb: float
    fits: Fits
    tokens_per_s_estimate: float | None
    why: tuple[str, ...]


def fit(
    model: ModelFacts,
    device: Profile | Machine | Room,
    context_tokens: int,
    *,
    loading: Loading | None = None,
) -> Fit:
    """Whether `model` with `context_tokens` per sequence fits on `device`.

    Args:
        model: what the model's file says.
        device: a class of devices, a machine as it is now, or a room of your own making.
        context_tokens: tokens per sequence.
        loading: how it is loaded; None takes a profile's own way, else that of `Loading`.
    """
    room = device if isinstance(device, Room) else room_of(device)
    how = _loading(device, loading, context_tokens)
    weights, kv = weight_bytes(model, room) / MIB, kv_bytes(model, how) / MIB
    working = working_bytes(model, how) / MIB
    total = weights + kv + working
    problems = tuple(_problems(model, room, total))
    notes = tuple(_notes(model, room, how, total))
    return Fit(
        weights_mb=weights,
        kv_mb=kv,
        working_mb=working,
        total_mb=total,
        limit_mb=room.limit_mb,
        fits=Fits.NO
        if problems
        else Fits.TIGHT
        if total > TIGHT_FROM * room.limit_mb
        else Fits.YES,
        tokens_per_s_estimate=_tokens_per_s(model, room, how),
        why=problems + notes,
    )


def room_of(device: Profile | Machine, *, read_gb_s: float | None = None) -> Room:
    """The room on a device of this class, or on this machine now.

    Args:
        device: which.
        read_gb_s: measured speed of this machine's memory (`measure_read_gb_s`).
    """
    if isinstance(device, Profile):
        memory = device.memory
        formats = frozenset(device.formats)
        repacks = repacked_types(device.cpu.features)
        return Room(memory.runtime_mb, memory.decode_gb_s, device.storage_mb, formats, repacks)
    rate = None if read_gb_s is None else min(read_gb_s, device.cores * CORE_DECODE_GB_S)
    return Room(device.memory_available_mb, rate, repacks=repacked_types(device.features))


def weight_bytes(model: ModelFacts, room: Room) -> int:
    """Bytes of the tensors, those that are kept twice counted twice."""
    twice = sum(size for kind, size in model.matrices.items() if kind in room.repacks)
    return model.weights_bytes + twice


def kv_bytes(model: ModelFacts, how: Loading) -> float:
    """Bytes of the KV cache of all sequences; both K and V are of `how.kv_type`."""
    steps = -(-how.context_tokens // CONTEXT_STEP)
    elements = model.kv_values * steps * CONTEXT_STEP
    return elements * how.kv_type.bytes_per_element * how.parallel


def working_bytes(model: ModelFacts, how: Loading) -> float:
    """Bytes beside weights and KV cache: see the formulas at the top of this module."""
    batch = min(how.batch_tokens, how.context_tokens)
    activations = ACTIVATION_BYTES * batch * (model.embedding + model.feed_forward)
    logits = LOGIT_BYTES * model.vocabulary * how.parallel
    return activations + logits + TOKENIZER_BYTES * model.vocabulary + (PROCESS_MB + GRAPH_MB) * MIB


def _loading(
    device: Profile | Machine | Room, loading: Loading | None, context_tokens: int
) -> Loading:
    if loading is not None:
        return Loading(context_tokens, loading.batch_tokens, loading.kv_type, loading.parallel)
    if isinstance(device, Profile):
        return Loading(context_tokens, device.batch_tokens, device.kv_type, device.parallel)
    return Loading(context_tokens)


def _tokens_per_s(model: ModelFacts, room: Room, how: Loading) -> float | None:
    if room.decode_gb_s is None:
        return None
    read = model.weights_bytes + kv_bytes(model, how) / how.parallel / 2
    return room.decode_gb_s * 1e9 / read


def _problems(model: ModelFacts, room: Room, total_mb: float) -> Iterator[str]:
    if model.format not in room.formats:
        yield f"it cannot run {model.format} files"
    if total_mb > room.limit_mb:
        yield f"it needs {total_mb:.0f} MB and there are {room.limit_mb:.0f}"
    if room.storage_mb is not None and model.weights_bytes / MIB > room.storage_mb:
        yield f"the file is larger than the {room.storage_mb:.0f} MB for models"


def _notes(model: ModelFacts, room: Room, how: Loading, total_mb: float) -> Iterator[str]:
    if total_mb <= room.limit_mb:
        yield f"it needs {total_mb:.0f} of {room.limit_mb:.0f} MB"
    if how.context_tokens > model.context_tokens:
        yield f"it was trained for {model.context_tokens} tokens, not {how.context_tokens}"
