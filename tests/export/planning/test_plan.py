"""What is planned for which device: pure, over the real device profiles."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import pytest

from skerry.device_profiles import Fits, Format, find_profile, load_profiles
from skerry.device_profiles.repack import repacked_types
from skerry.export.errors import Unsupported
from skerry.export.exporter import Exporter, Kind
from skerry.export.planning import Plan, Subject, Wishes, make_plan
from skerry.export.planning.kept_twice import Widths, matrix_estimate
from skerry.export.planning.sizes import bits_per_weight, estimate_bytes

PROFILES = load_profiles()

SMALL = Subject(
    name="small", path=Path("small.gguf"), format="gguf", kind=Kind.LLM, architecture="llama",
    licence="Apache-2.0", size=269_000_000, parameters=134_515_008, kv_values=2 * 30 * 3 * 64,
    embedding=576, feed_forward=1536, vocabulary=49_152, context_tokens=8192,
)  # fmt: skip
EIGHT_B = replace(
    SMALL, name="8b", size=16_060_522_496, parameters=8_030_261_248, kv_values=2 * 32 * 8 * 128,
    embedding=4096, feed_forward=14_336, vocabulary=128_256, context_tokens=131_072,
)  # fmt: skip
GGUF = ("q4_k_m", "q8_0", "q6_k", "q5_k_m", "q4_0", "q3_k_m", "q2_k", "f16")


@dataclass(frozen=True)
class Named:
    """What planning asks of an exporter: names alone."""

    format: Format
    kind: Kind = Kind.LLM
    names: tuple[str, ...] = GGUF
    lacks: str | None = None

    def precisions(self) -> tuple[str, ...]:
        return self.names

    def missing(self) -> str | None:
        return self.lacks


ONNX = Named(Format.ONNX, names=("int4", "int8", "fp32"))


def plan(
    subject: Subject,
    *profiles: str,
    wishes: Wishes | None = None,
    exporters: tuple[Named, ...] = (Named(Format.GGUF),),
) -> Plan:
    chosen = [find_profile(name, PROFILES) for name in profiles]
    return make_plan(subject, chosen, [cast("Exporter", one) for one in exporters], wishes)


@pytest.mark.parametrize(
    ("subject", "profile", "precision", "why"),
    [
        (SMALL, "workstation", "q8_0", "most bits"),
        (SMALL, "phone-mid", "q8_0", "most bits"),
        (EIGHT_B, "workstation", "q5_k_m", "the fastest that fits"),  # q4_0 is there twice
        (replace(SMALL, size=90_000_000), "workstation", "q4_0", "most bits"),
    ],
)
def test_the_most_bits_that_fit_and_are_fast_enough(
    subject: Subject, profile: str, precision: str, why: str
) -> None:
    (variant,) = plan(subject, profile).variants
    assert variant.precision == precision
    (chosen,) = (one for one in plan(subject, profile).candidates if one.chosen)
    assert why in chosen.why


def test_what_fits_nowhere_is_not_made() -> None:
    made = plan(EIGHT_B, "budget-phone")
    assert not made.variants
    assert made.candidates
    assert all("it needs" in one.why for one in made.candidates)


def test_nothing_above_the_source_is_made() -> None:
    """Of a source of some 5 bits a file of 8 bits holds no more."""
    quantized = replace(SMALL, size=90_000_000)
    made = plan(quantized, "workstation")
    assert {one.precision for one in made.candidates} == {"q4_0", "q3_k_m", "q2_k"}


def test_floats_are_made_where_nothing_else_is() -> None:
    """Of a source of 5 bits, ExecuTorch's four lose some; its floats are five times as large."""
    quantized = replace(SMALL, size=97_000_000)
    for names, taken in ((("8da4w", "fp32"), "8da4w"), (("fp32",), "fp32")):
        exporter = Named(Format.EXECUTORCH, names=names)
        (variant,) = plan(quantized, "phone-mid", exporters=(exporter,)).variants
        assert variant.precision == taken


def test_one_variant_serves_several_profiles() -> None:
    made = plan(SMALL, "workstation", "phone-mid", "raspberry")
    (variant,) = made.variants
    assert sorted(variant.fits) == ["phone-mid", "raspberry", "workstation"]
    assert made.size == variant.size


def test_formats_of_the_profile_alone_and_gguf_first() -> None:
    made = plan(SMALL, "workstation", exporters=(ONNX, Named(Format.GGUF), Named(Format.COREML)))
    assert [one.format for one in made.variants] == [Format.GGUF, Format.ONNX]
    assert not made.refusals


def test_what_is_missing_is_told_with_the_line_that_installs_it() -> None:
    lacking = replace(ONNX, lacks="pip install x")
    made = plan(SMALL, "workstation", exporters=(Named(Format.GGUF), lacking))
    (refusal,) = made.refusals
    assert (refusal.format, refusal.hint, refusal.asked) == (Format.ONNX, "pip install x", False)
    asked = Wishes(frozenset({Format.ONNX}))
    assert plan(SMALL, "workstation", exporters=(lacking,), wishes=asked).refusals[0].asked


