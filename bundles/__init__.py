"""What a device runs, as one folder: the manifest, and how to write, read, verify and compare it.

Used by `edge` (runs bundles), `export` (makes them) and `sync` (ships them); uses none of them.
docs/bundles.md describes the format.
"""

from __future__ import annotations

if __name__ != "skerry.bundles":
    raise ImportError(f"import this package as skerry.bundles, not as {__name__}")

from skerry.bundles.choose import Choice, fit_variant
from skerry.bundles.diff import Difference, compare
from skerry.bundles.errors import (
    BundleBusy,
    BundleDamaged,
    BundleError,
    BundleExists,
    BundleNotFound,
    ManifestInvalid,
    NoVariant,
    WriteFailed,
)
from skerry.bundles.manifest import (
    File,
    Kind,
    Manifest,
    Model,
    Role,
    Shape,
    Source,
    Step,
    Suiting,
    Suits,
    Tokenizer,
    Tool,
    Variant,
)
from skerry.bundles.read import Bundle, open_bundle, read_bundle
from skerry.bundles.structure import Problem
from skerry.bundles.verify import Verification, verify_bundle
from skerry.bundles.write import describe, write_bundle

__all__ = [
    "Bundle",
    "BundleBusy",
    "BundleDamaged",
    "BundleError",
    "BundleExists",
    "BundleNotFound",
    "Choice",
    "Difference",
    "File",
    "Kind",
    "Manifest",
    "ManifestInvalid",
    "Model",
    "NoVariant",
    "Problem",
    "Role",
    "Shape",
    "Source",
    "Step",
    "Suiting",
    "Suits",
    "Tokenizer",
    "Tool",
    "Variant",
    "Verification",
    "WriteFailed",
    "compare",
    "describe",
    "fit_variant",
    "open_bundle",
    "read_bundle",
    "verify_bundle",
    "write_bundle",
]
