"""A very small chat model for tests: 512 words of vocabulary, two layers, trained for a minute.

It knows a handful of sentences, all written here, so that engines have something real to load
that ends its turns, counts, and answers differently at a high temperature. It is good for nothing
else. Seeded: the same versions of the libraries make the same weights on one machine.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
TEMPLATE = (
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
CARD = """---
license: apache-2.0
---
# A tiny chat model for tests

A Llama of 0.1 million parameters over a vocabulary of 512, trained for about a minute on sentences
that its recipe composes from a seed: greetings, sums, colours, counting to one hundred. It has seen
no other text. It exists so that engines have something real to load in tests; its answers mean
nothing.

Made by `python -m skerry.export.genai --tiny --out DIR`.
"""
_NUMBERS = "one two three four five six seven eight nine ten eleven twelve".split()
_COLOURS = "red orange yellow green blue indigo violet white black brown".split()
_NAMES = "Ada Ben Cleo Dan Eve Finn Gus Hal Ivy Jo".split()
_PLACES = {"France": "Paris", "Italy": "Rome", "Spain": "Madrid", "Norway": "Oslo"}
_THINGS = "kettle lamp ladder trolley boat door clock map".split()


@dataclass(frozen=True, slots=True)
class TinyShape:
    """The model's size. Lengths in tokens; 128k parameters as it stands."""

    vocabulary: int = 512
    hidden: int = 64
    intermediate: int = 128
    layers: int = 2
    heads: int = 4
    kv_heads: int = 2
    context: int = 1024


@dataclass(frozen=True, slots=True)
class Training:
    """How it is trained: `steps` batches of `rows` sequences of `length` tokens."""

    seed: int = 0
    steps: int = 600
    rows: int = 8
    length: int = 256
    learning_rate: float = 4e-3


def train_tiny(folder: Path, *, training: Training, progress: Callable[[int, float], None]) -> None:
    """Writes a Hugging Face folder with the trained model and its tokenizer.

    Args:
        folder: is made; files of the same names are replaced.
        training: the seed and the amount of work.
        progress: called now and then with (step, mean cross-entropy in nats per token).
    """
    import torch

    torch.manual_seed(training.seed)
    tokenizer = make_tokenizer(training.seed)
    model = _make_model(TinyShape())
    _fit(model, _batches(tokenizer, training), training, progress)
    folder.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    (folder / "README.md").write_text(CARD, "utf-8")


