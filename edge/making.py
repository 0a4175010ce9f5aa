"""How the parts of a runtime are made from its settings. Each is imported when it is made."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from skerry.edge.errors import ConfigError
from skerry.edge.types import Network

if TYPE_CHECKING:
    from skerry.device_profiles import Profile
    from skerry.edge.collections.searching import Collections
    from skerry.edge.engines.base import EngineOptions
    from skerry.edge.engines.pool import ModelPool
    from skerry.edge.escalate import CloudOptions, RemoteTier
    from skerry.edge.receipts import ReceiptStore
    from skerry.edge.settings import Settings
    from skerry.edge.split.options import SplitOptions
    from skerry.edge.split.tier import Lease
    from skerry.edge.tools import Registry


def profile(settings: Settings) -> Profile:
    """The device profile that was named, or the one that suits this machine."""
    from skerry.device_profiles import find_profile, load_profiles, pick, probe

    profiles = load_profiles(settings.profiles_dir)
    if settings.profile is not None:
        return find_profile(settings.profile, profiles)
    return pick(probe(), profiles).profile


def receipts(settings: Settings) -> ReceiptStore:
    from skerry.edge.receipts import ReceiptStore, Retention

    return ReceiptStore.open(settings.state, retention=Retention(store_text=settings.store_text))


def pool(settings: Settings, options: EngineOptions) -> ModelPool:
    from skerry.edge.engines.models import catalogue
    from skerry.edge.engines.pool import ModelPool

    return ModelPool(
        catalogue(settings.models_dir),
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


def split(settings: Settings, network: Callable[[], Network], lease: Lease) -> RemoteTier:
    """Split inference with a cloud tier; `lease` gives the device's model.

    Raises:
        ConfigError: none is configured.
    """
    from skerry.edge.device import device_state
    from skerry.edge.split.drafting import Drafting
    from skerry.edge.split.tier import SplitTier

    options = split_options(settings)
    path, wanted = draft_model(settings)
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


def draft_model(settings: Settings) -> tuple[Path | None, bool]:
    """The draft model that was named, or the one that comes with Skerry; whether it was named."""
    from skerry.edge.folders import expanded
    from skerry.edge.split.drafting import BUILT_IN

    if settings.split_draft == "off":
        return None, False
    if settings.split_draft == "auto":
        return (BUILT_IN if BUILT_IN.is_file() else None), False
    return expanded(Path(settings.split_draft)), True
