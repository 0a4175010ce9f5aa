"""Exports: time, memory, and quality beside llama.cpp's own plans at equal size.

The source is the default model in float, its weights dithered (`export_source.py`). Both sides of a
comparison are quantized with the same importance matrix; plans are searched on the calibration text
and judged on the held-out one.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import export_proof
from benchmarks.contract import Figure, Options
from benchmarks.export_source import dithered, hugging_face
from skerry.edge.engines.models import catalogue
from skerry.export.gguf import imatrix, search, texts
from skerry.export.gguf.fidelity import Reference, reference
from skerry.export.gguf.precisions import PRECISIONS
from skerry.export.gguf.quantize import Recipe, quantize
from skerry.export.gguf.several import NINE, make_all

KEYS = (
    "gguf_minutes_nine_types",
    "kl_ratio_to_default_plan",
    "kl_ratio_to_default_plan_best",
    "peak_memory_overhead_mb",
    *export_proof.KEYS,
)
_SIZES = ("iq2_xxs", "iq2_m", "q4_0", "iq4_xs", "iq4_nl", "q4_k_s", "q4_k_m", "q4_1")
"""The first two have four to five bits per weight in this model, the others by their name."""

_QUICK_CHARACTERS = 6_000

_PEAK = """
import resource, sys
from pathlib import Path
from skerry.export.gguf.exporter import GgufExporter
GgufExporter().export(Path(sys.argv[1]), "q4_k_m", Path(sys.argv[2]))
usage = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
print(max(usage, int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) // 1024))
"""


def run(options: Options) -> dict[str, Figure]:
    model = catalogue(Path("none")).find("smollm2").path
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        source = dithered(model, work / "source", options.seed)
        figures = {"gguf_minutes_nine_types": _minutes(options, source, work)}
        figures |= _ratios(options, source, work)
        figures["peak_memory_overhead_mb"] = _peak(hugging_face(source, work / "hf"), work)
        figures[export_proof.FIT_KEY] = export_proof.fit_figure(options, source, work)
        figures |= export_proof.encoder_figures(options, work)
    return figures


def _minutes(options: Options, source: Path, work: Path) -> Figure:
    """Quick: three types, their time as if they were nine."""
    made = work / "several"
    made.mkdir()
    types = ("q8_0", "q5_0", "q4_0") if options.quick else NINE
    start = time.perf_counter()
    rows = make_all(source, made, types, weighed=not options.quick, tokens=_tokens(options))
    minutes = (time.perf_counter() - start) / 60 * len(NINE) / len(types)
    lost = ", ".join(f"{row.made.precision} {row.fidelity.kl_mean_nats:.4f}" for row in rows)
    return Figure(round(minutes, 2), "min", "lower", 10, note=f"KL in nats: {lost}")


def _tokens(options: Options) -> int:
    return 64 if options.quick else 1024


def _ratios(options: Options, source: Path, work: Path) -> dict[str, Figure]:
    """KL of the plan that was found over KL of llama.cpp's, per size; below one is better."""
    matrix = work / "imatrix.gguf"
    text = texts.CALIBRATION.read_text("utf-8")[: _QUICK_CHARACTERS if options.quick else None]
    imatrix.save(imatrix.measure(source, text), matrix)
    types = ("q4_0", "q5_0", "q8_0") if options.quick else search.TYPES
    bands = 1 if options.quick else 3
    learnt = search.learn(
        source, matrix, text, work, types=types, tokens=_tokens(options), bands=bands
    )
    held = reference(source, texts.HELD_OUT.read_text("utf-8"), tokens=_tokens(options))
    sizes = ("q4_0",) if options.quick else _SIZES
    ratios = {name: _ratio(learnt, held, name) for name in sizes}
    said = ", ".join(f"{name} {ratio:.2f}" for name, ratio in ratios.items())
    worst, best = max(ratios.values()), min(ratios.values())
    return {
        "kl_ratio_to_default_plan": Figure(round(worst, 3), "", "lower", 1, note=f"worst; {said}"),
        "kl_ratio_to_default_plan_best": Figure(round(best, 3), "", "lower", 1, note="best size"),
    }


def _ratio(learnt: search.Search, held: Reference, name: str) -> float:
    usual = learnt.measured(learnt.default_plan(name))
    found = learnt.under_size(usual.size_bytes, against=name)
    kl = [_kl(learnt, held, one) for one in (found, usual)]
    return kl[0] / kl[1]


def _kl(learnt: search.Search, held: Reference, found: search.Found) -> float:
    """On the held-out text, in nats."""
    made = learnt.work / "judged.gguf"
    plan = found.plan
    quantize(learnt.source, made, Recipe(PRECISIONS[plan.precision], learnt.imatrix, plan.types))
    result = held.measure(made).kl_mean_nats
    made.unlink()
    return result


def _peak(source: Path, work: Path) -> Figure:
    """Of an export from safetensors, llama.cpp's process included, above the weights' size."""
    if not Path("/proc/self/status").exists():
        return Figure(None, "MB", "lower", 1024, note="read from /proc, which is not here")
    command = [sys.executable, "-c", _PEAK, str(source), str(work / "peak")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    size_mb = (source / "model.safetensors").stat().st_size / 2**20
    return Figure(round(int(done.stdout) - size_mb), "MB", "lower", 1024)
