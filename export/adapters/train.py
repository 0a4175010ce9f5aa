"""Trains an adapter on a frozen model with PEFT: LoRA, rsLoRA, DoRA or VeRA.

The loss is the cross-entropy of the assistant's tokens. Needs torch, transformers and peft.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from skerry.export.adapters.answers import UNLEARNT, labels, rendered
from skerry.export.adapters.card import Score
from skerry.export.adapters.checkpoint import State
from skerry.export.adapters.examples import Example, Message
from skerry.export.adapters.pairs import Method
from skerry.export.adapters.recipe import Recipe
from skerry.export.errors import OutputFailed, SourceRefused, Unsupported

_MOST_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Tokens:
    """A chat as ids; `labels` are the same ids where they are learnt, otherwise UNLEARNT."""

    ids: list[int]
    labels: list[int]


def tokenized(examples: Sequence[Example], tokenizer: Any, *, most_tokens: int) -> list[Tokens]:
    """Examples by the model's chat template.

    Raises:
        Unsupported: the model has no chat template, or no tokenizer that says places.
        SourceRefused: an example is too long; the lines are named.
    """
    if not tokenizer.chat_template or not tokenizer.is_fast:
        raise Unsupported("the source has no chat template", hint="train on a chat model")
    made = [_tokens(one.messages, tokenizer) for one in examples]
    pairs = zip(examples, made, strict=True)
    long = [str(one.line) for one, found in pairs if len(found.ids) > most_tokens]
    if long:
        raise SourceRefused(
            f"examples of more than {most_tokens} tokens, at lines {', '.join(long[:_MOST_SHOWN])}"
            + (f" and {len(long) - _MOST_SHOWN} more" if len(long) > _MOST_SHOWN else ""),
            hint="shorten them, or give more --most-tokens",
        )
    return made


def _tokens(messages: Sequence[Message], tokenizer: Any) -> Tokens:
    def render(part: Sequence[Message], answer: bool) -> str:
        if not part:
            return ""
        text: str = tokenizer.apply_chat_template(
            list(part), tokenize=False, add_generation_prompt=answer
        )
        return text

    chat = rendered(messages, render)
    found = tokenizer(chat.text, add_special_tokens=False, return_offsets_mapping=True)
    ids = list(found["input_ids"])
    return Tokens(ids, labels(ids, found["offset_mapping"], chat.answers))


def device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def check_four_bit() -> None:
    """Raises Unsupported: this machine cannot train on a base in four bits."""
    import importlib.util

    if not torch.cuda.is_available():
        raise Unsupported(
            "QLoRA keeps the base in four bits on a GPU, and this machine has none",
            hint="leave out --four-bit: LoRA trains on a CPU",
        )
    if importlib.util.find_spec("bitsandbytes") is None:
        raise Unsupported("QLoRA needs bitsandbytes", hint="pip install bitsandbytes")


def open_model(folder: Path, recipe: Recipe) -> Any:
    """The source with a fresh adapter, ready to be trained; its weights come from safetensors only.

    Raises:
        SourceRefused: it cannot be opened, or has none of the recipe's matrices.
    """
    from peft import get_peft_model

    torch.manual_seed(recipe.seed)
    try:
        model = _plain_model(folder, recipe)
        return get_peft_model(model, _config(recipe))
    except (OSError, ValueError, KeyError) as error:
        raise SourceRefused(f"the source cannot be trained: {error}") from error


def _plain_model(folder: Path, recipe: Recipe) -> Any:
    from transformers import AutoModelForCausalLM, BitsAndBytesConfig

    how: dict[str, Any] = {"use_safetensors": True, "local_files_only": True}
    if not recipe.four_bit:
        how["dtype"] = torch.float32
        return AutoModelForCausalLM.from_pretrained(str(folder), **how).to(device())
    from peft import prepare_model_for_kbit_training

    how["quantization_config"] = BitsAndBytesConfig(
        load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16,
    )  # fmt: skip
    model = AutoModelForCausalLM.from_pretrained(str(folder), device_map="cuda", **how)
    return prepare_model_for_kbit_training(model)


def _config(recipe: Recipe) -> Any:
    from peft import LoraConfig, VeraConfig

    shared = {"task_type": "CAUSAL_LM", "target_modules": list(recipe.targets)}
    if recipe.method is Method.VERA:
        return VeraConfig(r=recipe.rank, projection_prng_key=recipe.seed, **shared)
    return LoraConfig(
        r=recipe.rank, lora_alpha=recipe.alpha, use_rslora=recipe.method is Method.RSLORA,
        use_dora=recipe.method is Method.DORA, **shared,
    )  # fmt: skip


class Trainer:
    """A model with an adapter in training. `step` is the next one."""

    def __init__(self, model: Any, learnt: Sequence[Tokens], recipe: Recipe) -> None:
        self.model, self.recipe, self.step = model, recipe, 0
        self.steps = recipe.steps(len(learnt))
        self._learnt = learnt
        self._named = {name: one for name, one in model.named_parameters() if one.requires_grad}
        self._optimizer = torch.optim.AdamW(
            self._named.values(), lr=recipe.learning_rate, weight_decay=0.0
        )

    def advance(self) -> float:
        """One step; its loss in nats per token.

        Raises:
            OutputFailed: the loss is no number any more.
        """
        self.model.train()
        picked = self.recipe.picked(self.step, len(self._learnt))
        torch.manual_seed(self.recipe.seed + self.step)
        scores, wanted = answered(self.model, [self._learnt[one] for one in picked])
        loss = functional.cross_entropy(scores, wanted)
        if not torch.isfinite(loss):
            raise OutputFailed(
                f"the training diverged at step {self.step}", hint="give a lower --learning-rate"
            )
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(list(self._named.values()), 1.0)
        for group in self._optimizer.param_groups:
            group["lr"] = self.recipe.rate_at(self.step, self.steps)
        self._optimizer.step()
        self.step += 1
        return float(loss.detach())

    def state(self, run: str, before: Score) -> State:
        """What `resume` needs."""
        weights = {name: one.detach().float().cpu().numpy() for name, one in self._named.items()}
        held = {name: self._optimizer.state[one] for name, one in self._named.items()}
        moments = {
            name: (one["exp_avg"].float().cpu().numpy(), one["exp_avg_sq"].float().cpu().numpy())
            for name, one in held.items()
        }
        return State(run, self.step, before, weights, moments)

    @torch.no_grad()  # type: ignore[untyped-decorator]
    def resume(self, state: State) -> None:
        """Goes on after a saved state."""
        for name, one in self._named.items():
            one.copy_(torch.from_numpy(state.weights[name]))
            first, second = (torch.from_numpy(part).to(one) for part in state.moments[name])
            self._optimizer.state[one] = {
                "step": torch.tensor(float(state.step)), "exp_avg": first, "exp_avg_sq": second,
            }  # fmt: skip
        self.step = state.step


def answered(model: Any, batch: Sequence[Tokens]) -> tuple[Tensor, Tensor]:
    """Scores for the answers' tokens of a batch, [tokens, vocabulary], and those tokens.

    The head is run only at places before which an answer's token stands in some chat.
    """
    longest = max(len(one.ids) for one in batch)
    ids = torch.tensor([one.ids + [0] * (longest - len(one.ids)) for one in batch])
    real = torch.tensor([[i < len(one.ids) for i in range(longest)] for one in batch])
    rows = [one.labels + [UNLEARNT] * (longest - len(one.ids)) for one in batch]
    wanted = torch.tensor(rows)[:, 1:].to(device())
    kept = (wanted != UNLEARNT).any(0).nonzero()[:, 0]
    with torch.autocast(device().type, torch.bfloat16):
        made = model(
            input_ids=ids.to(device()), attention_mask=real.long().to(device()),
            logits_to_keep=kept, use_cache=False,
        ).logits  # fmt: skip
    wanted = wanted[:, kept]
    said = wanted != UNLEARNT
    return made[said].float(), wanted[said]


@torch.no_grad()  # type: ignore[untyped-decorator]
def measured(model: Any, held_out: Sequence[Tokens], *, batch: int) -> Score:
    """The score over examples that were not learnt."""
    model.eval()
    loss, right, exact, count = 0.0, 0, 0, 0
    for one in _batches(held_out, batch):
        scores, wanted = answered(model, one)
        loss += float(functional.cross_entropy(scores, wanted, reduction="sum"))
        same = scores.argmax(-1) == wanted
        sizes = [sum(label != UNLEARNT for label in chat.labels[1:]) for chat in one]
        exact += sum(int(part.all()) for part in same.split(sizes))
        right, count = right + int(same.sum()), count + len(wanted)
    return Score(round(loss / count, 5), round(right / count, 4), round(exact / len(held_out), 4))


def _batches(examples: Sequence[Tokens], size: int) -> Iterator[Sequence[Tokens]]:
    for start in range(0, len(examples), size):
        yield examples[start : start + size]
