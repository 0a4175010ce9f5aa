"""What ExecuTorch is asked for: names, parameters and options. Needs none of its tools."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from skerry.export.errors import SourceRefused, Unsupported
from skerry.export.formats.executorch.llm import check_groups, llm_config
from skerry.export.formats.executorch.lower import in_order
from skerry.export.formats.executorch.meta import meta_names, model_args

LLAMA: dict[str, Any] = {
    "model_type": "llama", "hidden_size": 576, "num_hidden_layers": 30, "num_attention_heads": 9,
    "num_key_value_heads": 3, "intermediate_size": 1536, "vocab_size": 49152, "rms_norm_eps": 1e-5,
    "rope_parameters": {"rope_type": "default", "rope_theta": 100000.0},
}  # fmt: skip


def test_the_parameters_of_a_llama() -> None:
    found = model_args(LLAMA)
    assert found["rope_theta"] == 100000.0
    assert (found["dim"], found["head_dim"], found["n_kv_heads"]) == (576, 64, 3)
    assert found["use_hf_rope"]
    assert not found["use_qk_norm"]
    assert not found["attention_qkv_bias"]


@pytest.mark.parametrize(
    ("config", "key", "value"),
    [
        ({"rope_parameters": None, "rope_theta": 5000.0}, "rope_theta", 5000.0),
        ({"rope_parameters": None}, "rope_theta", 10000.0),
        ({"num_key_value_heads": None}, "n_kv_heads", 9),
        ({"head_dim": 128}, "head_dim", 128),
        ({"model_type": "qwen2"}, "attention_qkv_bias", True),
        ({"model_type": "qwen3"}, "use_qk_norm", True),
        ({"sliding_window": 4096, "use_sliding_window": False}, "dim", 576),
    ],
)
def test_other_parameters(config: dict[str, Any], key: str, value: object) -> None:
    assert model_args({**LLAMA, **config})[key] == value


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"rope_scaling": {"type": "yarn"}, "rope_parameters": None}, "yarn"),
        ({"rope_parameters": {"rope_type": "llama3"}}, "llama3"),
        ({"hidden_act": "gelu"}, "gelu"),
        ({"sliding_window": 4096}, "sliding window"),
    ],
)
def test_what_the_definition_lacks(config: dict[str, Any], said: str) -> None:
    with pytest.raises(SourceRefused, match=said):
        model_args({**LLAMA, **config})
    del (short := dict(LLAMA))["hidden_size"]
    with pytest.raises(SourceRefused, match="hidden_size"):
        model_args(short)


def test_weights_are_renamed_and_a_tied_head_is_named_twice() -> None:
    named = meta_names(
        {
            "model.embed_tokens.weight": 0,
            "model.norm.weight": 1,
            "model.layers.3.self_attn.q_proj.weight": 2,
            "model.layers.12.self_attn.k_proj.bias": 3,
            "model.layers.0.mlp.gate_proj.weight": 4,
        }
    )
    assert named == {
        "tok_embeddings.weight": 0,
        "norm.weight": 1,
        "layers.3.attention.wq.weight": 2,
        "layers.12.attention.wk.bias": 3,
        "layers.0.feed_forward.w1.weight": 4,
        "output.weight": 0,
    }
    assert meta_names({"lm_head.weight": 5})["output.weight"] == 5


def test_a_weight_that_has_no_place_is_named() -> None:
    with pytest.raises(SourceRefused, match=r"model\.layers\.0\.block_sparse_moe"):
        meta_names({"model.layers.0.block_sparse_moe.gate.weight": 0})


def test_the_options() -> None:
    four = llm_config(Path("/w"), Path("/w/model"), "8da4w", 512)
    assert four["quantization"]["group_size"] == 32
    assert four["quantization"]["embedding_quantize"] == "4,32"
    assert four["export"]["output_name"] == "/w/model/model.pte"
    assert "quantization" not in llm_config(Path("/w"), Path("/w/model"), "fp32", 512)


def test_sizes_that_are_no_groups() -> None:
    check_groups({"hidden_size": 30, "intermediate_size": 64}, "fp32")
    check_groups({"hidden_size": 32, "intermediate_size": 64}, "8da4w")
    with pytest.raises(Unsupported, match="multiples of 32"):
        check_groups({"hidden_size": 30, "intermediate_size": 64}, "8da4w")


def test_a_graph_is_sorted_only_where_it_is_out_of_order() -> None:
    fx = pytest.importorskip("torch.fx", reason="a graph is torch's")
    graph = fx.Graph()
    first = graph.placeholder("first")
    second = graph.call_method("neg", (first,))
    third = graph.call_method("abs", (second,))
    graph.output(third)
    module = fx.GraphModule({}, graph)
    assert in_order(module)
    third.append(second)
    assert not in_order(module)
