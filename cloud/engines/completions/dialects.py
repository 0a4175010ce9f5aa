"""What servers of the completions API have in common, and what each calls its own. Pure.

Everything that changes the distribution is always sent: servers have defaults of their own (vLLM
takes the model's generation_config.json, llama-server cuts off at top-k 40).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

from skerry.cloud.errors import RequestError
from skerry.cloud.hints.choice import Sampling

_BIAS = 100.0
_SEED_BITS = 31


@dataclass(frozen=True, slots=True)
class Dialect:
    """`says_ids` are fields that have the answer tell token ids; `filters` those of `Sampling`
    that the server knows besides temperature and top_p. A temperature above 0 is `least` or more.
    `renders`: how it makes the tokens of a prompt from a chat: `whole`, in one request, `apart`,
    as text first; empty: it does not.
    """

    name: str
    says_ids: Mapping[str, Any]
    filters: tuple[str, ...] = ()
    neutral: Mapping[str, Any] = field(default_factory=dict)
    least: float = 0.0
    pairs: bool = False
    renders: str = ""

    def check(self, sampling: Sampling) -> None:
        """Raises RequestError: the server cannot choose tokens so."""
        if sampling.repetition_penalty != 1:
            raise RequestError(
                "this target cannot apply a repetition penalty to generated tokens only",
                hint="use frequency_penalty or presence_penalty",
            )
        for name in ("top_k", "min_p"):
            if getattr(sampling, name) and name not in self.filters:
                raise RequestError(f"this target has no {name}", hint=f"leave {name} out")
        if 0 < sampling.temperature < self.least:
            raise RequestError(
                f"this target takes no temperature between 0 and {self.least:g}", hint="use 0"
            )

    def fields(self, sampling: Sampling, position: int, said: Sequence[int]) -> dict[str, Any]:
        """The request's fields that decide how the token at an absolute `position` is chosen.

        `said` are the generated tokens before it; equal fields may share a request.
        """
        fields: dict[str, Any] = {
            **self.neutral,
            **self.says_ids,
            "max_tokens": 1,
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            **{name: getattr(sampling, name) for name in self.filters},
        }
        if sampling.temperature > 0:
            fields["seed"] = position_seed(sampling.seed, position)
        if sampling.penalizes and said:
            fields["logit_bias"] = self._bias(sampling, said)
        return fields

    def _bias(self, sampling: Sampling, said: Sequence[int]) -> Any:
        """The frequency and presence penalties of generated tokens, which the server takes for a
        prompt, as additions to their logits."""
        penalties = {
            token: -(sampling.frequency_penalty * times + sampling.presence_penalty)
            for token, times in sorted(Counter(said).items())
        }
        bounded = {token: max(-_BIAS, min(_BIAS, by)) for token, by in penalties.items()}
        if self.pairs:
            return [[token, by] for token, by in bounded.items()]
        return {str(token): by for token, by in bounded.items()}


def position_seed(seed: int, position: int) -> int:
    """A seed of 31 bits for one position, so that what is drawn there depends on nothing else."""
    numbers = (seed % 2**64).to_bytes(8, "little") + position.to_bytes(8, "little")
    hashed = int.from_bytes(blake2b(numbers, digest_size=8).digest(), "little")
    return hashed >> (64 - _SEED_BITS)


_NO_PENALTIES = {"frequency_penalty": 0.0, "presence_penalty": 0.0}

VLLM = Dialect(
    "vllm",
    {"logprobs": 0, "return_tokens_as_token_ids": True, "skip_special_tokens": False},
    ("top_k", "min_p"),
    {**_NO_PENALTIES, "repetition_penalty": 1.0},
    least=0.01,
    renders="whole",
)
SGLANG = Dialect(
    "sglang",
    {"return_token_ids": True},
    ("top_k", "min_p"),
    {**_NO_PENALTIES, "repetition_penalty": 1.0},
)
LLAMA_SERVER = Dialect(
    "llamacpp",
    {"logprobs": 1, "n_probs": 1},
    ("top_k", "min_p"),
    {
        **_NO_PENALTIES,
        "repeat_penalty": 1.0,
        "samplers": ["temperature", "top_k", "top_p", "min_p"],
    },
    pairs=True,
    renders="apart",
)
OTHER = Dialect("other", {"logprobs": 1}, neutral=_NO_PENALTIES)

_KNOWN = {one.name: one for one in (VLLM, SGLANG, LLAMA_SERVER)}


def dialect_of(owner: str) -> Dialect:
    """By the `owned_by` of a model in the server's list."""
    return _KNOWN.get(owner, OTHER)
