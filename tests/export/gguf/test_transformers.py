"""Against transformers itself, where it is installed: models of its own, exported and run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from skerry.export.gguf.exporter import GgufExporter
from skerry.export.gguf.fidelity import log_softmax
from tests.export.gguf import tiny

torch = pytest.importorskip("torch", reason="the extra `export` has it")
transformers = pytest.importorskip("transformers", reason="the extra `export` has it")

LLAMA3 = {
    "rope_type": "llama3",
    "rope_theta": 10000.0,
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 64,
}
YARN = {
    "rope_type": "yarn",
    "rope_theta": 10000.0,
    "factor": 4.0,
    "original_max_position_embeddings": 64,
}
CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "llama": ("Llama", {}),
    "llama, biases": ("Llama", {"attention_bias": True}),
    "llama 3 scaling": ("Llama", {"rope_parameters": LLAMA3}),
    "llama, yarn": ("Llama", {"rope_parameters": YARN}),
    "mistral": ("Mistral", {"head_dim": 32, "sliding_window": None}),
    "qwen2": ("Qwen2", {"tie_word_embeddings": True}),
    "qwen3": ("Qwen3", {"head_dim": 32}),
    "smollm3": ("SmolLM3", {"num_hidden_layers": 4, "pad_token_id": 0}),
    "gemma": ("Gemma", {"head_dim": 32, "tie_word_embeddings": True, "pad_token_id": 0}),
}
SIZES = {
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "num_hidden_layers": 2,
    "max_position_embeddings": 512,
    "bos_token_id": 1,
    "eos_token_id": 2,
}


def random_model(name: str, changes: dict[str, Any], vocabulary: int) -> Any:
    torch.manual_seed(0)
    said = {**SIZES, "vocab_size": vocabulary, **changes}
    model = getattr(transformers, f"{name}ForCausalLM")(
        getattr(transformers, f"{name}Config")(**said)
    ).eval()
    with torch.no_grad():
        for weight in model.parameters():
            weight.mul_(6 if weight.ndim > 1 else 1).add_(torch.randn_like(weight) / 50)
    return model


@pytest.mark.parametrize(("name", "changes"), CASES.values(), ids=CASES)
def test_llama_cpp_agrees(name: str, changes: dict[str, Any], tmp_path: Path) -> None:
    tokenizer = tiny.byte_level()
    folder = tmp_path / "model"
    model = random_model(name, changes, tokenizer.get_vocab_size())
    model.save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"))
    loaded = GgufExporter().load(GgufExporter().export(folder, "f32", tmp_path / "made").folder)
    ids = loaded.tokenize("The emergency trolley is checked every day before 09:00. " * 4)
    with torch.inference_mode():
        expected = model(torch.tensor([ids])).logits[0].numpy()
    assert np.ptp(expected, axis=1).min() > 1
    difference = np.abs(log_softmax(loaded.logits(ids)) - log_softmax(expected))
    assert difference.max() < 0.01
    loaded.close()
