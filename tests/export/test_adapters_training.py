"""Adapters trained on a tiny model, beside PEFT and llama.cpp. Needs the `adapters` extra."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

_WHY = "not installed (pip install torch==2.13.0, then skerry[adapters])"
torch = pytest.importorskip("torch", reason=f"torch is {_WHY}")
peft = pytest.importorskip("peft", reason=f"peft is {_WHY}")
transformers = pytest.importorskip("transformers", reason=f"transformers is {_WHY}")

from skerry.export.adapters import finetune as module  # noqa: E402
from skerry.export.adapters.export import export_lora, export_merged  # noqa: E402
from skerry.export.adapters.finetune import finetune  # noqa: E402
from skerry.export.adapters.pairs import Method  # noqa: E402
from skerry.export.adapters.recipe import RATES, Recipe  # noqa: E402
from skerry.export.adapters.tensors import read_folder, read_tensors  # noqa: E402
from skerry.export.errors import OutputFailed, SourceRefused, Unsupported  # noqa: E402
from skerry.export.genai.tiny import make_tokenizer  # noqa: E402
from tests.export.llama_logits import llama_logits  # noqa: E402
from tests.export.tiny_llama import CONFIG, WIDTH, weights, write_folder, write_gguf  # noqa: E402

pytestmark = pytest.mark.slow
IDS = [1, 70, 300, 22, 411, 7, 11, 256]
_COLOURS = "red green blue black white grey pink gold".split()


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A chat model at random as `hf` and `base.gguf`, and `chats.jsonl` for it."""
    place = tmp_path_factory.mktemp("tiny")
    made = weights()
    draw = np.random.default_rng(5).standard_normal((512, WIDTH))
    made["model.embed_tokens.weight"] = draw.astype(np.float32)
    write_folder(place / "hf", made)
    config = CONFIG | {"vocab_size": 512, "eos_token_id": 2, "pad_token_id": 0}
    (place / "hf" / "config.json").write_text(json.dumps(config), "utf-8")
    make_tokenizer(0).save_pretrained(place / "hf")
    write_gguf(place / "base.gguf", made)
    lines = [
        {"messages": [{"role": "user", "content": f"Thing {i} is {one}."},
                      {"role": "assistant", "content": one}]}
        for i in range(4) for one in _COLOURS
    ]  # fmt: skip
    (place / "chats.jsonl").write_text("\n".join(map(json.dumps, lines)), "utf-8")
    return place


def recipe(method: Method = Method.LORA, **more: Any) -> Recipe:
    given = {"rank": 8, "epochs": 4, "batch": 8, "learning_rate": 5 * RATES[method]}
    return Recipe(method=method, **given | more)


@pytest.mark.parametrize("method", Method)
def test_what_is_trained_is_what_runtimes_compute(
    tiny: Path, tmp_path: Path, method: Method
) -> None:
    out = tmp_path / "out"
    card = finetune(tiny / "hf", tiny / "chats.jsonl", out, recipe(method), licence="MIT")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out"]
    assert card["held_out"]["after"]["loss_nats"] < card["held_out"]["before"]["loss_nats"]
    assert json.loads((out / "adapter.json").read_text()) == card
    assert (card["licence"], card["data"]) == ("MIT", card["data"] | {"learnt": 29, "held_out": 3})
    assert str(tiny) not in (out / "adapter_config.json").read_text()

    plain = transformers.AutoModelForCausalLM.from_pretrained(tiny / "hf", dtype=torch.float32)
    model = peft.PeftModel.from_pretrained(plain, out).eval()
    with torch.no_grad():
        theirs = model(input_ids=torch.tensor([IDS])).logits[0].numpy()
    export_merged(out, tiny / "hf", tmp_path / "merged")
    merged = model.merge_and_unload().state_dict()
    ours = read_folder(tmp_path / "merged")
    for name in ours:
        assert np.allclose(ours[name], merged[name].numpy(), atol=1e-5), name
    made = llama_logits(write_gguf(tmp_path / "merged.gguf", ours), IDS)
    assert np.abs(made - theirs).max() < 0.02
    if method is not Method.DORA:
        export_lora(out, tiny / "base.gguf", tmp_path / "x.gguf")
        made = llama_logits(tiny / "base.gguf", IDS, tmp_path / "x.gguf")
        assert np.abs(made - theirs).max() < 0.02
    assert np.abs(llama_logits(tiny / "base.gguf", IDS) - theirs).max() > 0.2


def test_a_killed_training_goes_on_to_the_same_adapter(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_SAVE_EVERY_S", 0.0)
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    finetune(tiny / "hf", tiny / "chats.jsonl", whole, recipe())

    def stop(what: str, done: float) -> None:
        if what.startswith("training") and done >= 0.5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        finetune(tiny / "hf", tiny / "chats.jsonl", stopped, recipe(), progress=stop)
    assert not stopped.exists()
    with pytest.raises(OutputFailed, match="another recipe"):
        finetune(tiny / "hf", tiny / "chats.jsonl", stopped, recipe(seed=7))
    heard: list[float] = []

    def listen(what: str, done: float) -> None:
        if what.startswith("training"):
            heard.append(done)

    finetune(tiny / "hf", tiny / "chats.jsonl", stopped, recipe(), progress=listen)
    assert heard[0] >= 0.5
    one, other = (read_tensors(path / "adapter_model.safetensors") for path in (whole, stopped))
    for name in one:
        assert np.allclose(one[name], other[name], atol=1e-6), name
    assert (whole / "adapter.json").read_bytes() == (stopped / "adapter.json").read_bytes()
    with pytest.raises(OutputFailed, match="exists already"):
        finetune(tiny / "hf", tiny / "chats.jsonl", whole, recipe())


def test_an_example_that_is_too_long_is_named(tiny: Path, tmp_path: Path) -> None:
    with pytest.raises(SourceRefused, match=r"more than 12 tokens, at lines 1, 2, .* more"):
        finetune(tiny / "hf", tiny / "chats.jsonl", tmp_path / "x", recipe(most_tokens=12))
    assert not (tmp_path / "x").exists()


def test_matrices_that_are_not_there(tiny: Path, tmp_path: Path) -> None:
    with pytest.raises(SourceRefused, match="cannot be trained"):
        finetune(tiny / "hf", tiny / "chats.jsonl", tmp_path / "x", recipe(targets=("c_attn",)))


def test_a_training_that_diverges_is_said(tiny: Path, tmp_path: Path) -> None:
    with pytest.raises(OutputFailed, match="diverged at step"):
        finetune(tiny / "hf", tiny / "chats.jsonl", tmp_path / "x",
                 recipe(learning_rate=1e30, epochs=8))  # fmt: skip


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_qlora_is_for_a_gpu(tiny: Path, tmp_path: Path) -> None:
    with pytest.raises(Unsupported, match="this machine has none"):
        finetune(tiny / "hf", tiny / "chats.jsonl", tmp_path / "x", recipe(four_bit=True))
    assert list(tmp_path.iterdir()) == []
