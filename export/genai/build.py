"""The recipe: open the source, run GenAI's model builder, measure, write a manifest, move in place.

Nothing stands at the destination before all of it is done.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import subprocess
import tempfile
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Literal

from skerry.export.errors import ExportError
from skerry.export.genai.lora import add_lora_inputs
from skerry.export.genai.measure import Fidelity, measure
from skerry.export.genai.quantize import quantize
from skerry.export.genai.source import CARD, Source, open_source
from skerry.export.with_parent import last_words, module_command

Precision = Literal["int4", "int8", "fp32"]

MANIFEST = "skerry.json"
_BUILDER = "onnxruntime_genai.models.builder"
_BUILD_TIMEOUT_S = 3600


@dataclass(frozen=True, slots=True)
class Exported:
    """A finished folder. `parameters`: numbers in the source's weights."""

    folder: Path
    size_bytes: int
    parameters: int
    fidelity: Fidelity


def export_genai(source: Path, out: Path, precision: Precision, *, lora: bool = False) -> Exported:
    """Writes the model folder `out`, which must not exist yet.

    Args:
        source: a GGUF file or a Hugging Face folder.
        lora: let the model take LoRA adapters at run time.

    Raises:
        ExportError: the source cannot be opened, the builder refuses it, or `out` exists.
    """
    if out.exists():
        raise ExportError(f"'{out}' exists already", hint="remove it, or give another --out")
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # measure() imports the library
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}-") as made:
        work = Path(made)
        opened = open_source(source, work)
        _build(opened.folder, work, precision)
        if lora:
            add_lora_inputs(work / "model")
        result = measure(opened.folder, work / "model")
        parameters = count_parameters(opened.folder)
        _write_manifest(work / "model", opened, precision, parameters, result)
        if (opened.folder / CARD).is_file():
            shutil.copy(opened.folder / CARD, work / "model")
        (work / "model").rename(out)
    size = sum(file.stat().st_size for file in out.iterdir())
    return Exported(out, size, parameters, result)


def _build(source: Path, work: Path, precision: Precision) -> None:
    """Makes `work/model`. Quantizing is our own: the builder's loses far more (docs/models.md)."""
    if precision == "fp32":
        _run_builder(source, work / "model")
        return
    plain = work / "float"
    _run_builder(source, plain)
    shutil.copytree(plain, work / "model", ignore=shutil.ignore_patterns("model.onnx*"))
    quantize(plain, work / "model", 4 if precision == "int4" else 8)


_NO_GIT = {"GIT_DIR": os.devnull}
"""The builder writes the commit of whatever repository is around it into the model, so that the
same source would make other bytes elsewhere."""


def _run_builder(source: Path, out: Path) -> None:
    """GenAI's own builder as a process: it prints a line per tensor, and leaks what it loads."""
    command = module_command(_BUILDER, "--input", str(source), "--output", str(out))
    command += ["--cache_dir", str(out.parent / "cache"), "--execution_provider", "cpu"]
    command += ["--precision", "fp32", "--extra_options", "hf_token=false"]
    done = subprocess.run(  # noqa: S603  (our own interpreter)
        command,
        capture_output=True,
        text=True,
        timeout=_BUILD_TIMEOUT_S,
        check=False,
        env={**os.environ, **_NO_GIT},
    )
    if done.returncode != 0:
        reason = last_words(done.returncode, done.stderr)
        raise ExportError(
            f"the model builder refuses '{source}': {reason}",
            hint="onnxruntime-genai supports the architectures that its builder lists",
        )


def _write_manifest(
    folder: Path, source: Source, precision: str, parameters: int, result: Fidelity
) -> None:
    manifest = {
        "name": source.name,
        "licence": source.licence,
        "quantization": precision,
        "parameters": parameters,
        "source_sha256": source.digest,
        "builder": f"onnxruntime-genai {version('onnxruntime-genai')}",
        "fidelity": asdict(result),
    }
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", "utf-8")


def count_parameters(folder: Path) -> int:
    """Numbers in the source's weights; tied ones count once, as they are stored once.

    Reads the headers only: 8 bytes of length, little endian, then JSON
    (https://github.com/huggingface/safetensors#format).
    """
    count = 0
    for file in folder.glob("*.safetensors"):
        with file.open("rb") as weights:
            header = json.loads(weights.read(int.from_bytes(weights.read(8), "little")))
        header.pop("__metadata__", None)
        count += sum(math.prod(tensor["shape"]) for tensor in header.values())
    return count