def make_tokenizer(seed: int) -> Any:
    """A byte-level BPE tokenizer (a `transformers` one) trained on two thousand of our texts."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    core = Tokenizer(models.BPE())
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=TinyShape().vocabulary,
        special_tokens=list(SPECIAL),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    texts = _texts(random.Random(seed))  # noqa: S311  (seeded on purpose)
    core.train_from_iterator((next(texts) for _ in range(2000)), trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=core,
        eos_token="<|im_end|>",  # noqa: S106  (a token of text)
        pad_token="<|endoftext|>",  # noqa: S106
        chat_template=TEMPLATE,
    )


def _make_model(shape: TinyShape) -> Any:
    from transformers import LlamaConfig, LlamaForCausalLM

    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=shape.vocabulary,
            hidden_size=shape.hidden,
            intermediate_size=shape.intermediate,
            num_hidden_layers=shape.layers,
            num_attention_heads=shape.heads,
            num_key_value_heads=shape.kv_heads,
            max_position_embeddings=shape.context,
            bos_token_id=SPECIAL.index("<|im_start|>"),
            eos_token_id=SPECIAL.index("<|im_end|>"),
            pad_token_id=SPECIAL.index("<|endoftext|>"),
            tie_word_embeddings=True,
        )
    )


def _fit(
    model: Any,
    batches: Iterator[torch.Tensor],
    training: Training,
    progress: Callable[[int, float], None],
) -> None:
    import torch

    optimizer = torch.optim.AdamW(model.parameters(), lr=training.learning_rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, training.learning_rate, total_steps=training.steps
    )
    for step in range(training.steps):
        batch = next(batches)
        loss = model(input_ids=batch, labels=batch).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        schedule.step()
        if step % 100 == 0 or step == training.steps - 1:
            progress(step, loss.item())


def _batches(tokenizer: Any, training: Training) -> Iterator[torch.Tensor]:
    """Texts end to end, cut into rows: shape (rows, length), token ids."""
    import torch

    texts = _texts(random.Random(training.seed + 1))  # noqa: S311  (seeded on purpose)
    size = training.rows * training.length
    ids: list[int] = []
    while True:
        while len(ids) < size:
            ids += tokenizer(next(texts), add_special_tokens=False)["input_ids"]
        yield torch.tensor(ids[:size]).view(training.rows, training.length)
        ids = ids[size:]


def _texts(draw: random.Random) -> Iterator[str]:
    """Training texts without end: chats with one or two questions, and plain prose."""
    while True:
        if draw.random() < 0.2:
            yield _prose(draw) + "<|endoftext|>"
        else:
            yield _chat(draw)


def _chat(draw: random.Random) -> str:
    rows = [("system", "Be brief.")] if draw.random() < 0.2 else []
    for _ in range(draw.choice((1, 1, 2))):
        question, answer = draw.choice(_ASKED)(draw)
        rows += [("user", question), ("assistant", answer)]
    return "".join(f"<|im_start|>{role}\n{text}<|im_end|>\n" for role, text in rows)


def _prose(draw: random.Random) -> str:
    if draw.random() < 0.4:
        count = ", ".join(_NUMBERS[: draw.randint(6, 12)])
        return f"{count.capitalize() if draw.random() < 0.5 else count}, and so on to the end."
    if draw.random() < 0.2:
        return "ha " * draw.randint(8, 20) + "he laughed and laughed."
    country = draw.choice(list(_PLACES))
    return (
        f"The capital of {country} is {_PLACES[country]}. "
        f"The {draw.choice(_THINGS)} is {draw.choice(_COLOURS)} and is checked weekly."
    )


def _count(draw: random.Random) -> tuple[str, str]:
    asked = draw.choice(("Count to one hundred.", "Count.", "Count from 1 to 100."))
    return asked, ", ".join(str(number) for number in range(1, 101)) + "."


def _rainbow(draw: random.Random) -> tuple[str, str]:
    first, second, third = draw.sample(_COLOURS, 3)
    return (
        "Name three colours of the rainbow.",
        f"Three colours are {first}, {second} and {third}, as in the sky after rain.",
    )


def _sum(draw: random.Random) -> tuple[str, str]:
    number = draw.randint(1, 9)
    return f"What is {number} plus {number}?", f"{number} plus {number} is {2 * number}."


def _say(draw: random.Random) -> tuple[str, str]:
    word = draw.choice(("yes", "no", *_COLOURS))
    if draw.random() < 0.5:
        number = draw.randint(0, 30)
        return f"Say {number}.", f"{number}."
    return f"Say only the word {word}.", f"{word.capitalize()}."


def _greet(draw: random.Random) -> tuple[str, str]:
    if draw.random() < 0.5:
        return "Hello.", "Hello. How can I help you today?"
    return "Is water wet?", draw.choice(("Yes, water is wet.", "No, water makes things wet."))


def _pet(draw: random.Random) -> tuple[str, str]:
    name = draw.choice(_NAMES)
    if draw.random() < 0.5:
        return f"My cat is called {name}.", f"{name} is a good name for a cat."
    return f"My cat is called {name}. What is she called?", f"She is called {name}."


def _story(draw: random.Random) -> tuple[str, str]:
    name, thing, colour = draw.choice(_NAMES), draw.choice(_THINGS), draw.choice(_COLOURS)
    return (
        "Tell a story.",
        f"Once {name} found a {colour} {thing}. {draw.choice(_NAMES)} asked for it, "
        f"and {name} said {draw.choice(('yes', 'no'))}. The end.",
    )


def _capital(draw: random.Random) -> tuple[str, str]:
    country = draw.choice(list(_PLACES))
    return f"What is the capital of {country}?", f"The capital of {country} is {_PLACES[country]}."


def _json(draw: random.Random) -> tuple[str, str]:
    return "A colour, as JSON.", f'{{"colour": "{draw.choice(_COLOURS)}"}}'


_ASKED = (_count, _rainbow, _sum, _say, _greet, _pet, _story, _capital, _json)
