"""The prompts of the benchmark of split inference, and what the real target answers to them."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import zstandard

from benchmarks.contract import DataMissing, Options, data_file
from benchmarks.split_device import PRODUCT
from benchmarks.split_drafting import Drafters, Guesses, guessed
from skerry.cloud.engines.base import Verifier
from skerry.cloud.engines.llama.verifier import LlamaVerifier
from skerry.cloud.hints.frames import Open
from skerry.cloud.simulate.recorded import Recording, record
from skerry.edge.engines.base import EngineOptions, Message, Sampling
from skerry.edge.engines.models import DEFAULT_MODEL, Catalogue, catalogue
from skerry.edge.engines.pool import ModelPool
from skerry.edge.prompt import GROUNDED
from skerry.edge.split.preview import SplitPreview, split_preview

_PROMPTS = Path(__file__).with_name("split_prompts.json")
_SPEC_BENCH = {
    "chat": ("writing", "roleplay"),
    "grounded_qa": ("rag",),
    "code": ("coding",),
    "summaries": ("summarization",),
}
FAMILIES = tuple(_SPEC_BENCH)
CONTEXT = 2_048
_LONGEST_TEXT = 4_000
GREEDY = Sampling()
DRAWN = Sampling(temperature=0.8, top_p=0.95, seed=7)


OWN, SPEC_BENCH = "our own", "Spec-Bench"

Entry = str | Mapping[str, Any]
"""What a user says, or a `question` with its `sources`."""


@dataclass(frozen=True, slots=True)
class Prompt:
    family: str
    entry: Entry
    sampling: Sampling
    source: str = OWN

    @property
    def messages(self) -> list[Message]:
        """Questions with sources are put as the runtime puts them (`skerry.edge.prompt`)."""
        if isinstance(self.entry, str):
            return [{"role": "user", "content": self.entry}]
        given = enumerate(self.entry["sources"], 1)
        sources = (f"[{mark}] {one['title']} (version 1.0)\n{one['text']}" for mark, one in given)
        system = "\n\n".join((GROUNDED, *sources))
        return [
            {"role": "system", "content": system},
            {"role": "user", "content": self.entry["question"]},
        ]


@dataclass(frozen=True, slots=True)
class Case:
    """A prompt, what the target answered to it, and what the device guesses of that."""

    family: str
    preview: SplitPreview
    recording: Recording
    guesses: Guesses

    @property
    def opening(self) -> Open:
        return self.preview.opening


def chosen(options: Options, each: int, *, drawn: bool = True) -> list[Prompt]:
    """`each` prompts of every family: our own, those of Spec-Bench where it is there, in turn; they
    are greedy, and where some are `drawn` at a temperature, the last of each is."""
    own = json.loads(_PROMPTS.read_text(encoding="utf-8"))
    other = {} if options.quick else _spec_bench(options)
    prompts = []
    for family in FAMILIES:
        ours = [Prompt(family, entry, GREEDY) for entry in own[family]]
        theirs = [Prompt(family, entry, GREEDY, SPEC_BENCH) for entry in other.get(family, [])]
        some = list(_in_turn(ours, theirs))[:each]
        if drawn and len(some) == each > 1:
            some[-1] = replace(some[-1], sampling=DRAWN)
        prompts += some
    return prompts


def _in_turn(one: Sequence[Prompt], two: Sequence[Prompt]) -> Iterator[Prompt]:
    pairs = itertools.zip_longest(one, two)
    return (prompt for pair in pairs for prompt in pair if prompt is not None)


def _spec_bench(options: Options) -> dict[str, list[str]]:
    """First turns that are not too long, by family; none without the data."""
    try:
        path = data_file(options, "spec_bench/question.jsonl.zst", source="Spec-Bench")
    except DataMissing:
        return {}
    with path.open("rb") as file:
        lines = zstandard.ZstdDecompressor().stream_reader(file).read().decode().splitlines()
    rows = [json.loads(line) for line in lines]
    return {
        family: [
            row["turns"][0]
            for row in rows
            if row["category"] in categories and len(row["turns"][0]) <= _LONGEST_TEXT
        ]
        for family, categories in _SPEC_BENCH.items()
    }


@contextmanager
def real_target() -> Iterator[Verifier]:
    """The default model as a target, on one thread: a second one would wait for the device."""
    path = _models().find(DEFAULT_MODEL).path
    verifier = LlamaVerifier.load(path, sessions=2, context_tokens=CONTEXT, threads=1)
    try:
        yield verifier
    finally:
        asyncio.run(verifier.close())


def _models() -> Catalogue:
    return catalogue(Path("none"))


def previews(prompts: Sequence[Prompt], max_tokens: int) -> list[SplitPreview]:
    """What the product would send."""
    options = EngineOptions(context_tokens=CONTEXT, threads=1)
    pool = ModelPool(_models(), options, max_loaded=1, idle_unload_s=0)
    try:
        with pool.engine(DEFAULT_MODEL) as engine:
            return [
                split_preview(
                    one.messages, engine, PRODUCT, one.sampling, max_tokens=max_tokens, stop=(),
                    redactions=0,
                )
                for one in prompts
            ]  # fmt: skip
    finally:
        pool.close()


async def recorded(
    verifier: Verifier, prompts: Sequence[Prompt], shown: Sequence[SplitPreview], make: Drafters
) -> list[Case]:
    """Lets the target answer each, one after the other, and the drafter guess."""
    cases = []
    for prompt, preview in zip(prompts, shown, strict=True):
        opening = preview.opening
        sampling = opening.choosing.sampling()
        whole = await record(verifier, opening.tokens, sampling, opening.max_tokens + 1)
        answer = whole.answer[: opening.max_tokens]
        guesses = guessed(make(preview), opening.tokens, answer)
        cases.append(Case(prompt.family, preview, whole, guesses))
    return cases
