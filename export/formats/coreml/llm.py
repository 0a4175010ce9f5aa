"""Language models as Core ML packages with a KV cache in the program's states.

The program reads one token at a time: decoding is what it is for, a long prompt is slow.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from skerry.device_profiles.profile import Format
from skerry.export.errors import Unsupported
from skerry.export.exporter import Kind, Loaded, Logits, Made
from skerry.export.formats.base import FormatExporter, Job, Outcome
from skerry.export.formats.coreml.compress import PRECISIONS, compressed
from skerry.export.formats.coreml.encoder import COMPUTE_UNITS, MODEL
from skerry.export.formats.executorch.meta import meta_names, model_args
from skerry.export.formats.folder import copy_beside
from skerry.export.formats.needs import extra
from skerry.export.formats.running import TokenLlm, read_tokenizer
from skerry.export.formats.sources import read_json, weight_files
from skerry.export.formats.unpacking import unpacked

CONTEXT_TOKENS = 1024
_TOKENIZER = ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja")
_OUTPUT = "logits"
Step = Callable[[int, int], Any]


class CoremlLlm(FormatExporter):
    """An `Exporter` of models of the Llama family without norms of queries and keys."""

    format = Format.COREML
    kind = Kind.LLM
    needs = extra(
        "coreml", "torch", "transformers", "coremltools", "safetensors",
        packages=("torch", "transformers", "coremltools"),
    )  # fmt: skip
    to_run = extra("coreml", "coremltools", packages=("coremltools",))
    architectures = frozenset({"llama", "mistral", "qwen2"})
    reads_gguf = True

    def precisions(self) -> tuple[str, ...]:
        return PRECISIONS

    def _make(self, job: Job) -> Outcome:
        source = unpacked(job.source, job.work)
        config = read_json(source / "config.json")
        if config.get("model_type") not in self.architectures:
            what = f"'{job.source}' is a model of type {config.get('model_type')!r}"
            raise Unsupported(what, hint=f"can: {', '.join(sorted(self.architectures))}")
        tokens = min(CONTEXT_TOKENS, int(config.get("max_position_embeddings", CONTEXT_TOKENS)))
        job.progress("converting", 0.1)
        model = _converted(_decoder(source, config, tokens))
        job.progress("compressing the weights", 0.6)
        model = compressed(model, job.precision)
        job.folder.mkdir()
        model.save(str(job.folder / MODEL))
        copy_beside(source, job.folder, *_TOKENIZER)
        note = "reads one token at a time: a long prompt is slow"
        return Outcome((note,), {"context_tokens": tokens, "compute_units": COMPUTE_UNITS})

    def _open(self, made: Made) -> Loaded:
        package, most = made.folder / MODEL, int(made.facts["context_tokens"])
        begin = _predicted(package) if platform.system() == "Darwin" else _interpreted(package)
        tokenizer = read_tokenizer(made.folder)
        return TokenLlm(tokenizer, lambda ids: _scores(begin, ids, most))


def _decoder(source: Path, config: dict[str, Any], tokens: int) -> Any:
    from safetensors.torch import load_file

    from skerry.export.formats.coreml.decoder import Decoder

    weights: dict[str, Any] = {}
    for file in weight_files(source):
        weights |= load_file(file)
    decoder = Decoder(model_args(config), tokens)
    named = {name: values.float() for name, values in meta_names(weights).items()}
    caches = {name: values for name, values in decoder.state_dict().items() if name not in named}
    decoder.load_state_dict({**named, **caches})
    return decoder.eval()


def _converted(decoder: Any) -> Any:
    import coremltools as ct
    import torch

    given = (torch.zeros((1, 1), dtype=torch.int32), torch.zeros(1, dtype=torch.int32))
    with torch.no_grad():
        graph = torch.export.export(decoder, given).run_decompositions({})
    return ct.convert(
        graph,
        inputs=[
            ct.TensorType(name="input_ids", shape=(1, 1), dtype=np.int32),
            ct.TensorType(name="position", shape=(1,), dtype=np.int32),
        ],
        outputs=[ct.TensorType(name=_OUTPUT, dtype=np.float32)],
        minimum_deployment_target=ct.target.iOS18,
        compute_units=ct.ComputeUnit.CPU_AND_NE,
        skip_model_load=True,
    )


def _interpreted(package: Path) -> Callable[[], Step]:
    from skerry.export.formats.coreml.mil import Interpreter
    from skerry.export.formats.coreml.read import read_package

    interpreter = Interpreter(read_package(package))

    def begin() -> Step:
        interpreter.reset()
        return lambda one, at: interpreter.run(**_feed(one, at))[_OUTPUT]

    return begin


def _predicted(package: Path) -> Callable[[], Step]:
    import coremltools as ct

    model = ct.models.MLModel(str(package), compute_units=ct.ComputeUnit.CPU_AND_NE)

    def begin() -> Step:
        state = model.make_state()
        return lambda one, at: model.predict(_feed(one, at), state=state)[_OUTPUT]

    return begin


def _feed(one: int, at: int) -> dict[str, Any]:
    return {"input_ids": np.array([[one]], np.int32), "position": np.array([at], np.int32)}


def _scores(begin: Callable[[], Step], ids: Sequence[int], most: int) -> Logits:
    if len(ids) > most:
        raise Unsupported(f"{len(ids)} tokens are more than {most}", hint="give fewer")
    step = begin()
    rows = [np.asarray(step(one, at), np.float32).reshape(1, -1) for at, one in enumerate(ids)]
    return np.concatenate(rows)
