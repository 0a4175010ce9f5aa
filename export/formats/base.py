"""What every export does alike: refusals before any work, a folder that is whole or not there.

A format implements `_make` and `_open`. Refusals come before a tool is imported, and those of the
arguments before the one of a tool that is not installed.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from skerry.device_profiles.profile import Format
from skerry.export.errors import Unsupported
from skerry.export.exporter import Exporter, Kind, Loaded, Made, Progress, unheard
from skerry.export.formats.folder import (
    MANIFEST,
    check_free,
    files_in,
    making,
    open_made,
    write_manifest,
)
from skerry.export.formats.needs import Needing
from skerry.export.formats.sources import check_source


@dataclass(frozen=True, slots=True)
class Job:
    """One export: makes `folder`, which does not exist yet, and may use `work` around it."""

    source: Path
    precision: str
    folder: Path
    work: Path
    progress: Progress


@dataclass(frozen=True, slots=True)
class Outcome:
    """What to tell of an export: `notes` to people, `facts` to the manifest."""

    notes: tuple[str, ...] = ()
    facts: dict[str, Any] = field(default_factory=dict)


class FormatExporter(ABC):
    """An `Exporter` of one format and kind.

    `needs` is for the export, `to_run` for `load`. `architectures` are the values of `model_type`
    in a source's config.json that it takes; none for all. `reads_gguf`: whether the source may be
    a GGUF file.
    """

    format: Format
    kind: Kind
    needs: Needing
    to_run: Needing
    architectures: frozenset[str] = frozenset()
    reads_gguf: bool = False

    @abstractmethod
    def precisions(self) -> tuple[str, ...]: ...

    def missing(self) -> str | None:
        return self.needs.missing()

    def runs_here(self) -> str | None:
        return None

    def export(
        self, source: Path, precision: str, out: Path, *, progress: Progress = unheard
    ) -> Made:
        self._check(source, precision, out)
        progress("reading the source", 0.0)
        with making(out.absolute()) as work:  # processes of tools run in other folders
            job = Job(source.absolute(), precision, work / "model", work, progress)
            outcome = self._make(job)
            self._describe(job, outcome)
        progress("done", 1.0)
        files = (Path(MANIFEST), *files_in(out))
        return Made(out, self.format, precision, files, outcome.notes, outcome.facts)

    def load(self, made: Path) -> Loaded:
        whole = open_made(made, self.format, self.kind)
        why_not = self.runs_here()
        if why_not is not None:
            raise Unsupported(f"'{made}' cannot run here: {why_not}", hint="see docs")
        self.to_run.check(f"running {self.format}")
        return self._open(whole)

    @abstractmethod
    def _make(self, job: Job) -> Outcome:
        """Writes `job.folder`."""

    @abstractmethod
    def _open(self, made: Made) -> Loaded:
        """Opens files that were compared with their digests."""

    def _check(self, source: Path, precision: str, out: Path) -> None:
        if precision not in self.precisions():
            what = f"{self.format} has no precision '{precision}' for this kind of model"
            raise Unsupported(what, hint=f"there are: {', '.join(self.precisions())}")
        check_free(out)
        check_source(source, self.architectures, gguf=self.reads_gguf)
        self.needs.check(f"exporting to {self.format}")

    def _describe(self, job: Job, outcome: Outcome) -> None:
        facts = {
            "format": self.format,
            "kind": self.kind,
            "precision": job.precision,
            "source": job.source.resolve().name,
            "tools": self.needs.versions(),
            "notes": list(outcome.notes),
            "facts": outcome.facts,
        }
        write_manifest(job.folder, facts)


def _is_an_exporter(one: FormatExporter) -> Exporter:
    """The type checker's proof that a `FormatExporter` keeps the contract."""
    return one
