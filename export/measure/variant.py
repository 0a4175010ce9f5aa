"""Measures one variant: each part in its own process, each failure beside the other results."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import platformdirs

from skerry.device_profiles.profile import Format
from skerry.export.errors import ExportError, OutputFailed
from skerry.export.exporter import Kind, Loaded, Made, Progress, unheard
from skerry.export.measure.held_text import held_digest, held_sentences, held_texts
from skerry.export.measure.process import measured_in_child
from skerry.export.measure.results import SCHEMA, Failure, Measured
from skerry.export.measure.source_cache import forget_old, place, read_scores, read_vectors
from skerry.export.measure.source_model import source_digest
from skerry.export.measure.tasks import GENERATED, questions_and_contexts

LLM_PARTS = ("fidelity", "cost", "tasks")
ENCODER_PARTS = ("encoding", "cost")


class Loader(Protocol):
    """What of an exporter is needed here. Its class takes no arguments."""

    @property
    def format(self) -> Format: ...
    @property
    def kind(self) -> Kind: ...
    def load(self, made: Path) -> Loaded: ...


@dataclass(frozen=True, slots=True)
class Options:
    """`items` of each task at most, None for all; `tasks` by name; `parts` None for all that suit.

    `cache` is the folder where the source's scores are kept, None for the user's cache folder.
    """

    parts: tuple[str, ...] | None = None
    tasks: tuple[str, ...] = GENERATED
    items: int | None = None
    repeats: int = 3
    timeout_s: float = 1800
    cache: Path | None = None


def measure_variant(
    made: Made,
    source: Path,
    exporter: Loader,
    *,
    options: Options | None = None,
    progress: Progress = unheard,
) -> dict[str, Any]:
    """The measurements of `made` as JSON-ready data of the schema `skerry.measure/1`.

    A part that cannot be measured is named under `failures`, and the others are there.

    Args:
        made: what an exporter made.
        source: the model that it was made from: a GGUF file or a Hugging Face folder.
        exporter: the format's exporter; its class is made again, without arguments, in the
            processes that measure. GGUF is always run by llama.cpp.
        options: what to measure; None is all.
        progress: told which part is measured.

    Raises:
        SourceRefused: there is no source to compare with.
        OutputFailed: the variant has no files.
    """
    work = _Work(made, source, exporter, options or Options())
    parts = work.parts()
    for number, part in enumerate(parts):
        progress(f"measuring {part} of {made.precision}", number / len(parts))
        work.measure(part)
    progress(f"measured {made.precision}", 1.0)
    return {"schema": SCHEMA, **asdict(work.measured())}


class _Work:
    """One variant while it is measured."""

    def __init__(self, made: Made, source: Path, loader: Loader, options: Options) -> None:
        self._made, self._source, self._loader, self._options = made, source, loader, options
        self._size = _size(made)
        self._digest = source_digest(source)
        self._texts = list(encoder_texts()) if loader.kind is Kind.ENCODER else []
        self._cache = options.cache or Path(platformdirs.user_cache_dir("skerry")) / "export"
        self._scores = place(self._cache, self._digest, loader.kind, "\0".join(self._texts))
        self._found: dict[str, Any] = {}
        self._failures: list[Failure] = []

    def parts(self) -> tuple[str, ...]:
        suitable = LLM_PARTS if self._loader.kind is Kind.LLM else ENCODER_PARTS
        wanted = self._options.parts
        return suitable if wanted is None else tuple(one for one in suitable if one in wanted)

    def measure(self, part: str) -> None:
        with self._kept_going(part):
            if part in ("fidelity", "encoding"):
                self._make_source_ready()
            self._found[part] = self._child(part)

    def measured(self) -> Measured:
        cost = self._found.get("cost")
        facts = {**self._made.facts, **(cost or {}).get("facts", {})}
        parameters = facts.get("parameters")
        weights = facts.get("weights_bytes", self._size)
        return Measured(
            name=f"{self._loader.format}-{self._made.precision}",
            format=str(self._loader.format),
            precision=self._made.precision,
            kind=str(self._loader.kind),
            size_bytes=self._size,
            parameters=parameters,
            bits_per_weight=8 * weights / parameters if parameters else None,
            source={"name": self._source.name, "sha256": self._digest},
            held={"sha256": held_digest(), "texts": sorted(held_texts())},
            fidelity=self._found.get("fidelity"),
            encoding=self._found.get("encoding"),
            cost=cost,
            tasks=self._found.get("tasks", {}),
            failures=tuple(self._failures),
            notes=self._made.notes,
            machine=machine(),
        )

    @contextmanager
    def _kept_going(self, part: str) -> Iterator[None]:
        try:
            yield
        except ExportError as error:
            what = f"{error.what} ({error.hint})" if error.hint else error.what
            self._failures.append(Failure(part, what))

    def _make_source_ready(self) -> None:
        read: Callable[[], object] = lambda: read_scores(self._scores)  # noqa: E731
        if self._loader.kind is Kind.ENCODER:
            read = lambda: read_vectors(self._scores, len(self._texts))  # noqa: E731
        if read() is None:
            self._child("source")
            forget_old(self._cache)

    def _child(self, part: str) -> Any:
        options = self._options
        request = {
            "kind": str(self._loader.kind),
            "folder": str(self._made.folder.resolve()),
            "source": str(self._source.resolve()),
            "loader": loader_name(self._loader),
            "scores": str(self._scores.resolve()),
            "texts": self._texts,
            "tasks": list(options.tasks),
            "items": options.items,
            "repeats": options.repeats,
        }
        return measured_in_child(part, request, timeout_s=options.timeout_s)


def encoder_texts() -> tuple[str, ...]:
    """What encoders are compared on: held sentences, and the questions and passages of tasks."""
    return (*held_sentences(), *questions_and_contexts())


def loader_name(loader: Loader) -> str:
    """`module:Class`, by which another process finds the loader."""
    if loader.format is Format.GGUF:
        return "skerry.export.measure.llama:LlamaLoader"
    return f"{type(loader).__module__}:{type(loader).__qualname__}"


def machine() -> dict[str, Any]:
    """What this ran on: speeds of two machines are not compared."""
    from skerry.device_profiles.machine import probe

    here = probe()
    return {
        "system": here.system,
        "architecture": here.architecture,
        "features": list(here.features),
        "cores": here.cores,
        "python": platform.python_version(),
    }


def _size(made: Made) -> int:
    try:
        sizes = [(made.folder / name).stat().st_size for name in made.files]
    except OSError as error:
        raise OutputFailed(f"a file of '{made.folder}' is missing: {error.filename}") from error
    if not sizes:
        raise OutputFailed(f"nothing was made in '{made.folder}'")
    return sum(sizes)
