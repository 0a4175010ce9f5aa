"""Tokenizers in GGUF: llama.cpp gives the ids of the model's own, or the export fails."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from skerry.export.errors import OutputFailed, SourceRefused, Unsupported
from skerry.export.gguf.exporter import FILE, GgufExporter
from skerry.export.gguf.opened import read_back
from skerry.export.gguf.token_check import differences, texts_for
from skerry.export.gguf.token_texts import TEXTS
from skerry.export.gguf.tokenizer import TokenType, read_vocabulary
from tests.export.gguf import tiny

KINDS: dict[str, tuple[Callable[[], Tokenizer], str]] = {
    "smollm": (lambda: tiny.byte_level("smollm"), "smollm"),
    "gpt-2": (lambda: tiny.byte_level("gpt-2"), "gpt-2"),
    "qwen2": (lambda: tiny.byte_level("qwen2", nfc=True), "qwen2"),
    "llama-bpe": (lambda: tiny.byte_level("llama-bpe"), "llama-bpe"),
    "sentencepiece": (tiny.sentencepiece, "default"),
}


@pytest.mark.parametrize(("make", "pre"), KINDS.values(), ids=KINDS)
def test_ids_are_the_tokenizers_own(
    make: Callable[[], Tokenizer], pre: str, tmp_path: Path
) -> None:
    tokenizer = make()
    tiny.save_model(tmp_path / "model", tokenizer=tokenizer)
    made = GgufExporter(threads=1).export(tmp_path / "model", "f16", tmp_path / "made")
    header = read_back(made.folder / FILE)
    assert header.metadata["tokenizer.ggml.pre"] == pre
    assert header.metadata["tokenizer.chat_template"] == "{{ x }}"
    assert header.metadata["tokenizer.ggml.add_bos_token"] is False
    folds = tokenizer.normalizer is not None and pre == "qwen2"
    assert any("NFC" in note for note in made.notes) == folds
    assert not differences(made.folder / FILE, tokenizer, list(TEXTS), folds=folds)
    loaded = GgufExporter(threads=1).load(made.folder)
    assert loaded.tokenize("a day") == tokenizer.encode("a day", add_special_tokens=False).ids
    loaded.close()


def test_types_of_tokens(tmp_path: Path) -> None:
    tokenizer = tiny.byte_level()
    tokenizer.add_tokens(["<note>"])
    size = tokenizer.get_vocab_size()
    tiny.save_model(tmp_path / "model", tokenizer=tokenizer)
    vocabulary = read_vocabulary(tmp_path / "model", size + 2)
    assert vocabulary.types[:3] == (TokenType.CONTROL,) * 3
    assert vocabulary.types[size - 1] == TokenType.USER_DEFINED
    assert vocabulary.types[size:] == (TokenType.UNUSED,) * 2
    assert vocabulary.special.ids == {"bos": 1, "eos": 2}
    assert "<note>" in texts_for(vocabulary)


def test_a_first_token_that_the_tokenizer_adds(tmp_path: Path) -> None:
    tokenizer = tiny.byte_level()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<|im_start|> $A", special_tokens=[("<|im_start|>", 1)]
    )
    tiny.save_model(tmp_path / "model", tokenizer=tokenizer)
    special = read_vocabulary(tmp_path / "model", 800).special
    assert (special.adds_bos, special.adds_eos) == (True, False)


def test_merges_as_texts_and_as_lists_are_one(tmp_path: Path) -> None:
    tiny.save_model(tmp_path / "model")
    path = tmp_path / "model" / "tokenizer.json"
    raw = json.loads(path.read_text())
    before = read_vocabulary(tmp_path / "model", 800).merges
    pairs = [
        pair if isinstance(pair, list) else pair.split(" ", 1) for pair in raw["model"]["merges"]
    ]
    for merges in (pairs, [" ".join(pair) for pair in pairs]):
        raw["model"]["merges"] = merges
        path.write_text(json.dumps(raw))
        assert read_vocabulary(tmp_path / "model", 800).merges == before
    assert len(before) > 100


def test_several_ends_and_templates(tmp_path: Path) -> None:
    tiny.save_model(tmp_path / "model")
    folder = tmp_path / "model"
    (folder / "generation_config.json").write_text(json.dumps({"eos_token_id": [2, 0]}))
    templates = [{"name": "tool_use", "template": "t"}, {"name": "default", "template": "d"}]
    (folder / "tokenizer_config.json").write_text(json.dumps({"chat_template": templates}))
    special = read_vocabulary(folder, 800).special
    assert special.ids == {"eos": 2, "eot": 0}
    assert special.template == "d"
    (folder / "chat_template.jinja").write_text("file")
    assert read_vocabulary(folder, 800).special.template == "file"


def with_steps(tokenizer: Tokenizer, steps: object) -> Tokenizer:
    tokenizer.pre_tokenizer = steps
    return tokenizer


def test_a_tokenizer_that_llama_cpp_does_not_have_fails_the_export(tmp_path: Path) -> None:
    """Words are split at each capital: the steps look like gpt-2's, the ids are others."""
    tokenizer = tiny.byte_level("gpt-2")
    raw = json.loads(tokenizer.to_str())
    raw["model"]["merges"] = raw["model"]["merges"][::-1]
    raw["model"]["ignore_merges"] = True
    tiny.save_model(tmp_path / "model", tokenizer=Tokenizer.from_str(json.dumps(raw)))
    with pytest.raises(OutputFailed, match="unlike the model's tokenizer"):
        GgufExporter(threads=1).export(tmp_path / "model", "f16", tmp_path / "made")
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


