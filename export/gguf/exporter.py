"""The exporter of the format GGUF."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from skerry.device_profiles.profile import Format
from skerry.export.errors import OutputFailed, SourceRefused
from skerry.export.exporter import Kind, Made, Progress, unheard
from skerry.export.gguf import extra, report
from skerry.export.gguf.folder import new_folder, room_for
from skerry.export.gguf.loaded import LoadedGguf
from skerry.export.gguf.opened import is_gguf, open_gguf, read_back
from skerry.export.gguf.precisions import Precision, names, precision
from skerry.export.gguf.quantize import Recipe, quantize

FILE = "model.gguf"


@dataclass(frozen=True)
class GgufExporter:
    """Makes `model.gguf` in a folder.

    Attributes:
        threads: how many quantize; 0 for all cores.
    """

    threads: int = 0

    format: ClassVar[Format] = Format.GGUF
    kind: ClassVar[Kind] = Kind.LLM

    def precisions(self) -> tuple[str, ...]:
        """What llama.cpp writes; those of very few bits only with an importance matrix."""
        return names(imatrix=False)

    def missing(self) -> str | None:
        return extra.missing()

    def runs_here(self) -> str | None:
        return None

    def export(
        self, source: Path, precision: str, out: Path, *, progress: Progress = unheard
    ) -> Made:
        """See `Exporter.export`. A source that is quantized already is quantized once more."""
        wanted = self._precision(precision)
        with new_folder(out) as work:
            result = work / "made" / FILE
            floats = _float_source(source)
            self._quantize(floats, result, wanted, progress)
            facts, notes = _facts(result, floats, wanted)
        return Made(out, Format.GGUF, wanted.name, (Path(FILE),), notes, facts)

    def load(self, made: Path) -> LoadedGguf:
        """See `Exporter.load`; `made` may be the GGUF file itself."""
        path = made / FILE if made.is_dir() else made
        return LoadedGguf(path, threads=self.threads)

    def _precision(self, name: str) -> Precision:
        return precision(name, imatrix=False)

    def _quantize(self, source: Path, out: Path, wanted: Precision, progress: Progress) -> None:
        header = open_gguf(source)
        room_for(header.parameters * wanted.main.bytes // wanted.main.block, out.parent)
        quantize(source, out, Recipe(wanted, threads=self.threads), progress=progress)


def _float_source(source: Path) -> Path:
    """The GGUF file to quantize.

    Raises:
        SourceRefused: there is no such model.
    """
    if not source.exists():
        raise SourceRefused(f"there is no model '{source}'", hint="check the path")
    if source.is_file() and is_gguf(source):
        return source
    raise SourceRefused(f"'{source}' is no GGUF file", hint="give the path of a GGUF file")


def _facts(made: Path, source: Path, wanted: Precision) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Of the file as it was written, with what a reader must know.

    Raises:
        OutputFailed: it does not hold the tensors of its source.
    """
    before, after = read_back(source), read_back(made)
    if {one.name for one in before.tensors} != {one.name for one in after.tensors}:
        raise OutputFailed("the GGUF file that was written lacks tensors of its source")
    fell = report.fallbacks(after, wanted)
    facts = {
        "size_bytes": made.stat().st_size,
        "bits_per_weight": report.bits_per_weight(after),
        "tensor_types": report.types(after),
        "source_tensor_types": report.types(before),
    }
    return facts, (*map(str, fell), *_second_hand(source, report.types(before)))


def _second_hand(source: Path, types: dict[str, int]) -> tuple[str, ...]:
    from skerry.edge.engines.llama.ggml import TYPES_BY_NAME

    lossy = ", ".join(name for name in types if TYPES_BY_NAME[name].block > 1)
    if not lossy:
        return ()
    return (f"the source '{source.name}' is quantized itself ({lossy}): what it lost stays lost",)
