"""What a runtime takes of a bundle: the variant that suits this machine, and every part of it.

Every file that is used is compared with its digest when the bundle is opened (`engines.digest`
remembers those), and small ones and weights again as they are read. What a bundle does not carry is
what is installed: `parts_used` says which.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from skerry.edge.bundled.carried import (
    ADAPTER,
    CHAT_TEMPLATE,
    DEFAULT_POLICY,
    DRAFT,
    ENCODER,
    GROUNDED,
    GROUNDING,
    NETWORKS,
    OPEN,
    POLICY,
    ROUTER,
    Carried,
    carried,
)
from skerry.edge.bundled.stamps import Stamps
from skerry.edge.errors import BundleRefused, ConfigError
from skerry.guardrails.networks import Networks, Place, networks_at

if TYPE_CHECKING:
    from skerry.bundles import Bundle, Variant
    from skerry.device_profiles import Format, Profile
    from skerry.edge.engines.models import ModelSpec
    from skerry.edge.policy import Policy
    from skerry.edge.prompt import Prompts
    from skerry.edge.settings import Settings

_MOST_TEXT = 1 << 20
_FETCH = "see `skerry bundle verify`; fetch the bundle again"


@dataclass(frozen=True, slots=True)
class Bundled:
    """The bundle that a runtime runs, the variant that it took and why, and its parts by name.

    `stamps` tell whether the files of the model are still those that were compared.
    """

    bundle: Bundle
    variant: Variant
    why: tuple[str, ...]
    parts: Mapping[str, Carried] = field(default_factory=dict)
    stamps: Stamps = field(default_factory=Stamps, compare=False)

    @property
    def model(self) -> Path:
        """What an engine is given."""
        return self.bundle.entry(self.variant)

    @property
    def encoder(self) -> Place | None:
        """The folder of its encoder."""
        return self._place(ENCODER)

    @property
    def grounding(self) -> Place | None:
        """The folder of its grounding checker."""
        return self._place(GROUNDING)

    @property
    def router(self) -> Place | None:
        """The file of its router; not a folder."""
        part = self.parts.get(ROUTER)
        return None if part is None else Place(self.path(part), part.sha256)

    @property
    def draft(self) -> Path | None:
        """Its draft model."""
        part = self.parts.get(DRAFT)
        return None if part is None else self.path(part)

    @property
    def adapters(self) -> dict[str, Path]:
        """Its LoRA adapters, by name."""
        found = (one for one in self.parts.values() if one.name.startswith(ADAPTER))
        return {one.name.removeprefix(ADAPTER): self.path(one) for one in found}

    def networks(self) -> Networks:
        """The networks of the guardrails; those that it does not carry are the installed ones."""
        return networks_at(self.network_places)

    @property
    def network_places(self) -> dict[str, Place]:
        """Where those lie that it carries."""
        return {name: place for name in NETWORKS if (place := self._place(name)) is not None}

    def prompts(self) -> Prompts:
        """What models are told; raises BundleRefused where a text was changed."""
        from skerry.edge.prompt import INSTALLED, Prompts

        grounded, unbound = self.text(GROUNDED), self.text(OPEN)
        return Prompts(
            INSTALLED.grounded if grounded is None else grounded,
            INSTALLED.open if unbound is None else unbound,
        )

    def policy(self, own: Path | None) -> Policy:
        """Its policy over its default one, or `own` over that.

        Raises:
            ConfigError: one of them is no policy.
            BundleRefused: a text was changed.
        """
        from skerry.edge.policy.load import base_of, load_policy, parse_policy

        default = self.text(DEFAULT_POLICY)
        base = None if default is None else base_of(default, self._named(DEFAULT_POLICY))
        if own is not None:
            return load_policy(own, base)
        said = self.text(POLICY)
        if said is not None:
            return parse_policy(said, self._named(POLICY), base)
        return load_policy(None, base)

    def spec(self) -> ModelSpec:
        """How its model is loaded: with its adapters and its chat template.

        Raises:
            BundleRefused: the template was changed.
            ModelError: there is no model any more.
        """
        from dataclasses import replace

        from skerry.device_profiles import Format
        from skerry.edge.engines.models import model_at

        return replace(
            model_at(self.model),
            adapters=self.adapters if self.variant.format is Format.GGUF else {},
            chat_template=self.text(CHAT_TEMPLATE) or "",
            check=self.check_unchanged,
        )

    def check_unchanged(self) -> None:
        """Raises BundleRefused where the model, or an adapter, is no more what was compared."""
        if (path := self.stamps.changed()) is not None:
            what = f"'{path}' was changed while the bundle was in use"
            raise BundleRefused(what, hint=_FETCH)

    def text(self, name: str) -> str | None:
        """The text of a part; None where it does not carry it.

        Raises:
            BundleRefused: it was changed, is gone, or is no text.
        """
        part = self.parts.get(name)
        if part is None:
            return None
        from skerry.edge.bundled.reading import read_checked

        try:
            return read_checked(self.path(part), part.sha256, _MOST_TEXT).decode()
        except UnicodeDecodeError as error:
            what = f"'{self._named(name)}' is not UTF-8"
            raise BundleRefused(what, hint="build the bundle anew") from error

    def path(self, part: Carried) -> Path:
        """Where the file is that names a part."""
        return self.bundle.path(part.path)

    def _place(self, name: str) -> Place | None:
        part = self.parts.get(name)
        return None if part is None else Place(self.bundle.folder / part.folder, part.sha256)

    def _named(self, name: str) -> str:
        return str(self.path(self.parts[name]))


def take_bundle(settings: Settings) -> Bundled | None:
    """The bundle that the settings name; None where they name none.

    Raises:
        BundleRefused: it is damaged or was tampered with, its parts do not fit together, or it has
            nothing that runs here.
        ProfileError: the device profile is not there, or wrong.
    """
    if settings.bundle is None:
        return None
    from skerry.bundles import BundleError, open_bundle
    from skerry.edge import making
    from skerry.edge.bundled.fitting import check_fit

    profile = making.profile(settings)
    try:
        bundle = open_bundle(_folder(settings.bundle))
        choice = bundle.variant_for(profile, formats=runnable())
        parts = carried(bundle.manifest, _encoder_variant(bundle, profile))
        stamps = _checked(bundle, choice.variant, parts)
    except BundleError as error:
        raise BundleRefused(error.what, hint=error.hint) from error
    bundled = Bundled(bundle, choice.variant, choice.why, parts, stamps)
    check_fit(bundled)
    return bundled


def in_use(settings: Settings) -> AbstractContextManager[object]:
    """The sign that a runtime runs the bundle of a device: see `skerry.edge.updates`."""
    from skerry.edge.updates.place import bundle_of, is_device

    if settings.bundle is None or not is_device(settings.bundle):
        return nullcontext()
    return bundle_of(settings.bundle).using()


def _folder(place: Path) -> Path:
    """The bundle at `place`; of a device that takes updates the one that it runs now."""
    from skerry.edge.updates.place import bundle_of, is_device

    return bundle_of(place).folder if is_device(place) else place


def bundled_settings(settings: Settings, bundled: Bundled) -> Settings:
    """The settings with the bundle's model.

    Raises:
        ConfigError: a model is named beside the bundle.
    """
    model = str(bundled.model)
    if settings.model not in (type(settings).model_fields["model"].default, model):
        what = f"both the model '{settings.model}' and a bundle are given"
        raise ConfigError(what, hint="give one of them")
    return settings.with_changes(model=model)


def runnable() -> frozenset[Format]:
    """The formats of language models that the engines here run."""
    from skerry.device_profiles import Format

    genai = find_spec("onnxruntime_genai") is not None
    return frozenset({Format.GGUF, Format.ONNX} if genai else {Format.GGUF})


def _encoder_variant(bundle: Bundle, profile: Profile) -> Variant | None:
    """The variant of an encoder that this runtime runs, where there is one."""
    from skerry.bundles import Kind, NoVariant
    from skerry.device_profiles import Format

    try:
        return bundle.variant_for(profile, kind=Kind.ENCODER, formats=(Format.ONNX,)).variant
    except NoVariant:
        return None


def _checked(bundle: Bundle, variant: Variant, parts: Mapping[str, Carried]) -> Stamps:
    """Compares what is used with its digests; gives the stamps of what an engine will open.

    Raises:
        BundleRefused: a file is not what the manifest says of it.
    """
    from skerry.edge.engines.digest import FileDigest

    opened = [*variant.files, *(one.path for one in parts.values() if one.name.startswith(ADAPTER))]
    stamps = Stamps.of(bundle.folder / path for path in opened)
    digests = {file.path: file.sha256 for file in bundle.manifest.files}
    for path in dict.fromkeys(_used(bundle, variant, parts)):
        if FileDigest(bundle.folder / path).result() != digests[path]:
            what = f"the bundle '{bundle.folder}' was changed: '{path}' has another digest"
            raise BundleRefused(what, hint=_FETCH)
    return stamps


def _used(bundle: Bundle, variant: Variant, parts: Mapping[str, Carried]) -> Iterator[str]:
    yield from variant.files
    for part in parts.values():
        yield from (file.path for file in bundle.manifest.files if part.owns(file.path))
