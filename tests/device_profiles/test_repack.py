"""Which weights are counted twice."""

from __future__ import annotations

from dataclasses import replace

import pytest

from skerry.device_profiles import ModelFacts, Room, find_profile, fit, load_profiles
from skerry.device_profiles.repack import Matrix, matrix_bytes, repacked_types

HEAD = Matrix("output.weight", "q6_K", 1000, 50)
EMBEDDING = Matrix("token_embd.weight", "q4_0", 1000, 40)
UP = Matrix("blk.0.ffn_up.weight", "q4_0", 1536, 20)
ODD = Matrix("blk.0.attn_k.weight", "q4_0", 100, 3)


@pytest.mark.parametrize(
    ("features", "kept_twice", "not_twice"),
    [
        ((), "", "q4_0 q8_0"),
        (("avx2", "fma"), "q4_0 q4_K iq4_nl", "q8_0 q2_K q4_1 q6_K"),
        (("avx2", "avx512f"), "q4_0 q2_K", "q8_0 q5_K"),
        (("neon",), "", "q4_0"),
        (("neon", "dotprod"), "q4_0 q8_0 q4_K q6_K iq4_nl", "q4_1 q2_K q3_K"),
    ],
)
def test_types_by_instruction_set(
    features: tuple[str, ...], kept_twice: str, not_twice: str
) -> None:
    found = repacked_types(features)
    assert found >= set(kept_twice.split())
    assert not found & set(not_twice.split())


@pytest.mark.parametrize(
    ("matrices", "sums"),
    [
        ((), {}),
        ((HEAD, EMBEDDING, UP), {"q6_K": 50, "q4_0": 20}),
        ((EMBEDDING, UP), {"q4_0": 60}),
        ((HEAD, UP, ODD), {"q6_K": 50, "q4_0": 20}),
    ],
    ids=["none", "a head of its own", "tied", "rows that no kernel takes"],
)
def test_bytes_by_type(matrices: tuple[Matrix, ...], sums: dict[str, int]) -> None:
    assert matrix_bytes(matrices) == sums


MODEL = ModelFacts(
    "m", 100 << 20, 1000, 64, 64, 1000, 4096, matrices={"q4_0": 60 << 20, "q4_1": 20 << 20}
)


def test_a_fit_counts_what_the_device_keeps_twice() -> None:
    plain = fit(MODEL, Room(1000), 512)
    twice = fit(MODEL, Room(1000, repacks=frozenset({"q4_0"})), 512)
    assert plain.weights_mb == 100
    assert twice.weights_mb == 160
    assert twice.total_mb - plain.total_mb == pytest.approx(60)
    assert twice.tokens_per_s_estimate == plain.tokens_per_s_estimate


def test_profiles_count_by_their_instruction_sets() -> None:
    profiles = load_profiles()
    assert fit(MODEL, find_profile("budget-phone", profiles), 512).weights_mb == 100
    assert fit(MODEL, find_profile("phone-mid", profiles), 512).weights_mb == 160
    unknown = replace(MODEL, matrices={})
    assert fit(unknown, find_profile("phone-mid", profiles), 512).weights_mb == 100
