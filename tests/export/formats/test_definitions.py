"""Our names and parameters against Hugging Face's own models, in torch, before any export.

Needs torch and transformers; one part needs ExecuTorch.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from skerry.export.formats.executorch.meta import meta_names, model_args

torch = pytest.importorskip("torch", reason="the definitions are torch modules")
transformers = pytest.importorskip("transformers", reason="the originals are transformers' models")

SIZES = {
    "vocab_size": 96, "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2,
    "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 16, "rope_theta": 50000.0,
    "max_position_embeddings": 64,
}  # fmt: skip
IDS = [3, 17, 90, 4, 4, 51, 8, 0]


def original(kind: str) -> Any:
    torch.manual_seed(7)
    config = transformers.AutoConfig.for_model(kind, **SIZES)
    model = transformers.AutoModelForCausalLM.from_config(config, attn_implementation="eager")
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if name.endswith(("bias", "norm.weight")):
                weight.add_(0.3 * torch.randn_like(weight))
    return model.eval()


def expected(model: Any) -> np.ndarray:
    with torch.no_grad():
        scores: np.ndarray = model(torch.tensor([IDS])).logits[0].numpy()
    return scores


@pytest.mark.parametrize("kind", ["llama", "mistral", "qwen2"])
def test_the_decoder_of_core_ml(kind: str) -> None:
    from skerry.export.formats.coreml.decoder import Decoder

    model = original(kind)
    decoder = Decoder(model_args({**model.config.to_dict(), "sliding_window": None}), context=16)
    named = meta_names(model.state_dict())
    kept = {name: values for name, values in decoder.state_dict().items() if name not in named}
    assert all(name.endswith((".keys", ".values")) for name in kept)
    decoder.load_state_dict({**named, **kept})
    with torch.no_grad():
        rows = [
            decoder(torch.tensor([[one]]), torch.tensor([at])).numpy() for at, one in enumerate(IDS)
        ]
    assert np.allclose(np.concatenate(rows), expected(model), atol=1e-4)


@pytest.mark.parametrize("kind", ["llama", "mistral", "qwen2", "qwen3"])
def test_the_llama_of_executorch(kind: str) -> None:
    pytest.importorskip("executorch", reason="ExecuTorch's definition is in ExecuTorch")
    from executorch.examples.models.llama.llama_transformer import construct_transformer
    from executorch.examples.models.llama.model_args import ModelArgs

    model = original(kind)
    args = model_args({**model.config.to_dict(), "sliding_window": None})
    built = construct_transformer(ModelArgs(**args, max_seq_len=16, max_context_len=16))
    built.params.generate_full_logits = built.generate_full_logits = True
    missing, unexpected = built.load_state_dict(meta_names(model.state_dict()), strict=False)
    assert not unexpected
    assert not [name for name in missing if name.endswith(("weight", "bias"))]
    with torch.no_grad():
        scores = built.eval()(torch.tensor([IDS]))
    scores = scores[0] if isinstance(scores, tuple) else scores
    assert np.allclose(np.asarray(scores).reshape(len(IDS), -1), expected(model), atol=1e-4)
