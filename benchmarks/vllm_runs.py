"""What an answer costs on a real vLLM with the plugin, beside vLLM's own stream of the same answer.

Needs a python with vLLM (SKERRY_VLLM_PYTHON, docs/targets.md) and a model in Hugging Face's layout
(SKERRY_VLLM_MODEL); without them there are no figures. Hints are right, wrong or none by
construction, so the figures are of the way into vLLM, not of a draft model.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

import httpx2
from tokenizers import Tokenizer

from benchmarks.contract import Better, Figure, Options
from skerry.cloud.engines.completions.options import EndpointOptions
from skerry.cloud.engines.vllm.verifier import VllmVerifier, connect
from skerry.cloud.hints.choice import Sampling
from skerry.cloud.hints.matcher import Hint
from skerry.cloud.hints.trace import trace
from skerry.cloud.hints.tree import Tree, chain

_UNITS: dict[str, tuple[str, Better]] = {
    "run_ratio_to_stream": ("ratio", "lower"),
    "wrong_hints_ratio_to_stream": ("ratio", "lower"),
    "right_hints_speedup": ("x", "higher"),
}
KEYS = tuple(_UNITS)
_TOKENS, _DRAFTED = 64, 4
_PROMPT = (
    "<|im_start|>user\nTell me about the history of the bicycle.<|im_end|>\n<|im_start|>assistant\n"
)
_MISSING = "set SKERRY_VLLM_PYTHON and SKERRY_VLLM_MODEL"

Hinting = Callable[[int], Hint | None]
"""A hint for after so many tokens; None: there is none."""


def run(options: Options) -> dict[str, Figure]:
    model = os.environ.get("SKERRY_VLLM_MODEL", "")
    if not os.environ.get("SKERRY_VLLM_PYTHON") or not model:
        return {key: Figure(None, *_UNITS[key], note=_MISSING) for key in KEYS}
    from tests.cloud.vllm_server import PLUGIN, serving

    with tempfile.TemporaryDirectory() as work, serving(Path(model), Path(work), PLUGIN) as url:
        verifier, why = connect(EndpointOptions(url=url), Path(model))
        if not isinstance(verifier, VllmVerifier):
            raise RuntimeError(why)
        prompt = Tokenizer.from_file(str(Path(model, "tokenizer.json"))).encode(_PROMPT).ids
        took = asyncio.run(_measured(verifier, url, prompt, rounds=2 if options.quick else 7))
    return _figures(took)


def _figures(took: dict[str, float]) -> dict[str, Figure]:
    """From milliseconds a token."""
    stream = took["stream"]
    peers = {"a request for each pass": took["looks"] / stream}
    note = f"{_TOKENS} greedy tokens; vLLM's own stream takes {stream:.1f} ms a token"
    right = f"each hint the next {_DRAFTED} tokens, one pass ahead"
    return {
        "run_ratio_to_stream": Figure(took["none"] / stream, *_UNITS[KEYS[0]], 1.02, peers, note),
        "wrong_hints_ratio_to_stream": Figure(took["wrong"] / stream, "ratio", "lower"),
        "right_hints_speedup": Figure(stream / took["right"], "x", "higher", note=right),
    }


async def _measured(
    verifier: VllmVerifier, url: str, prompt: Sequence[int], *, rounds: int
) -> dict[str, float]:
    """The median milliseconds a token of each way, one after another in each round."""
    said = await _said(verifier, prompt)
    hintings: dict[str, Hinting] = {
        "none": lambda _: None,
        "wrong": lambda at: Hint(at + 1, chain([5, 6, 7, 8]), trace(said[at])),
        "right": lambda at: Hint(at + 1, chain(said[at + 1 : at + 1 + _DRAFTED]), trace(said[at])),
    }
    took: dict[str, list[float]] = {name: [] for name in ("stream", "looks", *hintings)}
    for _ in range(rounds):
        took["stream"].append(await _streamed(url, prompt))
        took["looks"].append(await _answered(verifier, prompt, said, None))
        for name, hinting in hintings.items():
            took[name].append(await _answered(verifier, prompt, said, hinting))
    return {name: median(times) / _TOKENS * 1e3 for name, times in took.items()}


async def _streamed(url: str, prompt: Sequence[int]) -> float:
    """Seconds that vLLM's own API takes."""
    body = {
        "model": "tiny", "prompt": list(prompt), "max_tokens": _TOKENS, "temperature": 0,
        "stream": True, "ignore_eos": True,
    }  # fmt: skip
    began = time.perf_counter()
    async with (
        httpx2.AsyncClient(timeout=300) as client,
        client.stream("POST", f"{url}/v1/completions", json=body) as answer,
    ):
        answer.raise_for_status()
        async for _ in answer.aiter_lines():
            pass
    return time.perf_counter() - began


async def _said(verifier: VllmVerifier, prompt: Sequence[int]) -> list[int]:
    """The answer, and more of it than is compared; warms everything up."""
    target = await verifier.open(prompt, Sampling())
    said: list[int] = []
    while len(said) < _TOKENS + _DRAFTED + 2:
        said += (await target.look(Tree())).tokens
    await target.close()
    return said


async def _answered(
    verifier: VllmVerifier, prompt: Sequence[int], said: Sequence[int], hinting: Hinting | None
) -> float:
    """Seconds of a run with its hints; without `hinting`, of a request for each pass."""
    target = await verifier.open(prompt, Sampling())
    found: list[int] = []
    began = time.perf_counter()
    while (left := _TOKENS - len(found)) > 0:
        passed = target.look(Tree()) if hinting is None else target.following(Tree(), left)
        found += (await passed).tokens
        if hinting is not None and (hint := hinting(len(found))) is not None:
            target.hear(hint)
    took = time.perf_counter() - began
    await target.close()
    if found != list(said[:_TOKENS]):
        raise RuntimeError("the answer is another with hints")
    return took
