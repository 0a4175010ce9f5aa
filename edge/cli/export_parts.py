"""What of Skerry's own goes into a bundle: the files that decide how a device answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from skerry.export.building import Part
    from skerry.export.planning import Subject

_GUARDS = ("grounding", "injection", "names", "safety", "wording")
BUILT_IN = "built-in"
"""What stands for the draft model that comes with Skerry."""


@dataclass(frozen=True, slots=True)
class Own:
    """What the user gives. `encoder`: whether the encoder that comes with Skerry goes along.

    `policy` is laid over the default one; both go along. `router` is the file of one that was
    trained on another encoder; without that encoder's, none goes along. `draft` is a GGUF file, or
    `BUILT_IN`; `adapters` are GGUF files.
    """

    policy: Path | None = None
    encoder: bool = True
    router: Path | None = None
    draft: str | None = None
    adapters: Sequence[Path] = ()


def shipped_parts(subject: Subject, own: Own) -> list[Part]:
    """The parts for a bundle of `subject`, whose chat template goes along.

    Raises:
        Unsupported: a file that was given is none that the runtime could use.
    """
    from skerry.edge import prompt
    from skerry.export.building import licence_parts, prompt_parts

    prompts = {"grounded.txt": prompt.GROUNDED, "open.txt": prompt.OPEN}
    parts = [
        *_folders(own),
        *_policy(own.policy),
        *_drafts(own.draft),
        *_adapters(own.adapters),
        *prompt_parts(subject, prompts),
        *licence_parts(subject),
    ]
    return sorted(parts, key=lambda part: part.path)


def _folders(own: Own) -> Iterator[Part]:
    """Networks, heads and thresholds, each in a folder of its name."""
    import skerry.guardrails
    from skerry.bundles import Role
    from skerry.edge.encoder.files import DEFAULT_FOLDER
    from skerry.edge.router.router import DEFAULT_WEIGHTS
    from skerry.export.building.parts import Part, folder_parts

    if own.encoder:
        yield from folder_parts(Role.ENCODER, DEFAULT_FOLDER, DEFAULT_FOLDER.name)
    if own.router is not None:
        yield Part(Role.ROUTER, "router/router.npz", _readable_router(own.router))
    elif own.encoder:
        yield from folder_parts(Role.ROUTER, DEFAULT_WEIGHTS.parent, "router")
    guards = Path(str(skerry.guardrails.__file__)).parent
    for name in _GUARDS:
        yield from folder_parts(Role.GUARDRAILS, guards / name / "weights", name)


def _readable_router(path: Path) -> Path:
    from skerry.edge.router import Router

    Router.load(path)
    return path


def _drafts(draft: str | None) -> Iterator[Part]:
    from skerry.bundles import Role
    from skerry.edge.split.drafting import BUILT_IN as ours
    from skerry.export.building import Part

    if draft is not None:
        path = ours if draft == BUILT_IN else Path(draft)
        yield Part(Role.DRAFT, "draft.gguf", _gguf(path, adapter=False))


def _adapters(adapters: Sequence[Path]) -> Iterator[Part]:
    from skerry.bundles import Role
    from skerry.export.building import Part

    for path in adapters:
        yield Part(Role.ADAPTER, f"{path.stem}.gguf", _gguf(path, adapter=True))


def _gguf(path: Path, *, adapter: bool) -> Path:
    """The path of a whole GGUF file of that kind."""
    from skerry.edge.engines.llama.files import read_gguf
    from skerry.export.errors import Unsupported

    is_adapter = read_gguf(path).metadata.get("general.type") == "adapter"
    if is_adapter is not adapter:
        wanted = "a LoRA adapter" if adapter else "a model"
        what = f"'{path}' is not {wanted}"
        raise Unsupported(what, hint="`skerry export lora` makes adapters")
    return path


def _policy(policy: Path | None) -> Iterator[Part]:
    from skerry.bundles import Role
    from skerry.edge.policy.load import DEFAULTS
    from skerry.export.building import Part

    yield Part(Role.POLICY, "default.toml", DEFAULTS)
    if policy is not None:
        yield Part(Role.POLICY, "policy.toml", policy)
