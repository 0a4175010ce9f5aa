"""What a runtime with a bundle is made of, part by part: which digest, and where from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from skerry.edge.bundled.carried import (
    ADAPTER,
    CHAT_TEMPLATE,
    DEFAULT_POLICY,
    DRAFT,
    ENCODER,
    ENCODER_MANIFEST,
    GROUNDED,
    GROUNDING,
    NETWORKS,
    OPEN,
    POLICY,
    ROUTER,
    Carried,
    carried,
)
from skerry.edge.errors import ConfigError
from skerry.edge.receipts.receipt import PartUsed

if TYPE_CHECKING:
    from skerry.bundles import Manifest
    from skerry.edge.bundled import Bundled
    from skerry.edge.settings import Settings


def parts_used(bundled: Bundled, settings: Settings) -> tuple[PartUsed, ...]:
    """The parts that answers are made with, in a fixed order; none for what nothing has.

    Raises:
        ConfigError: an installed part, or the policy of the settings, cannot be read.
    """
    parts = bundled.parts
    return (
        *_used(parts, settings.policy),
        *_draft(parts, settings),
        *_adapters(parts),
    )


def told_parts(bundled: Bundled, settings: Settings) -> str:
    """What came from where, in a line: each origin with its parts and their digests."""
    used = parts_used(bundled, settings)
    origins = dict.fromkeys(one.origin for one in used)
    return "; ".join(_told(origin, used) for origin in origins)


def _told(origin: str, used: tuple[PartUsed, ...]) -> str:
    of_it = (f"{one.name} {one.digest[:12]}" for one in used if one.origin == origin)
    words = {"bundle": "of the bundle", "settings": "of the settings"}
    return f"{words.get(origin, origin)}: {', '.join(of_it)}"


def parts_of(manifest: Manifest) -> tuple[PartUsed, ...]:
    """The parts that a runtime would have which runs this bundle with no setting of its own.

    Raises:
        BundleRefused: it has parts that cannot be taken together.
        ConfigError: an installed part cannot be read.
    """
    parts = _all(manifest)
    drafts = (_carried(parts[DRAFT]),) if DRAFT in parts else ()
    return (*_used(parts, None), *drafts, *_adapters(parts))


def _all(manifest: Manifest) -> dict[str, Carried]:
    """With the first encoder that is a variant, where there is one."""
    from skerry.bundles import Kind
    from skerry.device_profiles import Format

    encoders = (
        one
        for one in manifest.variants
        if manifest.model(one.model).kind is Kind.ENCODER and one.format is Format.ONNX
    )
    return carried(manifest, next(encoders, None))


def installed() -> Mapping[str, Callable[[], bytes]]:
    """What stands for each part where no bundle has it, by name."""
    from skerry.edge import prompt
    from skerry.edge.encoder.files import DEFAULT_FOLDER
    from skerry.edge.policy.load import DEFAULTS
    from skerry.edge.router.router import DEFAULT_WEIGHTS
    from skerry.guardrails.networks import MANIFESTS, installed_folder

    files = {
        ENCODER: DEFAULT_FOLDER / ENCODER_MANIFEST,
        ROUTER: DEFAULT_WEIGHTS,
        **{name: installed_folder(name) / MANIFESTS[name] for name in NETWORKS},
        GROUNDING: installed_folder(GROUNDING) / "grounding.json",
        DEFAULT_POLICY: DEFAULTS,
    }
    return {
        **{name: partial(_read, path) for name, path in files.items()},
        GROUNDED: prompt.GROUNDED.encode,
        OPEN: prompt.OPEN.encode,
    }


def _used(parts: Mapping[str, Carried], policy: Path | None) -> Iterator[PartUsed]:
    """All but drafts and adapters; `policy` is that of the settings."""
    for name, content in installed().items():
        yield _carried(parts[name]) if name in parts else _installed(name, content())
    if policy is not None:
        yield PartUsed(POLICY, "settings", _digest(_read(policy)))
    elif POLICY in parts:
        yield _carried(parts[POLICY])
    if CHAT_TEMPLATE in parts:
        yield _carried(parts[CHAT_TEMPLATE])


def _adapters(parts: Mapping[str, Carried]) -> Iterator[PartUsed]:
    yield from (_carried(one) for name, one in parts.items() if name.startswith(ADAPTER))


def _draft(parts: Mapping[str, Carried], settings: Settings) -> Iterator[PartUsed]:
    """The draft model, where something is drafted: with split inference."""
    from skerry.edge.making import draft_model

    if settings.split_url is None:
        return
    if DRAFT in parts and settings.split_draft == "auto":
        yield _carried(parts[DRAFT])
        return
    path, named = draft_model(settings)
    if path is not None:
        yield PartUsed(DRAFT, "settings" if named else "installed", _digest_of(path))


def _carried(part: Carried) -> PartUsed:
    return PartUsed(part.name, "bundle", part.sha256)


def _installed(name: str, content: bytes) -> PartUsed:
    return PartUsed(name, "installed", _digest(content))


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        what = f"'{path}' cannot be read: {error.strerror}"
        raise ConfigError(what, hint="reinstall skerry, or mend the settings") from error


def _digest(content: bytes) -> str:
    return sha256(content).hexdigest()


def _digest_of(path: Path) -> str:
    from skerry.edge.engines.digest import FileDigest

    return FileDigest(path).result()
