"""What of Skerry's own goes into a bundle: the files that decide how a device answers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from skerry.export.building import Part
    from skerry.export.planning import Subject

_GUARDS = ("grounding", "injection", "names", "safety", "wording")


def shipped_parts(subject: Subject, policy: Path | None, *, encoder: bool = True) -> list[Part]:
    """The parts for a bundle of `subject`.

    Args:
        subject: the model whose chat template goes along.
        policy: a policy that is laid over the default one; both go along.
        encoder: whether the encoder that comes with Skerry goes along.
    """
    from skerry.edge import prompt
    from skerry.export.building import prompt_parts

    prompts = {"grounded.txt": prompt.GROUNDED, "open.txt": prompt.OPEN}
    parts = [*_folders(encoder=encoder), *_policy(policy), *prompt_parts(subject, prompts)]
    return sorted(parts, key=lambda part: part.path)


def _folders(*, encoder: bool) -> Iterator[Part]:
    """Networks, heads and thresholds, each in a folder of its name."""
    import skerry.guardrails
    from skerry.bundles import Role
    from skerry.edge.encoder.files import DEFAULT_FOLDER
    from skerry.edge.router.router import DEFAULT_WEIGHTS
    from skerry.export.building.parts import folder_parts

    if encoder:
        yield from folder_parts(Role.ENCODER, DEFAULT_FOLDER, DEFAULT_FOLDER.name)
    yield from folder_parts(Role.ROUTER, DEFAULT_WEIGHTS.parent, "router")
    guards = Path(str(skerry.guardrails.__file__)).parent
    for name in _GUARDS:
        yield from folder_parts(Role.GUARDRAILS, guards / name / "weights", name)


def _policy(policy: Path | None) -> Iterator[Part]:
    from skerry.bundles import Role
    from skerry.edge.policy.load import DEFAULTS
    from skerry.export.building import Part

    yield Part(Role.POLICY, "default.toml", DEFAULTS)
    if policy is not None:
        yield Part(Role.POLICY, "policy.toml", policy)
