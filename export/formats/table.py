"""The table of parity: every format that can be made here, beside its source, row by row.

A row is kept in a JSON file as soon as it is measured, so that an interrupted table goes on.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, cast

from skerry.device_profiles.profile import Format
from skerry.export.errors import ExportError, OutputFailed
from skerry.export.exporter import Exporter, Kind, Loaded, LoadedEncoder, LoadedLlm
from skerry.export.formats.parity import compare_encoder, compare_llm
from skerry.export.formats.registry import find, keys

Reference = Callable[[Kind], Loaded]

_SHOWN = {Format.GGUF: ("f16", "q8_0", "q6_k", "q5_k_m", "q4_k_m", "q4_0")}
"""Of formats with many types some; docs/export-gguf.md has the others."""


@dataclass(frozen=True, slots=True)
class Row:
    """`figures` are those of `parity`; `why_not` says why there are none."""

    format: str
    kind: str
    precision: str
    source: str = ""
    megabytes: float = 0.0
    seconds: float = 0.0
    figures: Mapping[str, float] = field(default_factory=dict)
    tools: Mapping[str, str] = field(default_factory=dict)
    why_not: str = ""

    @property
    def key(self) -> tuple[str, str, str]:
        return self.format, self.kind, self.precision


@dataclass(frozen=True, slots=True)
class Wanted:
    """The sources by kind, the formats, and how much text: tokens, texts."""

    sources: Mapping[Kind, Path]
    formats: tuple[Format, ...]
    tokens: int = 256
    texts: int = 78


def rows(wanted: Wanted, reference: Reference, known: Mapping[Any, Row]) -> Iterator[Row]:
    """Every row in turn; one of `known` that was measured on the same source is not repeated."""
    for format_, kind in keys():
        if format_ not in wanted.formats or kind not in wanted.sources:
            continue
        exporter = find(format_, kind)
        for precision in _SHOWN.get(format_, exporter.precisions()):
            found = known.get((format_.value, kind.value, precision))
            if found and found.source == wanted.sources[kind].name and not found.why_not:
                yield found
            else:
                yield measured(exporter, precision, wanted, reference)


def measured(exporter: Exporter, precision: str, wanted: Wanted, reference: Reference) -> Row:
    """Exports, loads and compares; what cannot be done is said in the row."""
    source = wanted.sources[exporter.kind]
    said = Row(exporter.format.value, exporter.kind.value, precision, source.name)
    line = exporter.missing()
    if line is not None:
        return _with(said, why_not=f"not installed: {line}")
    try:
        with tempfile.TemporaryDirectory() as work:
            return _made(exporter, said, Path(work) / "made", wanted, reference)
    except ExportError as error:
        return _with(said, why_not=error.what)
    except ValueError as error:  # of `compare_llm`
        return _with(said, why_not=str(error))


def _made(exporter: Exporter, said: Row, out: Path, wanted: Wanted, reference: Reference) -> Row:
    started = time.monotonic()
    made = exporter.export(wanted.sources[exporter.kind], said.precision, out)
    size = sum((out / file).stat().st_size for file in made.files)
    said = _with(
        said,
        megabytes=round(size / 1e6, 1),
        seconds=round(time.monotonic() - started, 1),
        tools=_tools(out),
    )
    why_not = exporter.runs_here()
    if why_not is not None:
        return _with(said, why_not=why_not)
    loaded = exporter.load(out)
    try:
        return _with(said, figures=_figures(loaded, reference(exporter.kind), wanted))
    finally:
        loaded.close()


def _figures(loaded: Loaded, source: Loaded, wanted: Wanted) -> dict[str, float]:
    if isinstance(loaded, LoadedLlm):
        from skerry.export.genai.measure import TEXTS

        text = TEXTS.read_text("utf-8")
        return asdict(compare_llm(loaded, cast(LoadedLlm, source), text, wanted.tokens))
    from skerry.export.encoder.build import own_texts

    texts = own_texts()[1::2][: wanted.texts]
    return asdict(compare_encoder(loaded, cast(LoadedEncoder, source), texts))


def _tools(out: Path) -> dict[str, str]:
    file = out / "export.json"
    said: dict[str, Any] = json.loads(file.read_text("utf-8")) if file.is_file() else {}
    return dict(said.get("tools", {}))


def _with(row: Row, **changed: Any) -> Row:
    return Row(**{**asdict(row), **changed})


def read_rows(file: Path) -> dict[tuple[str, str, str], Row]:
    """The rows in a JSON file; none where there is no file.

    Raises:
        OutputFailed: it holds something else.
    """
    if not file.exists():
        return {}
    try:
        found = [Row(**entry) for entry in json.loads(file.read_text("utf-8"))["rows"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        what = f"'{file}' is no table of parity: {error}"
        raise OutputFailed(what, hint="give another --out") from error
    return {row.key: row for row in found}


def write_rows(file: Path, kept: Mapping[Any, Row]) -> None:
    """Replaces the file at once."""
    beside = file.with_name(f".{file.name}.new")
    text = json.dumps({"rows": [asdict(row) for row in kept.values()]}, indent=2)
    with beside.open("w", encoding="utf-8") as out:
        out.write(text + "\n")
        out.flush()
        os.fsync(out.fileno())
    beside.replace(file)


def markdown(kept: Mapping[Any, Row]) -> str:
    """The table as the documentation has it."""
    head = "| format | kind | precision | MB | KL, nats | top-1 | cosine | same neighbour |"
    lines = [head, "|---|---|---|---|---|---|---|---|"]
    return "\n".join([*lines, *map(_line, kept.values())]) + "\n"


def _line(row: Row) -> str:
    start = f"| {row.format} | {row.kind} | {row.precision} | {row.megabytes or '–'} |"
    if not row.figures:
        return f"{start} {row.why_not.split(': ')[0]} | | | |"
    found = row.figures
    if row.kind == Kind.LLM:
        return f"{start} {found['kl_mean_nats']:.5f} | {found['top1_agreement']:.1%} | | |"
    return f"{start} | | {found['cosine_mean']:.4f} | {found['neighbour_agreement']:.1%} |"
