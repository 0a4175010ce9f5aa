"""Opens a bundle: reads its manifest, and checks that exactly its files are there.

Content is not read here: `verify` compares digests. Whatever a folder holds, nothing outside it is
read or named.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from skerry.bundles import codec
from skerry.bundles.choose import Choice, choose
from skerry.bundles.errors import BundleDamaged, BundleNotFound, ManifestInvalid, NoVariant
from skerry.bundles.hashing import open_file
from skerry.bundles.manifest import MANIFEST, VARIANTS, Kind, Manifest, Role, Variant
from skerry.bundles.structure import structure_problems
from skerry.device_profiles import Format, Profile

_MAX_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle on disk. `digest` is that of its manifest, which has those of all its files."""

    folder: Path
    manifest: Manifest
    digest: str

    def path(self, relative: str) -> Path:
        """Where a file of the manifest is; raises KeyError for any other."""
        return self.folder / self.manifest.file(relative).path

    def variant(self, name: str) -> Variant:
        """The variant of that name.

        Raises:
            NoVariant: there is none.
        """
        for variant in self.manifest.variants:
            if variant.name == name:
                return variant
        names = ", ".join(one.name for one in self.manifest.variants)
        what = f"the bundle '{self.manifest.name}' has no variant '{name}'"
        raise NoVariant(what, hint=f"there are: {names}")

    def variant_for(
        self,
        profile: Profile,
        *,
        kind: Kind = Kind.LLM,
        formats: Collection[Format] = tuple(Format),
    ) -> Choice:
        """The variant that a device of `profile` takes, and why; raises NoVariant."""
        return choose(self.manifest, profile, kind=kind, formats=formats)

    def entry(self, variant: Variant) -> Path:
        """What an engine is given: the file of a variant that is one file, else its folder."""
        if len(variant.files) == 1:
            return self.path(variant.files[0])
        return self.folder / VARIANTS / variant.name

    def of_role(self, role: Role) -> tuple[Path, ...]:
        """The files that are for one thing, such as the policy."""
        return tuple(self.folder / file.path for file in self.manifest.of_role(role))


def open_bundle(path: Path) -> Bundle:
    """The bundle in the folder `path`, whose files are all there with their sizes.

    Raises:
        BundleNotFound: there is no folder with a manifest.
        ManifestInvalid: the manifest cannot be used.
        BundleDamaged: a file is missing, of another size, a link, or not in the manifest.
    """
    bundle = read_bundle(path)
    try:
        problems = list(structure_problems(bundle.folder, bundle.manifest))
    except OSError as error:
        what = f"the bundle '{path}' cannot be read: {error}"
        raise BundleDamaged(what, hint="check its permissions") from error
    if problems:
        shown = "; ".join(f"'{one.path}': {one.what}" for one in problems[:_MAX_SHOWN])
        more = f"; and {len(problems) - _MAX_SHOWN} more" if len(problems) > _MAX_SHOWN else ""
        hint = "see `skerry bundle verify`; build it anew, or fetch it again"
        raise BundleDamaged(f"the bundle '{path}' is damaged: {shown}{more}", hint=hint)
    return bundle


def read_bundle(path: Path) -> Bundle:
    """The bundle by its manifest alone; of its files nothing is known yet.

    Raises:
        BundleNotFound: there is no folder with a manifest.
        ManifestInvalid: the manifest cannot be used.
    """
    folder = _resolved(path)
    data = _read(path, folder / MANIFEST)
    manifest = codec.decode(data, str(path / MANIFEST))
    return Bundle(folder, manifest, hashlib.sha256(data).hexdigest())


def _resolved(path: Path) -> Path:
    """The folder itself, so that a link which is put elsewhere later changes nothing."""
    try:
        return path.resolve()
    except (OSError, RuntimeError, ValueError) as error:  # a loop of links; a NUL in the path
        what = f"there is no bundle at '{path}': {getattr(error, 'strerror', None) or error}"
        raise BundleNotFound(what, hint="check the path") from None


def _read(path: Path, file: Path) -> bytes:
    """The manifest's bytes; one more than are allowed where there are more."""
    try:
        with open_file(file) as opened:
            return opened.read(codec.MAX_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError):
        what = f"there is no bundle at '{path}': it has no {MANIFEST}"
        raise BundleNotFound(what, hint="make one with `skerry export build`") from None
    except OSError as error:
        what = f"'{path / MANIFEST}' cannot be read: {error.strerror}"
        raise ManifestInvalid(what, hint="it must be a plain file that may be read") from error
