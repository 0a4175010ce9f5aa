"""Language models as ExecuTorch programs with a KV cache, by ExecuTorch's own `export_llm`.

Four-bit weights in groups of 32 with activations of eight bits for each token (8da4w), and a
four-bit embedding in groups of 32, are what XNNPACK has fast kernels for.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from skerry.device_profiles.profile import Format
from skerry.export.errors import OutputFailed, SourceRefused, Unsupported
from skerry.export.exporter import Kind, Loaded, Logits, Made
from skerry.export.formats.base import FormatExporter, Job, Outcome
from skerry.export.formats.chat import CHAT_FILES, read_chat
from skerry.export.formats.executorch.meta import ARCHITECTURES, meta_names, model_args
from skerry.export.formats.executorch.program import TO_RUN, open_program
from skerry.export.formats.folder import copy_beside
from skerry.export.formats.needs import extra
from skerry.export.formats.sources import read_json, weight_files
from skerry.export.formats.stepping import Row, SteppingLlm
from skerry.export.formats.unpacking import unpacked
from skerry.export.with_parent import last_words, module_command

MODEL = "model.pte"
CONTEXT_TOKENS = 2048
_GROUP = 32
_TIMEOUT_S = 3600


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
        run_lowering(plan, job.work)
        if not (job.folder / MODEL).is_file():
            raise OutputFailed("ExecuTorch's exporter wrote no program", hint="export to GGUF")
        copy_beside(source, job.folder, *CHAT_FILES)
        return Outcome(facts={"context_tokens": tokens, "backend": "xnnpack"})

    def _open(self, made: Made) -> Loaded:
        run = open_program(made.folder / MODEL)
        most = int(made.facts["context_tokens"])
        steps = ProgramSteps(run, most)
        return SteppingLlm(read_chat(made.folder), steps, steps.scores, most)


class ProgramSteps:
    """The `Steps` of a program, which is given tokens and the place of the first of them, and gives
    the scores of the last. At most `places` - 1 tokens are read at once: its dynamic dimension."""

    def __init__(self, run: Callable[..., Any], places: int) -> None:
        self._run, self._most = run, places - 1
        self._place = 0

    def begin(self, ids: Sequence[int]) -> Row:
        self._place = 0
        for start in range(0, len(ids), self._most):
            row = self._read(ids[start : start + self._most])
        return row

    def step(self, token: int) -> Row:
        return self._read((token,))

    def scores(self, ids: Sequence[int]) -> Logits:
        """Scores after each of `ids`: one token at a time."""
        self._place = 0
        return np.stack([self.step(one) for one in ids])

    def _read(self, ids: Sequence[int]) -> Row:
        import torch

        given = torch.tensor([list(ids)]), torch.tensor([self._place])
        self._place += len(ids)
        row: Row = np.array(self._run(*given), np.float32).reshape(-1)
        return row


def llm_config(work: Path, folder: Path, precision: str, tokens: int) -> dict[str, Any]:
    """The document of ExecuTorch's `LlmConfig`: weights from `work`, the program into `folder`."""
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


def run_lowering(config: dict[str, Any], work: Path) -> None:
    """`lower` as a process: ExecuTorch prints much, and keeps what it loads.

    Raises:
        OutputFailed: it failed, with its last words.
    """
    file = work / "lower.json"
    file.write_text(json.dumps(config), "utf-8")
    done = subprocess.run(  # noqa: S603  (our own interpreter)
        module_command("skerry.export.formats.executorch.lower", str(file)),
        capture_output=True, text=True, timeout=_TIMEOUT_S, check=False,
        cwd=work,
        env={**os.environ, "HF_HUB_OFFLINE": "1", "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    if done.returncode != 0:
        last = last_words(done.returncode, done.stderr)
        raise OutputFailed(f"ExecuTorch's exporter failed: {last}", hint="export to GGUF instead")


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
