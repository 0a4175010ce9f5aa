"""The device: decode speed, what comes before the first token, start-up, memory.

Peers: a raw loop over llama.cpp's C API (decode), the command of the package `llm`
(start-up), `import llama_cpp` (import).
"""

from __future__ import annotations

import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from benchmarks.contract import Figure, Options
from benchmarks.device_decode import measure as measure_decode
from benchmarks.encodings import RememberingEncoder
from skerry.edge.engines.base import FinishReason, Generation, Piece, Usage
from skerry.edge.engines.models import catalogue
from skerry.edge.parts import Parts
from skerry.edge.runtime import Runtime
from skerry.edge.settings import Settings

KEYS = (
    "decode_ratio",
    "first_token_overhead_ms_p50",
    "first_token_overhead_ms_p99",
    "import_s",
    "cli_help_s",
    "resident_mb",
)
_THINGS = (
    "trolley fridge pump ward dose vaccine glove syringe monitor bed form rota key alarm".split()
)
_DEEDS = "checked cleaned replaced counted signed reported locked measured moved labelled".split()
_WHEN = "daily weekly monthly before each shift after each use at noon on Mondays".split()


def run(options: Options) -> dict[str, Figure]:
    model = catalogue(Path("none")).find("smollm2").path
    threads = min(2, psutil.cpu_count(logical=False) or 1)
    figures = measure_decode(options, model=model, threads=threads)
    with tempfile.TemporaryDirectory() as folder:
        chunks = 1_000 if options.quick else 10_000
        index = Path(folder, "index.sqlite")
        figures |= _overhead(options, index, chunks)
        figures["resident_mb"] = _resident(index, chunks)
    repeats = 3 if options.quick else 9
    figures["import_s"] = Figure(
        _seconds("-c", "import skerry.edge", repeats=repeats),
        "s",
        "lower",
        0.3,
        peers={"import llama_cpp": _seconds("-c", "import llama_cpp", repeats=repeats)},
        note="a new process, Python's own start included",
    )
    figures["cli_help_s"] = Figure(
        _seconds("-m", "skerry.edge.cli", "--help", repeats=repeats),
        "s",
        "lower",
        0.5,
        peers={"llm --help": _seconds("-m", "llm", "--help", repeats=repeats)},
        note="a new process, Python's own start included",
    )
    return figures


class _Stopwatch:
    """A pool and engine that note when generation would begin, and end it at once."""

    def __init__(self) -> None:
        self.began = 0.0
        self.info = None

    @contextmanager
    def engine(self, wanted: str) -> Iterator[Any]:  # noqa: ARG002
        yield self

    def generate(self, request: Generation) -> Iterator[Piece]:  # noqa: ARG002
        self.began = time.perf_counter()
        usage = Usage(0, 0, 0, 0.0, 0.0, 0.0, 0, None)
        yield Piece("", finish=FinishReason.STOP, usage=usage)


def _overhead(options: Options, index: Path, chunks: int) -> dict[str, Figure]:
    """Milliseconds from a question to the call of the engine, over distinct questions."""
    watch = _Stopwatch()
    places = {"index": index, "state": index.with_name("state.sqlite"), "offline": True}
    draw = random.Random(options.seed)
    with Runtime.of(Parts(Settings(**places), encoder=RememberingEncoder())) as builder:
        builder.index.add([_write_documents(index.parent / "documents", chunks, draw)])
    with Runtime.of(Parts(Settings(**places), pool=watch)) as runtime:
        held = runtime.index.stats().chunks
        times = [_ask(runtime, watch, draw) for _ in range(220 if options.quick else 1_020)][20:]
    note = f"{held:,} chunks; {len(times)} distinct questions, screen to assemble"
    cuts = statistics.quantiles(times, n=100)
    return {
        "first_token_overhead_ms_p50": Figure(cuts[49], "ms", "lower", 10.0, note=note),
        "first_token_overhead_ms_p99": Figure(cuts[98], "ms", "lower", 25.0, note=note),
    }


def _ask(runtime: Runtime, watch: _Stopwatch, draw: random.Random) -> float:
    """Milliseconds until the engine is called. A request that needs no engine is asked again."""
    while True:
        question = f"Can you explain why the {_words(draw)} and the {_words(draw)}?"
        watch.began = 0.0
        began = time.perf_counter()
        runtime.ask(question)
        if watch.began:
            return (watch.began - began) * 1e3


def _write_documents(folder: Path, chunks: int, draw: random.Random) -> Path:
    """Documents of twenty sections, each of which is a chunk."""
    folder.mkdir()
    for number in range(chunks // 20):
        sections = (
            f"## Section {part}: {_words(draw)}\n\n"
            + " ".join(f"The {_words(draw)}." for _ in range(6))
            for part in range(20)
        )
        text = f"# Guideline {number}\n\n" + "\n\n".join(sections)
        (folder / f"{number}.md").write_text(text)
    return folder


def _words(draw: random.Random) -> str:
    room = draw.randint(1, 400)
    return f"{draw.choice(_THINGS)} of room {room} is {draw.choice(_DEEDS)} {draw.choice(_WHEN)}"


def _seconds(*arguments: str, repeats: int) -> float:
    """Median wall time of a new Python process, after one to warm the file cache."""
    times = []
    for _ in range(repeats + 1):
        began = time.perf_counter()
        subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
        times.append(time.perf_counter() - began)
    return statistics.median(times[1:])


def _resident(index: Path, chunks: int) -> Figure:
    """Resident memory of a process that has answered with the model over the index."""
    code = (
        "import sys, psutil; from pathlib import Path; from skerry.edge import Runtime\n"
        "r = Runtime(index=Path(sys.argv[1]), state=Path(sys.argv[1] + '.state'), offline=True)\n"
        "with r.parts.engine():\n"
        "    r.ask('Can you explain why the trolley of room 7 is checked daily?', max_tokens=16)\n"
        "    print(psutil.Process().memory_info().rss / 2**20)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(index)], check=True, capture_output=True, text=True
    )
    return Figure(
        float(done.stdout.split()[-1]),
        "MB",
        "lower",
        peers={"llama_cpp.Llama alone": _bare_llama()},
        note=f"SmolLM2-135M Q4_1 and {chunks:,} chunks, context of the picked profile",
    )


def _bare_llama() -> float:
    """Resident memory of llama-cpp-python's own class with the same model and context."""
    from skerry.device_profiles import load_profiles, pick, probe

    profile = pick(probe(), load_profiles()).profile
    model = catalogue(Path("none")).find("smollm2").path
    context = profile.context_tokens * profile.parallel
    code = (
        "import llama_cpp, psutil\n"
        f"m = llama_cpp.Llama({str(model)!r}, n_ctx={context}, n_batch={profile.batch_tokens},"
        " verbose=False)\n"
        "m('Can you explain why the trolley is checked daily?', max_tokens=16)\n"
        "print(psutil.Process().memory_info().rss / 2**20)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return float(done.stdout.split()[-1])
