"""How the parts of a runtime are made from its settings. Each is imported when it is made."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from skerry.edge.errors import ConfigError
from skerry.edge.types import Network
from skerry.guardrails.networks import INSTALLED, Networks

if TYPE_CHECKING:
    from skerry.device_profiles import Profile
    from skerry.edge.bundled import Bundled
    from skerry.edge.collections.searching import Collections
    from skerry.edge.encoder import TextEncoder
    from skerry.edge.engines.base import EngineOptions
    from skerry.edge.engines.pool import ModelPool, Specs
    from skerry.edge.escalate import CloudOptions, RemoteTier
    from skerry.edge.index import Index
    from skerry.edge.policy import Policy
    from skerry.edge.receipts import BundleUsed, ReceiptStore
    from skerry.edge.router import Router
    from skerry.edge.settings import Settings
    from skerry.edge.split.options import SplitOptions
    from skerry.edge.split.tier import Lease
    from skerry.edge.tools import Registry
    from skerry.guardrails.grounding import GroundingChecker


def profile(settings: Settings) -> Profile:
    """The device profile that was named, or the one that suits this machine."""
    from skerry.device_profiles import find_profile, load_profiles, pick, probe

    profiles = load_profiles(settings.profiles_dir)
    if settings.profile is not None:
        return find_profile(settings.profile, profiles)
    return pick(probe(), profiles).profile


def encoder(threads: int, bundled: Bundled | None = None) -> TextEncoder:
    """The encoder of the bundle, or the one that comes with Skerry.

    Raises:
        EncoderError: a file is missing, was changed or cannot be loaded.
    """
    from skerry.edge.encoder import OnnxEncoder

    place = bundled.encoder if bundled else None
    if place is None:
        return OnnxEncoder.load(threads=threads)
    return OnnxEncoder.load(place.folder, threads, sha256=place.sha256)


def router(bundled: Bundled | None = None) -> Router:
    """The router of the bundle, or the one that comes with Skerry.

    Raises:
        ModelNotFound, ModelInvalid: its weights are missing, were changed or are none.
    """
    from skerry.edge.router import Router

    place = bundled.router if bundled else None
    return Router.load() if place is None else Router.load(place.folder, sha256=place.sha256)


def grounding(threads: int, bundled: Bundled | None = None) -> GroundingChecker:
    """The grounding checker of the bundle, or the one that comes with Skerry.

    Raises:
        GuardrailError: a file is missing, was changed or cannot be loaded.
    """
    from skerry.guardrails.grounding import GroundingChecker

    place = bundled.grounding if bundled else None
    if place is None:
        return GroundingChecker.load(threads=threads)
    return GroundingChecker.load(place.folder, threads, sha256=place.sha256)


def policy(settings: Settings, bundled: Bundled | None = None) -> Policy:
    """The policy of the settings, over that of the bundle or the default one.

    Raises:
        ConfigError: one of them is no policy.
        BundleRefused: that of the bundle was changed.
    """
    from skerry.edge.policy import load_policy

    return load_policy(settings.policy) if bundled is None else bundled.policy(settings.policy)


def index(
    settings: Settings,
    encoder: TextEncoder,
    bundled: Bundled | None = None,
    *,
    networks: Networks = INSTALLED,
    read_only: bool = False,
) -> Index:
    """The index, for this encoder.

    Raises:
        EmbedderMismatch: it was built with another; with a bundle, the hint names that.
    """
    from skerry.edge.errors import EmbedderMismatch
    from skerry.edge.index import Index

    key = settings.screening_key_file
    try:
        return Index.open(
            settings.index, encoder, read_only=read_only, screening_key=key, networks=networks
        )
    except EmbedderMismatch as error:
        if bundled is None:
            raise
        folder = bundled.bundle.folder
        hint = f"Run `skerry index reembed --bundle {folder}`, or name another index (--index)."
        raise EmbedderMismatch(error.what, hint=hint) from error


def bundle_used(settings: Settings, bundled: Bundled) -> BundleUsed:
    """What receipts say of the bundle."""
    from skerry.edge.bundled.used import parts_used
    from skerry.edge.receipts import BundleUsed

    bundle = bundled.bundle
    parts = parts_used(bundled, settings)
    return BundleUsed(bundle.manifest.name, bundle.digest, bundled.variant.name, parts)


def receipts(settings: Settings) -> ReceiptStore:
    from skerry.edge.receipts import ReceiptStore, Retention

    return ReceiptStore.open(settings.state, retention=Retention(store_text=settings.store_text))


def pool(settings: Settings, options: EngineOptions, bundled: Bundled | None = None) -> ModelPool:
    """The models of this machine, and that of the bundle by its path."""
    from skerry.edge.engines.models import catalogue
    from skerry.edge.engines.pool import ModelPool

    specs: Specs = catalogue(settings.models_dir)
    if bundled is not None:
        from skerry.edge.bundled.models import WithBundle

        specs = WithBundle(specs, bundled)
    return ModelPool(
        specs,
        options,
        max_loaded=settings.max_loaded,
        idle_unload_s=settings.idle_unload_s,
    )


def tools(settings: Settings, closing: Callable[[Callable[[], None]], object]) -> Registry:
    """The tools that come with Skerry: document lookup, and appointments where there is a book.

    `closing` takes what is to be called at the end.

    Raises:
        ConfigError: the rules cannot be used.
        StateError: the book cannot be used.
    """
    from skerry.edge.tools import Registry, load_rules
    from skerry.edge.tools.documents import look_up

    registry = Registry(load_rules(settings.tool_rules))
    if settings.appointments.exists():
        from skerry.edge.tools.appointments import AppointmentBook, appointment_tools

        book = AppointmentBook.open(settings.appointments)
        closing(book.close)
        for one in appointment_tools(book):
            registry.add(one)
    registry.add(look_up)
    return registry


def cloud(settings: Settings, network: Callable[[], Network]) -> RemoteTier:
    """The cloud tier; `network` says what there is of a network now.

    Raises:
        ConfigError: none is configured.
    """
    from skerry.edge.escalate import CloudOptions, CloudTier, Secret

    if not settings.cloud_url or not settings.cloud_model:
        raise ConfigError("no cloud is configured", hint="set cloud_url and cloud_model")
    key = settings.cloud_api_key.get_secret_value() if settings.cloud_api_key else ""
    return CloudTier(
        CloudOptions(
            base_url=settings.cloud_url,
            model=settings.cloud_model,
            reasoning_model=settings.cloud_reasoning_model,
            api_key=Secret(key),
            connect_s=settings.cloud_connect_s,
            ttft_s=settings.cloud_ttft_s,
            idle_s=settings.cloud_idle_s,
            total_s=settings.cloud_total_s,
        ),
        offline=lambda: network() is Network.OFFLINE,
    )


def split(
    settings: Settings,
    network: Callable[[], Network],
    lease: Lease,
    bundled: Bundled | None = None,
) -> RemoteTier:
    """Split inference with a cloud tier; `lease` gives the device's model.

    Raises:
        ConfigError: none is configured.
    """
    from skerry.edge.device import device_state
    from skerry.edge.split.drafting import Drafting
    from skerry.edge.split.tier import SplitTier

    options = split_options(settings)
    path, wanted = draft_model(settings, bundled)
    drafting = Drafting(path, threads=settings.threads or 1, state=device_state, wanted=wanted)
    return SplitTier(
        options, lease, drafting, offline=lambda: network() is Network.OFFLINE,
        closing=drafting.close,
    )  # fmt: skip


def collections(settings: Settings, network: Callable[[], Network]) -> Collections:
    """Cloud collections; `network` says what there is of a network now.

    Raises:
        ConfigError: none is configured.
    """
    from skerry.edge.collections.searching import Collections, CollectionsOptions

    options = CollectionsOptions(
        collections_service(settings), tuple(sorted(settings.collections)), settings.collections_s
    )
    return Collections(options, offline=lambda: network() is Network.OFFLINE)


def collections_service(settings: Settings) -> CloudOptions:
    """Where the gateway with the collections is.

    Raises:
        ConfigError: none is configured.
    """
    from skerry.edge.escalate import CloudOptions, Secret
    from skerry.edge.escalate.options import check_url

    if not settings.collections_url:
        raise ConfigError("no gateway with collections is configured", hint="set collections_url")
    url, key = check_url(settings.collections_url), settings.collections_api_key
    root = url.path.rstrip("/").removesuffix("/v1")
    return CloudOptions(
        base_url=str(url.copy_with(path=f"{root}/v1")),
        model="collections",
        api_key=Secret(key.get_secret_value() if key else ""),
        connect_s=settings.collections_s,
    )


def split_options(settings: Settings) -> SplitOptions:
    """Where the cloud that verifies is.

    Raises:
        ConfigError: none is configured, or the settings do not fit together.
    """
    from skerry.edge.escalate import Secret
    from skerry.edge.split.options import SplitOptions

    if not settings.split_url:
        raise ConfigError("no split inference is configured", hint="set split_url")
    key = settings.split_api_key.get_secret_value() if settings.split_api_key else ""
    return SplitOptions(
        base_url=settings.split_url,
        api_key=Secret(key),
        patience_ms=settings.split_patience_ms,
        transport=settings.split_transport,
    )


def draft_model(settings: Settings, bundled: Bundled | None = None) -> tuple[Path | None, bool]:
    """The draft model and whether it was named; else it is the bundle's, or the one that comes
    with Skerry."""
    from skerry.edge.folders import expanded
    from skerry.edge.split.drafting import BUILT_IN

    if settings.split_draft == "off":
        return None, False
    if settings.split_draft == "auto" and bundled is not None and bundled.draft is not None:
        return bundled.draft, False
    if settings.split_draft == "auto":
        return (BUILT_IN if BUILT_IN.is_file() else None), False
    return expanded(Path(settings.split_draft)), True
