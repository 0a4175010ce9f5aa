"""A folder's tokenizer files: conversations, the bytes of tokens, and the ends of answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from skerry.export.errors import OutputFailed, Unsupported
from skerry.export.formats.chat import read_chat
from skerry.export.formats.stepping import SteppingLlm
from skerry.export.measure.stepping import Greedy, Stepping

tokenizers = pytest.importorskip("tokenizers")

TEMPLATE = (
    "{% for message in messages %}\n{{ bos_token + message['role'] + ':' + message['content'] }}"
    "{% endfor %}{% if add_generation_prompt %}>{% endif %}"
)
Folder = Callable[..., Path]


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """A byte-level tokenizer of single bytes, with the tokens `<s>` and `<|im_end|>`."""

    def make(**config: Any) -> Path:
        from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

        alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
        core = Tokenizer(models.BPE({letter: at for at, letter in enumerate(alphabet)}, []))
        core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        core.decoder = decoders.ByteLevel()
        core.add_special_tokens([AddedToken("<s>"), AddedToken("<|im_end|>")])
        core.save(str(tmp_path / "tokenizer.json"))
        (tmp_path / "tokenizer_config.json").write_text(json.dumps(config))
        return tmp_path

    return make


def test_a_conversation_is_written_as_the_template_says(folder: Folder) -> None:
    chat = read_chat(folder(bos_token="<s>", chat_template=TEMPLATE))
    text = chat.tokenizer.decode(chat.ids("Be brief.", "é?"), skip_special_tokens=False)
    assert text == "<s>system:Be brief.<s>user:é?>"
    assert chat.ids("", "a") == chat.tokenizer.encode("<s>user:a>", add_special_tokens=False).ids


def test_a_template_in_a_file_of_its_own_goes_first(folder: Folder) -> None:
    path = folder(chat_template=TEMPLATE)
    (path / "chat_template.jinja").write_text("{{ messages[-1]['content'] }}")
    chat = read_chat(path)
    assert chat.tokenizer.decode(chat.ids("", "hello")) == "hello"


@pytest.mark.parametrize(
    "template",
    ["{% for %}", "{{ raise_exception('no') }}", "{{ messages[7]['role'].x }}",
     "{{ ''.__class__.__mro__ }}"],
)  # fmt: skip
def test_a_template_that_cannot_be_used_is_said(template: str, folder: Folder) -> None:
    with pytest.raises(Unsupported, match="template cannot be used"):
        read_chat(folder(chat_template=template)).ids("", "a")


def test_a_model_without_a_template_has_no_chats(folder: Folder) -> None:
    with pytest.raises(Unsupported, match="no chat template"):
        read_chat(folder()).ids("", "a")


def test_bytes_and_ends_of_tokens(folder: Folder) -> None:
    path = folder(eos_token={"content": "<|im_end|>"})
    (path / "generation_config.json").write_text('{"eos_token_id": [7]}')
    chat = read_chat(path)
    ids = chat.tokenizer.encode("naïve 🙂").ids
    assert b"".join(chat.pieces[one] for one in ids).decode() == "naïve 🙂"
    end = chat.tokenizer.token_to_id("<|im_end|>")
    assert chat.pieces[end] == b""
    assert chat.ends_at == {7, end}


@pytest.mark.parametrize("name", ["tokenizer.json", "tokenizer_config.json"])
def test_a_damaged_file_is_named(name: str, folder: Folder) -> None:
    path = folder()
    (path / name).write_text("{")
    with pytest.raises(OutputFailed, match=name):
        read_chat(path)


class Counting:
    """Says the token after the last; `read` is what it was given since the beginning."""

    def __init__(self, vocabulary: int) -> None:
        self.vocabulary, self.read = vocabulary, list[int]()

    def begin(self, ids: Sequence[int]) -> Any:
        self.read = list(ids)
        return np.eye(self.vocabulary, dtype=np.float32)[self.read[-1] + 1]

    def step(self, token: int) -> Any:
        return self.begin([*self.read, token])


def test_a_runtime_with_state_is_measured_by_steps(folder: Folder) -> None:
    chat = read_chat(folder(chat_template="{{ messages[-1]['content'] }}", eos_token="f"))
    steps = Counting(chat.tokenizer.get_vocab_size())
    model = SteppingLlm(chat, steps, lambda ids: np.zeros((len(ids), 3), np.float32), 6)
    assert isinstance(model, Stepping)
    assert Greedy(model)("", "ab", 9) == "cde", "it ends at the token that ends answers"
    assert Greedy(model)("", "ab", 2) == "cd"
    assert chat.tokenizer.decode(steps.read) == "abcd"
    assert model.logits([]).size == 0
    assert model.logits([1, 2]).shape == (2, 3)


def test_no_more_tokens_than_places(folder: Folder) -> None:
    chat = read_chat(folder())
    model = SteppingLlm(chat, Counting(300), lambda ids: np.zeros((len(ids), 3), np.float32), 3)
    model.begin([1, 2])
    model.step(3)
    with pytest.raises(OutputFailed, match="4 tokens do not fit 3 places"):
        model.step(4)
    for ids in ([], [1] * 4):
        with pytest.raises(OutputFailed, match="do not fit"):
            model.begin(ids)
    with pytest.raises(OutputFailed, match="do not fit"):
        model.logits([1] * 4)
