"""What `bundle.json` says, as frozen records.

Plain data. `codec` reads and writes it, `paths` says which paths are safe, `rules` what must agree.
Sizes are in bytes, memory in MiB (`_mb`), digests SHA-256 in lower-case hexadecimal.
docs/bundles.md describes every field; `python -m skerry.bundles.schema` prints the JSON Schema.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

from msgspec import Meta, Struct

from skerry.device_profiles.profile import Format

SCHEMA = "skerry.bundle/2"
READ = ("skerry.bundle/1", SCHEMA)
"""The versions that are read. The first one has no draft model."""
MANIFEST = "bundle.json"
VARIANTS = "variants"
"""The folder of all variants: the files of the variant NAME lie in `variants/NAME/`."""

Word = Annotated[str, Meta(pattern=r"^[a-z0-9]+([-_.][a-z0-9]+)*$", max_length=64)]
Text = Annotated[str, Meta(min_length=1, max_length=2000)]
Sha256 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")]
RelativePath = Annotated[str, Meta(min_length=1, max_length=240)]
Bytes = Annotated[int, Meta(ge=0, le=1 << 50)]
Count = Annotated[int, Meta(ge=0, le=1 << 53)]
NotNegative = Annotated[float, Meta(ge=0)]


class Kind(StrEnum):
    """What a model does: writes tokens, or makes a vector of a text."""

    LLM = "llm"
    ENCODER = "encoder"


class Role(StrEnum):
    """What a file is for."""

    VARIANT = "variant"
    TOKENIZER = "tokenizer"
    ENCODER = "encoder"
    ROUTER = "router"
    GUARDRAILS = "guardrails"
    POLICY = "policy"
    PROMPT = "prompt"
    DRAFT = "draft"
    ADAPTER = "adapter"
    LICENCE = "licence"
    REPORT = "report"


class Suiting(StrEnum):
    """How well a variant fits: `tight` leaves little memory to the rest of the runtime."""

    YES = "yes"
    TIGHT = "tight"


class _Record(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Base of every record: nothing is ignored, nothing may change."""


class File(_Record, frozen=True, kw_only=True):
    """One file of the bundle. `path` is relative, with `/` between its parts."""

    path: RelativePath
    sha256: Sha256
    size: Bytes
    role: Role


class Tokenizer(_Record, frozen=True, kw_only=True):
    """The tokenizer of a model. `sha256` is of its content, not of a file: docs/bundles.md."""

    sha256: Sha256
    vocabulary: Count


class Source(_Record, frozen=True, kw_only=True):
    """What a model was made from. `sha256` is of the file, or of the list of files and digests."""

    name: Text
    format: Text
    sha256: Sha256
    size: Bytes
    url: Annotated[str, Meta(max_length=2000)] = ""


class Shape(_Record, frozen=True, kw_only=True):
    """What decides on memory and speed: see `skerry.device_profiles.fit.ModelFacts`."""

    parameters: Count
    kv_values: Count
    embedding: Count
    feed_forward: Count
    vocabulary: Count
    context_tokens: Count


class Model(_Record, frozen=True, kw_only=True):
    """A model of which the bundle has variants. `licence` is an SPDX id, or "unknown"."""

    name: Text
    kind: Kind
    architecture: Text
    licence: Text
    source: Source
    shape: Shape
    tokenizer: Tokenizer | None = None


class Step(_Record, frozen=True, kw_only=True):
    """One step from the source to the variant: which tool did what."""

    tool: Text
    version: Text
    did: Text


class Suits(_Record, frozen=True, kw_only=True):
    """A device profile that a variant suits, and why. `tokens_per_s` is an estimate."""

    profile: Word
    fits: Suiting
    total_mb: NotNegative
    limit_mb: NotNegative
    tokens_per_s: NotNegative | None
    why: Annotated[tuple[Text, ...], Meta(max_length=64)]


class Variant(_Record, frozen=True, kw_only=True):
    """One form of a model. `files` are its paths; `evaluation` is None where nothing was measured.

    `facts` and `evaluation` are JSON objects of whoever made and measured it.
    """

    name: Word
    model: Text
    format: Format
    precision: Word
    files: Annotated[tuple[RelativePath, ...], Meta(min_length=1, max_length=10_000)]
    made_by: Annotated[tuple[Step, ...], Meta(max_length=64)]
    suits: Annotated[tuple[Suits, ...], Meta(max_length=256)] = ()
    notes: Annotated[tuple[Text, ...], Meta(max_length=1000)] = ()
    facts: dict[str, Any] = {}
    evaluation: dict[str, Any] | None = None


class Tool(_Record, frozen=True, kw_only=True):
    """A tool that made something here: the rows of the bill of materials."""

    name: Text
    version: Text
    licence: Annotated[str, Meta(max_length=200)] = ""


class Manifest(_Record, frozen=True, kw_only=True):
    """The whole of `bundle.json`.

    The variants of a model are in the order of preference: the best one first.
    """

    schema: Text
    name: Word
    models: Annotated[tuple[Model, ...], Meta(min_length=1, max_length=64)]
    variants: Annotated[tuple[Variant, ...], Meta(min_length=1, max_length=1000)]
    files: Annotated[tuple[File, ...], Meta(min_length=1, max_length=10_000)]
    tools: Annotated[tuple[Tool, ...], Meta(max_length=1000)]

    @property
    def size(self) -> int:
        """Bytes of all files, without the manifest itself."""
        return sum(file.size for file in self.files)

    def file(self, path: str) -> File:
        """The file at `path`; raises KeyError where the manifest has none."""
        for file in self.files:
            if file.path == path:
                return file
        raise KeyError(path)

    def model(self, name: str) -> Model:
        """The model of that name; raises KeyError where there is none."""
        for model in self.models:
            if model.name == name:
                return model
        raise KeyError(name)

    def of_role(self, role: Role) -> tuple[File, ...]:
        """The files that are for one thing."""
        return tuple(file for file in self.files if file.role is role)

    def size_of(self, variant: Variant) -> int:
        """Bytes of one variant's files."""
        sizes = {file.path: file.size for file in self.files}
        return sum(sizes[path] for path in variant.files)
