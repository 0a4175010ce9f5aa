"""Whether the parts of a bundle fit together, and those that are installed beside them.

`check_fit` reads heads of files only, when a bundle is opened. `part_problems` loads every part
with its own reader, for `skerry bundle verify`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
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
    carried,
)
from skerry.edge.errors import BundleRefused, EdgeError
from skerry.guardrails.errors import GuardrailError
from skerry.guardrails.networks import fresh

if TYPE_CHECKING:
    from skerry.bundles import Bundle, Problem, Variant
    from skerry.edge.bundled import Bundled
    from skerry.edge.encoder import Manifest
    from skerry.edge.router import Router

_ANEW = "build the bundle anew, with parts that belong together"


def check_fit(bundled: Bundled) -> None:
    """Reads the heads of the parts.

    Raises:
        BundleRefused: the router was trained on another encoder, the tokenizer is not the model's,
            or the draft model has other tokens.
    """
    try:
        _check_router(bundled)
        _check_tokenizer(bundled.bundle, bundled.variant)
        _check_draft(bundled)
    except BundleRefused:
        raise
    except EdgeError as error:
        raise BundleRefused(error.what, hint=_ANEW) from error


def part_problems(bundle: Bundle) -> Iterator[Problem]:
    """What is wrong with the parts of a bundle whose files are all right; loads every one."""
    from skerry.bundles import Problem

    for path, check in _checks(bundle):
        try:
            check()
        except (EdgeError, GuardrailError) as error:
            yield Problem(path, error.what)


def _checks(bundle: Bundle) -> Iterator[tuple[str, Callable[[], object]]]:
    """Every check, and the path that it is about."""
    from skerry.bundles.manifest import MANIFEST
    from skerry.device_profiles import Format

    try:
        bundled = _whole(bundle)
    except BundleRefused as error:
        yield MANIFEST, _raising(error)
        return
    for name, check in _loads(bundled).items():
        if name in bundled.parts:
            yield bundled.parts[name].path, check
    if ENCODER in bundled.parts or ROUTER in bundled.parts:
        part = bundled.parts.get(ROUTER) or bundled.parts[ENCODER]
        yield part.path, lambda: _check_router(bundled)
    for variant in bundle.manifest.variants:
        if variant.format is Format.GGUF:
            path = variant.files[0]
            yield path, lambda one=variant: _check_tokenizer(bundle, one)  # type: ignore[misc]
    if DRAFT in bundled.parts:
        yield bundled.parts[DRAFT].path, lambda: _check_draft(bundled)


def _whole(bundle: Bundle) -> Bundled:
    """The bundle with its first variant of a language model: which one suits is not asked here."""
    from skerry.bundles import Kind
    from skerry.edge.bundled import Bundled

    def first(kind: Kind) -> Variant | None:
        of_kind = (
            one for one in bundle.manifest.variants if bundle.manifest.model(one.model).kind is kind
        )
        return next(of_kind, None)

    encoder = first(Kind.ENCODER)
    variant = first(Kind.LLM) or bundle.manifest.variants[0]
    return Bundled(bundle, variant, (), carried(bundle.manifest, encoder))


def _raising(error: Exception) -> Callable[[], object]:
    def fail() -> object:
        raise error

    return fail


def _loads(bundled: Bundled) -> dict[str, Callable[[], object]]:
    """What reads each part, as the runtime would."""
    networks = fresh(bundled.network_places)  # also where they are the installed ones
    adapters = {name: _adapter(bundled, name) for name in bundled.parts if name.startswith(ADAPTER)}
    return {
        ENCODER: lambda: _encoder(bundled).check(),
        GROUNDING: lambda: _load_grounding(bundled),
        **{name: _network(networks, name) for name in NETWORKS},
        POLICY if POLICY in bundled.parts else DEFAULT_POLICY: lambda: bundled.policy(None),
        GROUNDED: partial(bundled.text, GROUNDED),
        OPEN: partial(bundled.text, OPEN),
        CHAT_TEMPLATE: lambda: _compile(bundled.text(CHAT_TEMPLATE) or ""),
        **adapters,
    }


def _network(networks: object, name: str) -> Callable[[], object]:
    """The network of that name."""
    found: Callable[[], object] = getattr(networks, "table" if name == "wording" else name)
    return found


def _load_grounding(bundled: Bundled) -> object:
    from skerry.guardrails.grounding import GroundingChecker

    place = bundled.grounding
    assert place is not None, "it is asked of a bundle that has one"
    return GroundingChecker.load(place.folder, sha256=place.sha256)


def _adapter(bundled: Bundled, name: str) -> Callable[[], object]:
    from skerry.edge.engines.llama.files import read_gguf

    def check() -> object:
        path = bundled.path(bundled.parts[name])
        if read_gguf(path).metadata.get("general.type") != "adapter":
            raise BundleRefused(f"'{path}' is no LoRA adapter", hint=_ANEW)
        return None

    return check


def _compile(source: str) -> object:
    from skerry.edge.engines.chat import ChatTemplate

    return ChatTemplate(source, control=()).render([{"role": "user", "content": "."}])


def _encoder(bundled: Bundled) -> Manifest:
    """Its encoder, or the installed one."""
    from skerry.edge.encoder import DEFAULT_FOLDER, read_manifest

    place = bundled.encoder
    if place is None:
        return read_manifest(DEFAULT_FOLDER)
    return read_manifest(place.folder, sha256=place.sha256)


def _router(bundled: Bundled) -> Router:
    from skerry.edge.router import Router

    place = bundled.router
    return Router.load() if place is None else Router.load(place.folder, sha256=place.sha256)


def _check_router(bundled: Bundled) -> None:
    if not {ENCODER, ROUTER} & bundled.parts.keys():
        return
    encoder, router = _encoder(bundled), _router(bundled)
    if (router.encoder_id, router.dimensions) == (encoder.id, encoder.dimensions):
        return
    whose = "its" if ROUTER in bundled.parts else "the installed"
    of = "its" if ENCODER in bundled.parts else "the installed"
    what = (
        f"the bundle's parts do not fit together: {whose} router was trained on the encoder "
        f"'{router.encoder_id}' ({router.dimensions} dimensions), and {of} encoder is "
        f"'{encoder.id}' ({encoder.dimensions})"
    )
    raise BundleRefused(what, hint="build it with a router of this encoder (--router)")


def _check_tokenizer(bundle: Bundle, variant: Variant) -> None:
    """Of a GGUF that was made from a GGUF: digests of other sources are of other files."""
    from skerry.bundles.gguf.errors import GgufError
    from skerry.bundles.gguf.keys import tokenizer_digest
    from skerry.device_profiles import Format

    model = bundle.manifest.model(variant.model)
    comparable = variant.format is Format.GGUF and model.source.format == "gguf"
    if model.tokenizer is None or not comparable:
        return
    try:
        found = tokenizer_digest(bundle.entry(variant))
    except GgufError as error:
        raise BundleRefused(error.what, hint=error.hint) from error
    if found != model.tokenizer.sha256:
        what = (
            f"the bundle's parts do not fit together: the tokenizer of {variant.name} "
            f"({found[:12]}) is not that of its model ({model.tokenizer.sha256[:12]})"
        )
        raise BundleRefused(what, hint=_ANEW)


def _check_draft(bundled: Bundled) -> None:
    from skerry.device_profiles import Format

    draft = bundled.draft
    if draft is None or bundled.variant.format is not Format.GGUF:
        return
    if _drafted_for(draft) != _vocabulary(bundled.model):
        what = (
            "the bundle's parts do not fit together: its draft model has other tokens than "
            f"{bundled.variant.name}"
        )
        raise BundleRefused(what, hint=_ANEW)


def _drafted_for(path: Path) -> bytes:
    """The digest of the tokens that a draft model was made for."""
    from skerry.edge.engines.llama.files import read_draft_tokens, read_gguf

    maps = read_draft_tokens(read_gguf(path).metadata, len(_texts(path)))
    return _vocabulary(path) if maps is None else maps.vocabulary


def _vocabulary(path: Path) -> bytes:
    """The digest of the tokens of a model."""
    from skerry.cloud.hints.vocabulary import digest

    return digest(_texts(path))


def _texts(path: Path) -> list[bytes]:
    from skerry.bundles.gguf.errors import GgufError
    from skerry.bundles.gguf.keys import token_texts

    try:
        return token_texts(path)
    except GgufError as error:
        raise BundleRefused(error.what, hint=error.hint) from error
