"""What a bundle carries beside its models, part by part, by the paths of its manifest. Pure.

A part is named by one file: a manifest that has the digests of the others, or the file itself.
`bundled` says what is taken of it, `parts_used` what came from where.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from skerry.edge.errors import BundleRefused
from skerry.guardrails.networks import MANIFESTS

if TYPE_CHECKING:
    from skerry.bundles import Manifest, Variant

ENCODER, ROUTER, GROUNDING, DRAFT = "encoder", "router", "grounding", "draft model"
DEFAULT_POLICY, POLICY = "default policy", "policy"
GROUNDED, OPEN, CHAT_TEMPLATE = "grounded prompt", "open prompt", "chat template"
ADAPTER = "adapter "
"""Before the name of an adapter."""
NETWORKS = tuple(MANIFESTS)

ENCODER_MANIFEST = "encoder.json"
_ENCODERS = "parts/encoder"
_ADAPTERS = "parts/adapter"
PATHS: Mapping[str, str] = {
    ROUTER: "parts/router/router/router.npz",
    **{name: f"parts/guardrails/{name}/{file}" for name, file in MANIFESTS.items()},
    GROUNDING: "parts/guardrails/grounding/grounding.json",
    DEFAULT_POLICY: "parts/policy/default.toml",
    POLICY: "parts/policy/policy.toml",
    GROUNDED: "parts/prompt/grounded.txt",
    OPEN: "parts/prompt/open.txt",
    CHAT_TEMPLATE: "parts/prompt/chat_template.jinja",
    DRAFT: "parts/draft/draft.gguf",
}
"""Where the parts lie whose place is fixed."""
IN_FOLDERS = frozenset({ENCODER, ROUTER, GROUNDING, *NETWORKS})
"""Parts that are all files of their folder, and not one file alone."""


@dataclass(frozen=True, slots=True)
class Carried:
    """A part of a bundle: `path` names it, `sha256` is that file's digest."""

    name: str
    path: str
    sha256: str

    @property
    def folder(self) -> str:
        """The folder of that file, relative to the bundle."""
        return str(PurePosixPath(self.path).parent)

    def owns(self, path: str) -> bool:
        """Whether a file of the bundle belongs to this part."""
        if self.name in IN_FOLDERS:
            return str(PurePosixPath(path).parent) == self.folder
        return path == self.path


def carried(manifest: Manifest, encoder: Variant | None = None) -> dict[str, Carried]:
    """The parts of a bundle, by name.

    Args:
        encoder: the variant of an encoder that suits, where the manifest has one; one among the
            parts comes first.

    Raises:
        BundleRefused: it has two encoders, or some of the networks that belong together.
    """
    digests = {file.path: file.sha256 for file in manifest.files}
    paths = {name: path for name, path in PATHS.items() if path in digests}
    if (found := _encoder(digests, encoder)) is not None:
        paths[ENCODER] = found
    paths |= _adapters(digests)
    _check_together(paths, manifest.name)
    return {name: Carried(name, path, digests[path]) for name, path in sorted(paths.items())}


def unknown(manifest: Manifest) -> list[str]:
    """Paths below `parts/` that this version takes for nothing, licences and reports left out."""
    from skerry.bundles import Role

    parts = carried(manifest).values()
    quiet = (Role.LICENCE, Role.REPORT, Role.VARIANT)
    return [
        file.path
        for file in manifest.files
        if file.role not in quiet and not any(one.owns(file.path) for one in parts)
    ]


def _encoder(paths: Mapping[str, str], variant: Variant | None) -> str | None:
    found = [path for path in paths if _is_in(path, _ENCODERS, 2) and _is_encoder(path)]
    if len(found) > 1:
        what = f"the bundle has {len(found)} encoders: {', '.join(found)}"
        raise BundleRefused(what, hint="build it with one")
    of_variant = [path for path in variant.files if _is_encoder(path)] if variant else []
    return next(iter((*found, *of_variant)), None)


def _adapters(paths: Mapping[str, str]) -> dict[str, str]:
    found = (path for path in paths if _is_in(path, _ADAPTERS, 1) and path.endswith(".gguf"))
    return {ADAPTER + PurePosixPath(path).stem: path for path in found}


def _is_in(path: str, folder: str, depth: int) -> bool:
    """Whether the path has `depth` parts below the folder."""
    return path.startswith(f"{folder}/") and path.count("/") == folder.count("/") + depth


def _is_encoder(path: str) -> bool:
    return path.endswith(f"/{ENCODER_MANIFEST}")


def _check_together(paths: Mapping[str, str], bundle: str) -> None:
    """Heads were trained on one table of words: none fits another."""
    together = ("wording", "injection", "safety")
    there = [name for name in together if name in paths]
    if there and len(there) < len(together):
        lacking = ", ".join(_without(together, there))
        what = f"the bundle '{bundle}' has {', '.join(there)} of the guardrails without {lacking}"
        raise BundleRefused(what, hint="these networks belong together: build it with all of them")


def _without(names: tuple[str, ...], there: list[str]) -> Iterator[str]:
    yield from (name for name in names if name not in there)
