"""What is planned for which device: pure, over the real device profiles."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import pytest

from skerry.device_profiles import Fits, Format, find_profile, load_profiles
from skerry.export.errors import Unsupported
from skerry.export.exporter import Exporter, Kind
from skerry.export.planning import Plan, Subject, Wishes, make_plan
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
        (EIGHT_B, "workstation", "q4_0", "the fastest that fits"),
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
