"""Which variant a device takes. Pure.

The variants of a manifest are in the order of preference. Those that were made for the device's
profile come first; each must be of a format that the device and the runtime have, and must fit in
the memory that the device has now, by `skerry.device_profiles.fit`.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from skerry.bundles.errors import NoVariant
from skerry.bundles.manifest import Kind, Manifest, Model, Variant
from skerry.device_profiles import Fit, Fits, Format, ModelFacts, Profile, fit


@dataclass(frozen=True, slots=True)
class Choice:
    """The variant that suits, and why it does."""

    variant: Variant
    why: tuple[str, ...]


def choose(
    manifest: Manifest,
    profile: Profile,
    *,
    kind: Kind = Kind.LLM,
    formats: Collection[Format] = tuple(Format),
) -> Choice:
    """The variant for a device of `profile`, of a format in `formats`.

    Raises:
        NoVariant: none suits; says of each why not.
    """
    refusals: list[str] = []
    for variant in _in_order(manifest, profile, kind):
        if (refusal := _refusal(manifest, variant, profile, formats)) is None:
            return Choice(variant, _reasons(manifest, variant, profile))
        refusals.append(f"{variant.name}: {refusal}")
    what = f"no variant of the bundle '{manifest.name}' suits the profile {profile.name}"
    said = "; ".join(refusals) or f"it has no {kind}"
    raise NoVariant(f"{what}: {said}", hint="build a bundle for this profile")


def facts_of(model: Model, variant: Variant, size: int) -> ModelFacts:
    """What `fit` needs of a variant whose files have `size` bytes."""
    shape = model.shape
    return ModelFacts(
        name=variant.name,
        weights_bytes=size,
        kv_values=shape.kv_values,
        embedding=shape.embedding,
        feed_forward=shape.feed_forward,
        vocabulary=shape.vocabulary,
        context_tokens=shape.context_tokens,
        format=variant.format,
        matrices=_matrices(variant),
    )


def _matrices(variant: Variant) -> dict[str, int]:
    """Bytes of matrices by type, where the exporter said so."""
    said = variant.facts.get("matrix_bytes")
    if not isinstance(said, dict):
        return {}
    return {kind: size for kind, size in said.items() if type(size) is int and size >= 0}


def fit_variant(manifest: Manifest, variant: Variant, profile: Profile) -> Fit:
    """Whether it fits on a device of `profile`, with that profile's context."""
    facts = facts_of(manifest.model(variant.model), variant, manifest.size_of(variant))
    context = min(profile.context_tokens, facts.context_tokens or profile.context_tokens)
    return fit(facts, profile, context)


def _in_order(manifest: Manifest, profile: Profile, kind: Kind) -> list[Variant]:
    of_kind = [one for one in manifest.variants if manifest.model(one.model).kind is kind]
    return sorted(of_kind, key=lambda one: not _made_for(one, profile))  # a stable sort


def _made_for(variant: Variant, profile: Profile) -> bool:
    return any(one.profile == profile.name for one in variant.suits)


def _refusal(
    manifest: Manifest, variant: Variant, profile: Profile, formats: Collection[Format]
) -> str | None:
    if variant.format not in formats:
        return f"nothing here runs {variant.format}"
    fitted = fit_variant(manifest, variant, profile)
    return "; ".join(fitted.why) if fitted.fits is Fits.NO else None


def _reasons(manifest: Manifest, variant: Variant, profile: Profile) -> tuple[str, ...]:
    made = f"made for the profile {profile.name}"
    other = f"not made for the profile {profile.name}, but it fits"
    fitted = fit_variant(manifest, variant, profile)
    return (made if _made_for(variant, profile) else other, *fitted.why)