UNKNOWN = {
    "word pieces": lambda: Tokenizer(models.WordPiece({"a": 0}, unk_token="a")),
    "blanks only": lambda: with_steps(tiny.byte_level(), pre_tokenizers.WhitespaceSplit()),
    "other expression": lambda: with_steps(
        tiny.byte_level(),
        pre_tokenizers.Sequence([
            pre_tokenizers.Split("x", "isolated"), pre_tokenizers.ByteLevel(use_regex=False),
        ]),
    ),
}  # fmt: skip


@pytest.mark.parametrize("make", UNKNOWN.values(), ids=UNKNOWN)
def test_kinds_that_are_refused(make: Callable[[], Tokenizer], tmp_path: Path) -> None:
    tiny.save_model(tmp_path / "model", tokenizer=make())
    with pytest.raises(Unsupported) as caught:
        GgufExporter(threads=1).export(tmp_path / "model", "f16", tmp_path / "made")
    assert caught.value.hint


DAMAGED = {
    "not there": None,
    "no JSON": "{",
    "a list": "[]",
    "nested": "[" * 100_000,
    "no vocabulary": '{"model": {"type": "BPE", "vocab": [], "merges": []}}',
    "ids that are texts": '{"model": {"type": "BPE", "vocab": {"a": "0"}, "merges": []}}',
    "one id twice": '{"model": {"type": "BPE", "vocab": {"a": 0, "b": 0}, "merges": []}}',
    "id below zero": '{"model": {"type": "BPE", "vocab": {"a": -1}, "merges": []}}',
    "id far above": '{"model": {"type": "BPE", "vocab": {"a": 1000000000000}, "merges": []}}',
    "added": '{"added_tokens": [1], "model": {"type": "BPE", "vocab": {"a": 0}, "merges": []}}',
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_damaged_tokenizers(content: str | None, tmp_path: Path) -> None:
    tiny.save_model(tmp_path / "model")
    path = tmp_path / "model" / "tokenizer.json"
    path.unlink()
    if content is not None:
        path.write_text(content)
    with pytest.raises(SourceRefused):
        GgufExporter(threads=1).export(tmp_path / "model", "f16", tmp_path / "made")
    assert not (tmp_path / "made").exists()


def test_a_vocabulary_larger_than_the_embedding(tmp_path: Path) -> None:
    said = tiny.config(vocab_size=20)
    tiny.save_model(tmp_path / "model", said)
    with pytest.raises(SourceRefused, match="has 20 rows") as caught:
        GgufExporter(threads=1).export(tmp_path / "model", "f16", tmp_path / "made")
    assert "two models" in caught.value.hint
