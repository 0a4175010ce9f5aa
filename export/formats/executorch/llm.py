"""Language models as ExecuTorch programs with a KV cache, by ExecuTorch's own `export_llm`.

Four-bit weights in groups of 32 with activations of eight bits for each token (8da4w), and a
four-bit embedding in groups of 32, are what XNNPACK has fast kernels for.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from skerry.device_profiles.profile import Format
from skerry.export.errors import OutputFailed, SourceRefused, Unsupported
from skerry.export.exporter import Kind, Loaded, Logits, Made
from skerry.export.formats.base import FormatExporter, Job, Outcome
from skerry.export.formats.executorch.meta import ARCHITECTURES, meta_names, model_args
from skerry.export.formats.executorch.program import TO_RUN, open_program
from skerry.export.formats.folder import copy_beside
from skerry.export.formats.needs import extra
from skerry.export.formats.running import TokenLlm, read_tokenizer
from skerry.export.formats.sources import read_json, weight_files
from skerry.export.formats.unpacking import unpacked

MODEL = "model.pte"
CONTEXT_TOKENS = 2048
_GROUP = 32
_TIMEOUT_S = 3600
_TOKENIZER = ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja")


class ExecutorchLlm(FormatExporter):
    """An `Exporter` of models of the Llama family."""

    format = Format.EXECUTORCH
    kind = Kind.LLM
    needs = extra(
        "executorch", "torch", "transformers", "executorch", "torchao",
        packages=("torch", "torchao", "executorch", "transformers"),
    )  # fmt: skip
    to_run = TO_RUN
    architectures = ARCHITECTURES
    reads_gguf = True

    def precisions(self) -> tuple[str, ...]:
        return ("8da4w", "fp32")

    def _make(self, job: Job) -> Outcome:
        job.progress("opening the source", 0.05)
        source = unpacked(job.source, job.work)
        config = read_json(source / "config.json")
        if config.get("model_type") not in ARCHITECTURES:
            what = f"'{job.source}' is a model of type {config.get('model_type')!r}"
            raise SourceRefused(what, hint=f"can: {', '.join(sorted(ARCHITECTURES))}")
        tokens = min(CONTEXT_TOKENS, int(config.get("max_position_embeddings", CONTEXT_TOKENS)))
        check_groups(config, job.precision)
        _write_checkpoint(source, config, job.work)
        job.progress("exporting the graph", 0.2)
        job.folder.mkdir()
        plan = llm_config(job.work, job.folder, job.precision, tokens)
        run_export_llm(plan, job.work)
        if not (job.folder / MODEL).is_file():
            raise OutputFailed("ExecuTorch's export_llm wrote no program", hint="export to GGUF")
        copy_beside(source, job.folder, *_TOKENIZER)
        return Outcome(facts={"context_tokens": tokens, "backend": "xnnpack"})

    def _open(self, made: Made) -> Loaded:
        run = open_program(made.folder / MODEL)
        most = int(made.facts["context_tokens"])
        return TokenLlm(read_tokenizer(made.folder), _scorer(run, most))


def llm_config(work: Path, folder: Path, precision: str, tokens: int) -> dict[str, Any]:
    """The document of `export_llm --config`: weights from `work`, the program into `folder`."""
    config: dict[str, Any] = {
        "base": {
            "model_class": "llama3_2",
            "checkpoint": str(work / "meta.pth"),
            "params": str(work / "params.json"),
            "metadata": '{"get_bos_id": 0, "get_eos_ids": []}',
        },
        "model": {"use_kv_cache": True, "use_sdpa_with_kv_cache": True, "dtype_override": "fp32"},
        "export": {
            "max_seq_length": tokens,
            "max_context_length": tokens,
            "output_dir": str(folder),
            "output_name": str(folder / MODEL),
        },
        "backend": {"xnnpack": {"enabled": True, "extended_ops": True}},
    }
    if precision == "8da4w":
        config["quantization"] = {
            "qmode": "8da4w",
            "group_size": _GROUP,
            "embedding_quantize": f"4,{_GROUP}",
            "use_hqq": False,  # half-quadratic search takes above ten minutes for 135M weights
        }
    return config


def check_groups(config: dict[str, Any], precision: str) -> None:
    """Raises Unsupported where the groups of a quantization do not fit the model."""
    sizes = (config.get("hidden_size", 0), config.get("intermediate_size", 0))
    if precision == "8da4w" and any(size % _GROUP for size in sizes):
        what = f"8da4w takes sizes that are multiples of {_GROUP}, not {sizes}"
        raise Unsupported(what, hint="export it as fp32")


def run_export_llm(config: dict[str, Any], work: Path) -> None:
    """ExecuTorch's exporter as a process: it prints much, and keeps what it loads.

    Raises:
        OutputFailed: it failed, with its last words.
    """
    file = work / "export_llm.yaml"
    file.write_text(json.dumps(config), "utf-8")  # JSON is YAML
    command = [sys.executable, "-m", "executorch.extension.llm.export.export_llm"]
    done = subprocess.run(  # noqa: S603  (our own interpreter)
        [*command, "--config", str(file)],
        capture_output=True, text=True, timeout=_TIMEOUT_S, check=False,
        cwd=work, env={**os.environ, "HF_HUB_OFFLINE": "1"},
    )  # fmt: skip
    if done.returncode != 0:
        last = (done.stderr.strip() or "no output").rsplit("\n", 1)[-1]
        raise OutputFailed(f"ExecuTorch's export_llm failed: {last}", hint="export to GGUF instead")


def _write_checkpoint(source: Path, config: dict[str, Any], work: Path) -> None:
    """The weights as `export_llm` reads them: a pickle of our own making, in our own folder."""
    import torch
    from safetensors.torch import load_file

    weights: dict[str, Any] = {}
    for file in weight_files(source):
        weights |= load_file(file)
    named = {name: values.float() for name, values in meta_names(weights).items()}
    torch.save(named, work / "meta.pth")
    (work / "params.json").write_text(json.dumps(model_args(config)), "utf-8")


def _scorer(run: Any, most: int) -> Any:
    import torch

    def score(ids: Sequence[int]) -> Logits:
        """One token at a time: the program gives the scores of the last one only."""
        if len(ids) > most:
            raise Unsupported(f"{len(ids)} tokens are more than {most}", hint="give fewer")
        rows = [run(torch.tensor([[one]]), torch.tensor([at])) for at, one in enumerate(ids)]
        return np.concatenate([np.asarray(row, np.float32).reshape(1, -1) for row in rows])

    return score
