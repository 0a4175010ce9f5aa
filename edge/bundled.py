"""What a runtime takes of a bundle: the variant that suits this machine, and the bundle's policy.

Every file that is used is compared with its digest; digests are remembered as those of models are
(`engines.digest`). What else a bundle carries is not read: docs/bundles.md says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from skerry.edge.errors import BundleRefused, ConfigError

if TYPE_CHECKING:
    from skerry.bundles import Bundle, Variant
    from skerry.device_profiles import Format
    from skerry.edge.settings import Settings

_POLICY = "parts/policy/policy.toml"


@dataclass(frozen=True, slots=True)
class Bundled:
    """The bundle that a runtime runs, the variant that it took, and why."""

    bundle: Bundle
    variant: Variant
    why: tuple[str, ...]

    @property
    def model(self) -> Path:
        """What an engine is given."""
        return self.bundle.entry(self.variant)

    @property
    def policy(self) -> Path | None:
        """The policy that the bundle was built with; None where it was the default one."""
        there = any(file.path == _POLICY for file in self.bundle.manifest.files)
        return self.bundle.path(_POLICY) if there else None


def take_bundle(settings: Settings) -> Bundled | None:
    """The bundle that the settings name; None where they name none.

    Raises:
        BundleRefused: it is damaged or was tampered with, or has nothing that runs here.
        ProfileError: the device profile is not there, or wrong.
    """
    if settings.bundle is None:
        return None
    from skerry.bundles import BundleError, open_bundle
    from skerry.edge import making

    profile = making.profile(settings)
    try:
        bundle = open_bundle(_folder(settings.bundle))
        choice = bundle.variant_for(profile, formats=runnable())
        _check(bundle, choice.variant)
    except BundleError as error:
        raise BundleRefused(error.what, hint=error.hint) from error
    return Bundled(bundle, choice.variant, choice.why)


def _folder(place: Path) -> Path:
    """The bundle at `place`; of a device that takes updates the one that it runs now."""
    from skerry.edge.updates.place import bundle_of, is_device

    return bundle_of(place).folder if is_device(place) else place


def bundled_settings(settings: Settings, bundled: Bundled) -> Settings:
    """The settings with the bundle's model and policy where they name none of their own.

    Raises:
        ConfigError: a model is named beside the bundle.
    """
    model = str(bundled.model)
    if settings.model not in (type(settings).model_fields["model"].default, model):
        what = f"both the model '{settings.model}' and a bundle are given"
        raise ConfigError(what, hint="give one of them")
    return settings.with_changes(model=model, policy=settings.policy or bundled.policy)


def runnable() -> frozenset[Format]:
    """The formats of language models that the engines here run."""
    from skerry.device_profiles import Format

    genai = find_spec("onnxruntime_genai") is not None
    return frozenset({Format.GGUF, Format.ONNX} if genai else {Format.GGUF})


def _check(bundle: Bundle, variant: Variant) -> None:
    """Raises BundleRefused where a file that is used is not what the manifest says of it."""
    from skerry.edge.engines.digest import FileDigest

    for path in _used(bundle, variant):
        if FileDigest(bundle.path(path)).result() != bundle.manifest.file(path).sha256:
            raise BundleRefused(
                f"the bundle '{bundle.folder}' was changed: '{path}' has another digest",
                hint="see `skerry bundle verify`; fetch the bundle again",
            )


def _used(bundle: Bundle, variant: Variant) -> Iterator[str]:
    yield from variant.files
    yield from (file.path for file in bundle.manifest.files if file.path == _POLICY)
