"""Compares every file of a bundle with its digest. Says all that is wrong, not the first thing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from skerry.bundles.hashing import Told, sha256, unheard
from skerry.bundles.manifest import File
from skerry.bundles.read import Bundle, read_bundle
from skerry.bundles.structure import Problem, structure_problems


@dataclass(frozen=True, slots=True)
class Verification:
    """What was found. `digest` is the bundle's; `bytes_read` counts the files that were hashed."""

    name: str
    digest: str
    files: int
    bytes_read: int
    problems: tuple[Problem, ...]

    @property
    def ok(self) -> bool:
        return not self.problems


def verify_bundle(path: Path, told: Told = unheard) -> Verification:
    """Reads every file of the bundle at `path`.

    Args:
        path: its folder.
        told: told how many further bytes were read.

    Raises:
        BundleNotFound: there is no folder with a manifest.
        ManifestInvalid: the manifest cannot be used, so that nothing can be compared.
    """
    bundle = read_bundle(path)
    problems = _structure(bundle)
    bad = {one.path for one in problems}
    sound = [file for file in bundle.manifest.files if file.path not in bad]
    for file in sound:
        if (what := _fault(bundle.folder / file.path, file, told)) is not None:
            problems.append(Problem(file.path, what))
    return Verification(
        name=bundle.manifest.name,
        digest=bundle.digest,
        files=len(bundle.manifest.files),
        bytes_read=sum(file.size for file in sound),
        problems=tuple(sorted(problems, key=lambda one: one.path)),
    )


def _structure(bundle: Bundle) -> list[Problem]:
    try:
        return list(structure_problems(bundle.folder, bundle.manifest))
    except OSError as error:
        return [Problem(".", f"a folder of it cannot be read: {error}")]


def _fault(path: Path, file: File, told: Told) -> str | None:
    try:
        found = sha256(path, told)
    except OSError as error:
        return f"it cannot be read: {error.strerror}"
    return None if found == file.sha256 else f"its SHA-256 is {found}, not {file.sha256}"