def test_precisions_by_name_are_made_whatever_suits() -> None:
    made = plan(SMALL, "workstation", wishes=Wishes(precisions=frozenset({"q2_k", "q8_0"})))
    assert [one.precision for one in made.variants] == ["q8_0", "q2_k"]


@pytest.mark.parametrize(
    ("wishes", "says"),
    [
        (Wishes(formats=frozenset({Format.MLC})), "mlc"),
        (Wishes(precisions=frozenset({"q9"})), "q9"),
        (Wishes(formats=frozenset({Format.ONNX}), precisions=frozenset({"q4_0"})), "q4_0"),
    ],
)
def test_what_nothing_makes_is_refused(wishes: Wishes, says: str) -> None:
    with pytest.raises(Unsupported, match=says) as caught:
        plan(SMALL, "workstation", wishes=wishes, exporters=(Named(Format.GGUF), ONNX))
    assert caught.value.hint


def test_an_exporter_of_another_kind_makes_nothing() -> None:
    made = plan(SMALL, "workstation", exporters=(Named(Format.GGUF, kind=Kind.ENCODER),))
    assert not made.variants
    assert "of a language model" in made.refusals[0].why


def test_an_encoder_has_a_name_of_its_own_in_a_bundle() -> None:
    encoder = replace(SMALL, kind=Kind.ENCODER, kv_values=0)
    made = plan(encoder, "workstation", exporters=(replace(ONNX, kind=Kind.ENCODER),))
    assert [one.name for one in made.variants] == ["encoder-onnx-int8"]


def test_every_fit_is_of_the_profile() -> None:
    for one in plan(SMALL, *(profile.name for profile in PROFILES)).candidates:
        profile = find_profile(one.profile, PROFILES)
        assert one.fit.limit_mb == profile.memory.runtime_mb
        assert one.fit.fits in Fits


def test_the_default_model_is_estimated_as_it_is() -> None:
    """SmolLM2-135M in Q4_1 is a file of 98,600,000 bytes, give or take some of its metadata."""
    size = estimate_bytes(
        Format.GGUF, "q4_1", parameters=134_515_008, embedding=576, vocabulary=49_152
    )
    assert size == pytest.approx(98_600_000, rel=0.02)


@pytest.mark.parametrize(
    ("precision", "embedding", "bits"),
    [("q8_0", 576, 8.5), ("q4_k_m", 4096, 4.89), ("q4_k_m", 576, 5.35), ("q2_k", 576, 4.165)],
)
def test_k_quants_fall_back_where_rows_do_not_fit(
    precision: str, embedding: int, bits: float
) -> None:
    assert bits_per_weight(Format.GGUF, precision, embedding) == pytest.approx(bits, abs=0.01)


def test_sizes_of_unknown_names_are_not_guessed() -> None:
    assert estimate_bytes(Format.GGUF, "q9_z", parameters=1, embedding=256, vocabulary=1) is None
    assert bits_per_weight(Format.EXECUTORCH, "8da4w") == 4.5


@pytest.mark.parametrize(
    ("precision", "made"),
    [
        ("q8_0", {"q8_0": 142_884_864}),
        ("q4_0", {"q4_0": 59_719_680, "q8_0": 30_081_024}),
        ("iq4_nl", {"iq4_nl": 58_226_688, "q5_K": 1_824_768, "q8_0": 30_081_024}),
        ("q4_k_m", {"q4_K": 7_962_624, "q5_0": 53_678_592, "q6_K": 10_160_640,
                    "q8_0": 31_726_080}),
        ("q5_k_m", {"q5_1": 58_558_464, "q5_K": 9_732_096, "q6_K": 10_160_640,
                    "q8_0": 31_726_080}),
        ("q3_k_m", {"q4_0": 37_324_800, "q4_K": 14_432_256, "q5_0": 8_971_776,
                    "q5_1": 165_888, "q5_K": 608_256, "q8_0": 30_081_024}),
    ],
)  # fmt: skip
@pytest.mark.parametrize("features", [("avx2",), ("avx2", "avx512f"), ("dotprod", "i8mm")])
def test_what_is_kept_twice_is_near_what_exports_have(
    precision: str, made: dict[str, int], features: tuple[str, ...]
) -> None:
    """Of SmolLM2-135M: `made` is what exports of it say (`matrix_bytes`)."""
    found = matrix_estimate(precision, Widths(134_515_008, 576, 49_152))
    twice = repacked_types(features)
    kept, estimated = (
        sum(size for kind, size in sizes.items() if kind in twice) for sizes in (made, found)
    )
    whole = sum(made.values())
    assert abs(estimated - kept) < 0.2 * whole
    assert abs(sum(found.values()) - whole) < 0.1 * whole


def test_what_is_kept_twice_counts_in_the_plan() -> None:
    def weights_mb(precision: str) -> float:
        (found,) = plan(
            SMALL, "workstation", wishes=Wishes(precisions=frozenset({precision}))
        ).candidates
        return found.fit.weights_mb

    assert weights_mb("q4_0") > 1.2 * weights_mb("q5_k_m")
