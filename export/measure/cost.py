"""What a variant costs here: speed of prompt and answer, first token, peak memory.

Run in a process that does nothing else. Warmed up by a run that is not counted.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

from skerry.export.exporter import Loaded, LoadedEncoder, LoadedLlm
from skerry.export.measure.held_text import held_sentences, held_texts
from skerry.export.measure.results import Cost
from skerry.export.measure.stepping import Stepping

PROMPT_TOKENS = 256
ANSWER_TOKENS = 48
MIB = 1 << 20


def cost(load: Callable[[], Loaded], *, repeats: int = 3) -> Cost:
    """Loads the variant and times it `repeats` times."""
    from skerry.bundles.llama.cores import usable_cores
    from skerry.export.measure.llama import LlamaModel

    baseline = peak_mb()
    model = load()
    if isinstance(model, LoadedEncoder):
        speeds = _encoder(model, repeats)
    elif isinstance(model, Stepping):
        speeds = _stepping(model, _prompt(model), repeats)
    else:
        speeds = _prompts_only(model, _prompt(model), repeats)
    llama = model if isinstance(model, LlamaModel) else None
    facts = {} if llama is None else {"parameters": llama.parameters, **llama.facts()}
    made = Cost(
        threads=usable_cores(),
        context_tokens=getattr(model, "context_tokens", 0),
        prompt_tokens=PROMPT_TOKENS,
        prefill_tokens_s=tuple(one[0] for one in speeds),
        decode_tokens_s=tuple(one[1] for one in speeds if one[1]),
        ttft_s=tuple(one[2] for one in speeds),
        baseline_mb=baseline,
        peak_mb=peak_mb(),
        facts=facts,
    )
    model.close()
    return made


def peak_mb() -> float:
    """The most memory that this process held at once, in MiB, mapped files included.

    By /proc where it is: `ru_maxrss` of a process may be that of its parent (Linux keeps it over
    exec).
    """
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (MIB if sys.platform == "darwin" else 1024)


Speeds = list[tuple[float, float, float]]
"""Of each repetition: tokens/s of the prompt, tokens/s of the answer (0: none), seconds to the
first token."""


def _prompt(model: LoadedLlm) -> list[int]:
    ids = model.tokenize(held_texts()["prose"])
    return (ids * (1 + PROMPT_TOKENS // len(ids)))[:PROMPT_TOKENS]


def _stepping(model: Stepping, prompt: list[int], repeats: int) -> Speeds:
    return [_answer(model, prompt) for _ in range(1 + repeats)][1:]


def _answer(model: Stepping, prompt: list[int]) -> tuple[float, float, float]:
    """The same number of tokens whatever the model says."""
    started = time.perf_counter()
    token = int(model.begin(prompt).argmax())
    first = time.perf_counter() - started
    for _ in range(ANSWER_TOKENS):
        token = int(model.step(token).argmax())
    rest = time.perf_counter() - started - first
    return len(prompt) / first, ANSWER_TOKENS / rest, first


def _prompts_only(model: LoadedLlm, prompt: list[int], repeats: int) -> Speeds:
    took = [_timed(lambda: model.logits(prompt)) for _ in range(1 + repeats)][1:]
    return [(len(prompt) / one, 0.0, one) for one in took]


def _encoder(model: LoadedEncoder, repeats: int) -> Speeds:
    """Texts a second instead of tokens; the time of the first is the median of one text."""
    texts = held_sentences()
    _timed(lambda: model.encode(texts[:4]))
    found: Speeds = []
    for _ in range(repeats):
        took = [_timed(lambda one=one: model.encode([one])) for one in texts]  # type: ignore[misc]
        found.append((len(texts) / sum(took), 0.0, statistics.median(took)))
    return found


def _timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
