"""The exporter of the format GGUF."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from skerry.bundles.gguf.ggml import TYPES_BY_NAME
from skerry.device_profiles.profile import Format
from skerry.export.errors import MissingExtra, OutputFailed, SourceRefused, Unsupported
from skerry.export.exporter import Kind, Made, Progress, unheard
from skerry.export.formats.folder import MANIFEST, open_made, write_manifest
from skerry.export.gguf import extra, report
from skerry.export.gguf.convert import convert, open_model
from skerry.export.gguf.distortion import matrices
from skerry.export.gguf.folder import new_folder, room_for
from skerry.export.gguf.imatrix import load, measure, read_text, save
from skerry.export.gguf.loaded import LoadedGguf
from skerry.export.gguf.opened import is_gguf, open_gguf, read_back
from skerry.export.gguf.plan import Plan
from skerry.export.gguf.precisions import FLOATS, Precision, names, precision
from skerry.export.gguf.quantize import Recipe, flush, quantize
from skerry.export.gguf.safetensors import PICKLES
from skerry.export.gguf.steady import keep_scales
from skerry.export.gguf.token_check import checked
from skerry.export.gguf.tokenizer import read_vocabulary

FILE = "model.gguf"


@dataclass(frozen=True)
class GgufExporter:
    """Makes `model.gguf` in a folder, and `export.json` with its digest beside it.

    Attributes:
        imatrix: an importance matrix, of `imatrix.save` or llama.cpp's llama-imatrix.
        calibration: a text on which one is measured, where `imatrix` is not given.
        plan: types for single tensors; it knows the one precision that it is for.
        previous: an earlier version's GGUF file, whose block scales stay where they serve.
        threads: how many quantize and run; 0 for all cores.
    """

    imatrix: Path | None = None
    calibration: Path | None = None
    plan: Plan | None = None
    previous: Path | None = None
    threads: int = 0

    format: ClassVar[Format] = Format.GGUF
    kind: ClassVar[Kind] = Kind.LLM

    def precisions(self) -> tuple[str, ...]:
        """What llama.cpp writes; those of very few bits only with an importance matrix."""
        if self.plan is not None:
            return (self.plan.precision,)
        return names(imatrix=self._weighs)

    @property
    def _weighs(self) -> bool:
        return self.imatrix is not None or self.calibration is not None

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
            floats, told = self._floats(source, wanted, work, _share(progress, 0.0, 0.3))
            if floats.parent == work and wanted.name == floats.stem and self.plan is None:
                floats.rename(result)
                floats = result
            else:
                self._quantize(floats, result, wanted, work, progress)
            facts, notes = _facts(result, floats, wanted)
            facts |= self._keep_scales(result, floats)
            made = Made(out, Format.GGUF, wanted.name, (Path(FILE),), (*told, *notes), facts)
            _describe(made, result.parent, source)
            progress("done", 1.0)
        return made

    def load(self, made: Path) -> LoadedGguf:
        """See `Exporter.load`; `made` may be the GGUF file itself, or a folder with it alone.

        Where the export's own manifest is beside it, the file is compared with its digest.
        """
        if (made / MANIFEST).is_file():
            open_made(made, Format.GGUF, Kind.LLM)
        return LoadedGguf(made / FILE if made.is_dir() else made, threads=self.threads)

    def _precision(self, name: str) -> Precision:
        wanted = precision(name, imatrix=self._weighs)
        if self.plan is not None and wanted.name != self.plan.precision:
            raise Unsupported(
                f"the plan is for {self.plan.precision}, not for {wanted.name}",
                hint=f"export {self.plan.precision}, or without the plan",
            )
        return wanted

    def _floats(
        self, source: Path, wanted: Precision, work: Path, progress: Progress
    ) -> tuple[Path, tuple[str, ...]]:
        """The GGUF file to quantize: the source, or one in `work` that is named for its type.

        Raises:
            SourceRefused: there is no such model.
        """
        if source.is_file() and is_gguf(source):
            return source, ()
        if not source.is_dir():
            raise _no_source(source)
        if install := self.missing():
            raise MissingExtra("writing GGUF needs the package gguf", hint=install)
        model = open_model(source)
        vocabulary = read_vocabulary(source, model.config.vocabulary)
        vocabulary, notes = checked(vocabulary, model.family.name, work)
        kind = wanted.name if wanted.name in FLOATS else model.float_type
        room_for(model.parameters * TYPES_BY_NAME[kind].bytes, work)
        convert(model, vocabulary, work / f"{kind}.gguf", kind, progress)
        return work / f"{kind}.gguf", (*model.notes, *notes)

    def _quantize(
        self, source: Path, out: Path, wanted: Precision, work: Path, progress: Progress
    ) -> None:
        header = open_gguf(source)
        types = {} if self.plan is None else self.plan.types
        if self.plan is not None:
            self.plan.check(read_back(source))
        room_for(header.parameters * wanted.main.bytes // wanted.main.block, out.parent)
        imatrix = self._importance(source, wanted, work, progress)
        recipe = Recipe(wanted, imatrix, types, threads=self.threads)
        quantize(source, out, recipe, progress=_share(progress, 0.6, 1.0))

    def _keep_scales(self, made: Path, floats: Path) -> dict[str, Any]:
        """Facts of what stayed as it was in the version before."""
        if self.previous is None:
            return {}
        open_gguf(self.previous)
        kinds = {one.kind for one in matrices(read_back(floats).tensors)}
        if any(kind.block > 1 for kind in kinds):
            raise Unsupported(
                "scales are kept from the version before only with a float source",
                hint="export from safetensors or a float GGUF file",
            )
        kept = keep_scales(made, self.previous, floats)
        flush(made)
        said = {"kept_share": kept.share, "delta_bytes": kept.delta_bytes}
        return {"scales": {**said, "delta_bytes_before": kept.delta_bytes_before}}

    def _importance(
        self, source: Path, wanted: Precision, work: Path, progress: Progress
    ) -> Path | None:
        """The file of the importance matrix; measured where a text is given."""
        if self.imatrix is not None:
            load(self.imatrix).check(read_back(source))
            return self.imatrix
        if self.calibration is None or wanted.name in FLOATS:
            return None
        text, path = read_text(self.calibration), work / "imatrix.gguf"
        name = self.calibration.name
        progress = _share(progress, 0.3, 0.6)
        save(measure(source, text, name=name, threads=self.threads, progress=progress), path)
        return path


def _share(progress: Progress, start: float, end: float) -> Progress:
    """For a step that is a part of the whole."""
    return lambda what, done: progress(what, start + (end - start) * done)


def _describe(made: Made, folder: Path, source: Path) -> None:
    """Writes the manifest with the digest of the file; a bundle has one of its own."""
    write_manifest(
        folder,
        {
            "format": made.format,
            "kind": Kind.LLM,
            "precision": made.precision,
            "source": source.resolve().name,
            "notes": list(made.notes),
            "facts": made.facts,
        },
    )


def _no_source(source: Path) -> SourceRefused:
    if not source.exists():
        return SourceRefused(f"there is no model '{source}'", hint="check the path")
    if source.suffix in PICKLES:
        return SourceRefused(
            f"'{source}' is a pickle, which is never loaded: it could run any program",
            hint="get the model as safetensors, and give its folder",
        )
    return SourceRefused(
        f"'{source}' is neither a GGUF file nor a folder",
        hint="give a GGUF file, or a Hugging Face folder with safetensors",
    )


def _facts(made: Path, source: Path, wanted: Precision) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Of the file as it was written, with what a reader must know.

    Raises:
        OutputFailed: it does not hold the tensors of its source.
    """
    before, after = read_back(source), read_back(made)
    if {one.name for one in before.tensors} != {one.name for one in after.tensors}:
        raise OutputFailed("the GGUF file that was written lacks tensors of its source")
    fell = report.fallbacks(after, wanted)
    facts: dict[str, Any] = {
        "size_bytes": made.stat().st_size,
        "bits_per_weight": report.bits_per_weight(after),
        "tensor_types": report.types(after),
        "matrix_bytes": report.bytes_by_type(after),
        "source_tensor_types": report.types(before),
    }
    return facts, (*map(str, fell), *_second_hand(source, report.types(before)))


def _second_hand(source: Path, types: dict[str, int]) -> tuple[str, ...]:
    lossy = ", ".join(name for name in types if TYPES_BY_NAME[name].block > 1)
    if not lossy:
        return ()
    return (f"the source '{source.name}' is quantized itself ({lossy}): what it lost stays lost",)
