"""`python -m skerry.guardrails.train.wording --data DIR --out DIR`: the table of word vectors.

Each word alone through MiniLM, in its principal directions (as Model2Vec distils static vectors,
Tulkens, van Dongen 2024), int8.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Sequence
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from skerry.guardrails.train.command import DATA, FOLDER, plainly
from skerry.guardrails.train.wording.vocabulary import vocabulary
from skerry.guardrails.weights import write_manifest
from skerry.guardrails.wording.table import MANIFEST, TABLE

NAME = "words-48-int8"
DIMENSIONS = 48
SHARED_ROWS = 512
_BATCH = 512


@click.command(help="Make the table of word vectors that injection and safety heads share.")
@DATA
@click.option("--out", required=True, type=FOLDER, help="Folder for the table.")
@click.option("--seed", default=0, show_default=True, help="Fixes the rows of unknown words.")
@plainly
def main(data: Path, out: Path, seed: int) -> None:
    words = vocabulary(data)
    write(words, narrow(vectors(words)), out, seed)
    click.echo(f"{len(words):,} words in {out}")


def vectors(words: Sequence[str]) -> NDArray[np.float32]:
    """What MiniLM says of each word alone: the mean over its tokens, [words, 384]."""
    import torch
    from tokenizers import Tokenizer
    from transformers import AutoModel

    from skerry.export.encoder.float32 import source_folder

    source = source_folder()
    tokenizer = Tokenizer.from_file(str(source / "tokenizer.json"))
    tokenizer.enable_padding()
    tokenizer.enable_truncation(16)
    model = AutoModel.from_pretrained(source).eval()
    made = []
    for start in range(0, len(words), _BATCH):
        seen = tokenizer.encode_batch(list(words[start : start + _BATCH]))
        ids = torch.tensor([one.ids for one in seen])
        mask = torch.tensor([one.attention_mask for one in seen])
        with torch.inference_mode():
            states = model(input_ids=ids, attention_mask=mask).last_hidden_state
        weight = mask[..., None].float()
        made.append(((states * weight).sum(1) / weight.sum(1)).numpy())
    return np.concatenate(made)


def narrow(wide: NDArray[np.float32]) -> NDArray[np.float32]:
    """The principal directions, each row of the same length: [words, DIMENSIONS]."""
    level = wide - wide.mean(axis=0)
    _, directions = np.linalg.eigh(level.T @ level)
    made = level @ directions[:, ::-1][:, :DIMENSIONS]
    made /= np.sqrt(made.std(axis=0))  # halfway to white: rare directions count, too
    lengths = np.linalg.norm(made, axis=1, keepdims=True)
    unit: NDArray[np.float32] = (made / np.maximum(lengths, 1e-6) * np.sqrt(DIMENSIONS) / 2).astype(
        np.float32
    )
    return unit


def write(words: Sequence[str], made: NDArray[np.float32], out: Path, seed: int) -> None:
    """The table and its manifest."""
    draws = np.random.default_rng(seed).normal(size=(SHARED_ROWS, made.shape[1]))
    draws *= np.sqrt(made.shape[1]) / 2 / np.linalg.norm(draws, axis=1, keepdims=True)
    rows = np.concatenate([made, draws]).astype(np.float32)
    scale = np.float32(np.abs(rows).max() / 127)
    digests = np.array([zlib.crc32(word.encode()) for word in words], np.uint32)
    out.mkdir(parents=True, exist_ok=True)
    codes = np.round(rows / scale).astype(np.int8)
    np.savez_compressed(out / TABLE, digests=digests, codes=codes, scale=scale)
    sha256 = {TABLE: hashlib.sha256((out / TABLE).read_bytes()).hexdigest()}
    write_manifest(out / MANIFEST, {"name": NAME, "sha256": sha256})


if __name__ == "__main__":
    main(prog_name="python -m skerry.guardrails.train.wording")
