"""The network read back from its int8 file, and the mean of checkpoints."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="training needs torch")
pytest.importorskip("transformers", reason="training needs transformers")
pytest.importorskip("onnx", reason="training needs onnx")

import torch

from skerry.guardrails.names.classifier import DEFAULT_FOLDER, shared
from skerry.guardrails.train.names import fit
from skerry.guardrails.train.names.compose import Labelled
from skerry.guardrails.train.names.mean import mean
from skerry.guardrails.train.names.restored import restored


def test_what_is_read_back_says_what_the_file_says() -> None:
    from tokenizers import Tokenizer

    network, tokenizer = restored(DEFAULT_FOLDER)
    text = "Please ask Ada Lovelace of Acme Robotics in Leeds, who saw Dr Okafor, and call Tim."
    (row,) = fit.rows([Labelled(text, ())], Tokenizer.from_str(tokenizer))
    with torch.no_grad():
        logits = network.eval()(*fit.tensors([row])[:3])
    share = logits.softmax(-1)[0, 1:-1]
    mine = (share[:, 1::2] + share[:, 2::2]).numpy()
    told = shared()._run(tuple(row.ids[1:-1]), tuple(row.shapes[1:-1]))
    assert np.abs(mine - told).max() < 0.05


def test_the_mean_is_of_each_tensor(tmp_path: Path) -> None:
    for name, value in (("a", 1.0), ("b", 3.0)):
        state = {"weight": torch.full((2,), value), "ids": torch.tensor([7])}
        torch.save({"network": state, "step": 1}, tmp_path / name)
    made = mean([tmp_path / "a", tmp_path / "b"])
    assert made["weight"].tolist() == [2.0, 2.0]  # type: ignore[attr-defined]
    assert made["ids"].tolist() == [7]  # type: ignore[attr-defined]
