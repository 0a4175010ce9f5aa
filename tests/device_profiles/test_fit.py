from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.device_profiles import (
    Fits,
    Format,
    KvType,
    Loading,
    ModelFacts,
    Profile,
    Room,
    find_profile,
    fit,
    load_profiles,
    probe,
    room_of,
)
from skerry.device_profiles.fit import kv_bytes

SMOL = ModelFacts("smollm2-135m", 96_576_768, 2 * 30 * 3 * 64, 576, 1536, 49_152, 8192)
LLAMA_8B = ModelFacts(
    "llama-3.1-8b", 4_920_000_000, 2 * 32 * 8 * 128, 4096, 14_336, 128_256, 131_072
)
GIB = 1 << 30


@dataclass(frozen=True)
class Cache:
    """KV caches as llama.cpp reports them when it loads ("KV buffer size")."""

    model: ModelFacts
    how: Loading
    reported_mib: float


CACHES = [
    Cache(SMOL, Loading(512), 11.25),
    Cache(SMOL, Loading(2048), 45.0),
    Cache(SMOL, Loading(8192), 180.0),
    Cache(SMOL, Loading(4096, kv_type=KvType.Q8_0), 47.81),
    Cache(SMOL, Loading(8192, kv_type=KvType.Q8_0), 95.62),
    Cache(SMOL, Loading(2000), 45.0),
    Cache(SMOL, Loading(2048, parallel=4), 180.0),
    Cache(LLAMA_8B, Loading(8192), 1024.0),
]


@pytest.mark.parametrize("case", CACHES, ids=lambda case: f"{case.model.name} {case.how}")
def test_kv_cache_is_what_llama_cpp_reports(case: Cache) -> None:
    assert kv_bytes(case.model, case.how) / 2**20 == pytest.approx(case.reported_mib, abs=0.01)


@dataclass(frozen=True)
class Published:
    """Decoding speed of Llama 3.1 8B Q4_K_M, as published for the device behind a profile."""

    profile: str
    tokens_per_s: float


@pytest.mark.parametrize(
    "case",
    [Published("workstation", 6.51), Published("laptop", 9.63), Published("apple-silicon", 20.87)],
    ids=lambda case: case.profile,
)
def test_estimate_is_near_published_speed(case: Published) -> None:
    found = fit(LLAMA_8B, find_profile(case.profile, load_profiles()), 512)
    assert found.tokens_per_s_estimate == pytest.approx(case.tokens_per_s, rel=0.05)


@pytest.mark.parametrize(
    ("profile", "fits"),
    [("budget-phone", Fits.NO), ("phone-mid", Fits.NO), ("laptop", Fits.YES)],
)
def test_eight_billion_parameters(profile: str, fits: Fits) -> None:
    assert fit(LLAMA_8B, find_profile(profile, load_profiles()), 2048).fits is fits


@pytest.mark.parametrize("profile", load_profiles(), ids=lambda profile: profile.name)
def test_default_model_fits_everywhere(profile: Profile) -> None:
    found = fit(SMOL, profile, profile.context_tokens)
    assert found.fits is Fits.YES
    assert found.total_mb == pytest.approx(found.weights_mb + found.kv_mb + found.working_mb)
    assert found.why == (f"it needs {found.total_mb:.0f} of {found.limit_mb:.0f} MB",)


def test_tight_between_yes_and_no() -> None:
    needed = fit(SMOL, Room(10_000), 2048).total_mb
    assert fit(SMOL, Room(needed * 1.25), 2048).fits is Fits.YES
    assert fit(SMOL, Room(needed * 1.1), 2048).fits is Fits.TIGHT
    assert fit(SMOL, Room(needed), 2048).fits is Fits.TIGHT
    assert fit(SMOL, Room(needed * 0.99), 2048).fits is Fits.NO


def test_every_problem_is_named() -> None:
    phone = find_profile("budget-phone", load_profiles())
    found = fit(replace(LLAMA_8B, format=Format.COREML, context_tokens=1024), phone, 2048)
    said = "; ".join(found.why)
    for part in ("cannot run coreml", "there are 1024", "2048 MB for models", "trained for 1024"):
        assert part in said


def test_machine_has_a_speed_only_when_measured() -> None:
    machine = probe()
    assert fit(SMOL, machine, 2048).tokens_per_s_estimate is None
    room = room_of(machine, read_gb_s=1.0)
    read = SMOL.weights_bytes + kv_bytes(SMOL, Loading(2048)) / 2
    assert fit(SMOL, room, 2048).tokens_per_s_estimate == pytest.approx(1e9 / read)
    assert room.limit_mb == machine.memory_available_mb


MODELS = st.builds(
    ModelFacts,
    name=st.just("any"),
    weights_bytes=st.integers(1, 100 * GIB),
    kv_values=st.integers(1, 1 << 24),
    embedding=st.integers(1, 20_000),
    feed_forward=st.integers(1, 80_000),
    vocabulary=st.integers(1, 300_000),
    context_tokens=st.integers(1, 1 << 20),
)


@given(MODELS, st.integers(128, 1 << 17), st.integers(1, 1 << 20))
def test_more_context_or_less_memory_never_fits_better(
    model: ModelFacts, context: int, limit_mb: int
) -> None:
    order = [Fits.NO, Fits.TIGHT, Fits.YES]
    now = fit(model, Room(limit_mb, 10.0), context)
    longer = fit(model, Room(limit_mb, 10.0), 2 * context)
    smaller = fit(model, Room(limit_mb / 2, 10.0), context)
    assert order.index(longer.fits) <= order.index(now.fits)
    assert order.index(smaller.fits) <= order.index(now.fits)
    assert (longer.tokens_per_s_estimate or 0) <= (now.tokens_per_s_estimate or 0)


@given(st.sampled_from(KvType), st.integers(1, 1 << 16))
def test_smaller_types_take_less(kind: KvType, context: int) -> None:
    taken = kv_bytes(SMOL, Loading(context, kv_type=kind))
    assert 0 < taken <= kv_bytes(SMOL, Loading(context, kv_type=KvType.F32))
