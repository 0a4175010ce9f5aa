"""Model folders that are damaged, incomplete or unusual: a clear error, or the right reading."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

from skerry.edge.engines.base import EngineOptions
from skerry.edge.engines.chat import CHATML
from skerry.edge.engines.genai import load_genai
from skerry.edge.engines.genai.folder import describe, read_folder
from skerry.edge.engines.genai.tokens import Tokens
from skerry.edge.errors import ModelInvalid, ModelNotFound

TINY = Path(__file__).parents[2] / "data" / "tiny-genai"
CHAT = [{"role": "user", "content": "Hello."}]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(TINY, tmp_path / "model"))


def edit(change: Callable[[dict[str, Any]], object], name: str = "genai_config.json") -> Damage:
    def damage(folder: Path) -> None:
        file = folder / name
        config = json.loads(file.read_text())
        change(config)
        file.write_text(json.dumps(config))

    return damage


def write(name: str, content: bytes) -> Damage:
    return lambda folder: (folder / name).write_bytes(content)


def cut(name: str) -> Damage:
    def damage(folder: Path) -> None:
        content = (folder / name).read_bytes()
        (folder / name).write_bytes(content[: len(content) // 2])

    return damage


def remove(name: str) -> Damage:
    return lambda folder: (folder / name).unlink()


Damage = Callable[[Path], object]


@dataclass(frozen=True)
class Bad:
    name: str
    damage: Damage
    match: str
    error: type[Exception] = ModelInvalid


BAD = (
    Bad("no configuration", remove("genai_config.json"), "no genai_config.json", ModelNotFound),
    Bad("configuration is not JSON", write("genai_config.json", b"{"), "cannot be read"),
    Bad("configuration is a list", write("genai_config.json", b"[]"), "not a JSON object"),
    Bad("configuration is empty", write("genai_config.json", b"{}"), "no section 'model'"),
    Bad("no decoder", edit(lambda c: c["model"].pop("decoder")), "no section 'decoder'"),
    Bad("no context", edit(lambda c: c["model"].update(context_length=0)), "context_length"),
    Bad("no end of turn", edit(lambda c: c["model"].update(eos_token_id="x")), "eos_token_id"),
    Bad("an unknown type", edit(lambda c: c["model"].update(type="none")), "cannot be loaded"),
    Bad("another vocabulary", edit(lambda c: c["model"].update(vocab_size=9)), "cannot be loaded"),
    Bad("no graph", remove("model.onnx"), "'model.onnx' are missing"),
    Bad("half a graph", cut("model.onnx"), "cannot be loaded"),
    Bad("an empty graph", write("model.onnx", b""), "cannot be loaded"),
    Bad("a text for a graph", write("model.onnx", b"hello " * 99), "cannot be loaded"),
    Bad("half the weights", cut("model.onnx.data"), "cannot be loaded"),
    Bad("no weights", remove("model.onnx.data"), "cannot be loaded"),
    Bad("no tokenizer", remove("tokenizer.json"), "tokenizer"),
    Bad("half a tokenizer", cut("tokenizer.json"), "tokenizer"),
    Bad("a tokenizer that is none", write("tokenizer.json", b"[1]"), "tokenizer"),
    Bad("a binary tokenizer", write("tokenizer.json", b"\xff\xfe"), "tokenizer"),
    Bad("a damaged manifest", write("skerry.json", b"\x00"), "skerry.json"),
)


@pytest.mark.parametrize("case", BAD, ids=lambda case: case.name)
def test_a_bad_folder(folder: Path, case: Bad) -> None:
    case.damage(folder)
    with pytest.raises(case.error, match=case.match) as caught:
        load_genai(folder, EngineOptions(context_tokens=64))
    assert str(folder) in str(caught.value)
    assert caught.value.hint  # type: ignore[attr-defined]  # all are ours


@pytest.mark.parametrize("path", ["none", "model/model.onnx"])
def test_no_folder(folder: Path, path: str) -> None:
    with pytest.raises(ModelNotFound):
        load_genai(folder.parent / path)


def test_a_template_that_does_not_compile(folder: Path) -> None:
    (folder / "chat_template.jinja").write_text("{% for %}")
    engine = load_genai(folder, EngineOptions(context_tokens=64))
    with pytest.raises(ModelInvalid, match="template"):
        engine.render(CHAT)
    engine.close()


def rendered(folder: Path) -> str:
    return read_folder(folder).template.render(CHAT)


def test_where_the_template_comes_from(folder: Path) -> None:
    """A file of its own, then tokenizer_config.json (one or a list), then ChatML."""
    tokens = "tokenizer_config.json"
    edit(
        lambda c: c.update(chat_template="one {{ bos_token }}", bos_token={"content": "B"}), tokens
    )(folder)
    assert rendered(folder).startswith("<|im_start|>")
    (folder / "chat_template.jinja").unlink()
    assert rendered(folder) == "one B"
    named = [{"name": "default", "template": "two"}, {"name": "rag", "template": "three"}]
    edit(lambda c: c.update(chat_template=named), tokens)(folder)
    assert rendered(folder) == "two"
    (folder / tokens).unlink()
    assert rendered(folder) == "<|im_start|>user\nHello.<|im_end|>\n<|im_start|>assistant\n"
    assert "im_start" in CHATML


def test_without_a_manifest_less_is_known(folder: Path) -> None:
    (folder / "skerry.json").unlink()
    info = describe(read_folder(folder), name="m", context_tokens=64)
    assert (info.parameters, info.quantization, info.licence) == (0, "unknown", None)


def test_the_digest_is_of_every_file(folder: Path) -> None:
    def digest() -> str:
        return describe(read_folder(folder), name="m", context_tokens=64).digest

    before = digest()
    assert before == digest()
    (folder / "README.md").write_text("another card")
    assert digest() != before


def test_several_ids_end_a_turn(folder: Path) -> None:
    edit(lambda c: c["model"].update(eos_token_id=[2, 0]))(folder)
    assert read_folder(folder).stop_ids == {0, 2}


# Tokenizers of the SentencePiece kind, as Phi-3 and Mistral have them


@pytest.fixture(scope="module")
def sentencepiece() -> Tokens:
    vocabulary = {"<s>": 0, **{f"<0x{byte:02X}>": byte + 1 for byte in range(256)}}
    for piece in ("▁", "a", "b", "▁a", "ab", "▁ab"):
        vocabulary[piece] = len(vocabulary)
    merges = [("▁", "a"), ("a", "b"), ("▁a", "b")]
    core = Tokenizer(models.BPE(vocabulary, merges, byte_fallback=True))
    core.normalizer = normalizers.Replace(" ", "▁")
    core.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    )
    core.add_special_tokens(["<s>"])
    core.post_processor = processors.TemplateProcessing("<s> $A", None, [("<s>", 0)])
    return Tokens(core.to_str())


@pytest.mark.parametrize("text", ["ab ab", " a", "é薬", "b<s>", ""])
def test_sentencepiece_pieces_make_the_text(sentencepiece: Tokens, text: str) -> None:
    ids = sentencepiece.encode(text, special=False)
    assert b"".join(map(sentencepiece.piece, ids)).decode() == text
    assert sentencepiece.decode(ids) == text


def test_a_prompt_gets_the_tokens_that_the_tokenizer_adds(sentencepiece: Tokens) -> None:
    assert sentencepiece.encode_prompt("ab") == [0, *sentencepiece.encode("ab", special=False)]
    assert sentencepiece.encode("<s>", special=True) == [0]
    assert 0 not in sentencepiece.encode("<s>", special=False)


def test_pieces_of_the_byte_level_kind() -> None:
    tokens = Tokens.open(TINY)
    plain = Tokenizer.from_file(str(TINY / "tokenizer.json"))
    assert isinstance(plain.pre_tokenizer, pre_tokenizers.ByteLevel)
    every = [tokens.piece(token) for token in range(512)]
    assert {bytes([byte]) for byte in range(256)} <= set(every)
    assert tokens.piece(2) == b"<|im_end|>"
    assert tokens.piece(10**6) == b""
    assert tokens.longest_piece == max(map(len, every))
    assert tokens.control == {"<|endoftext|>", "<|im_start|>", "<|im_end|>"}
