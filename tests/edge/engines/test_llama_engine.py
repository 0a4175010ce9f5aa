"""The llama.cpp engine beyond the conformance suite, on a tiny model of random weights."""

from __future__ import annotations

import gc
import math
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from skerry.edge.engines.base import (
    EngineOptions,
    FinishReason,
    Generation,
    Piece,
    Sampling,
)
from skerry.edge.engines.llama import LlamaEngine, load_llama
from skerry.edge.engines.llama.native import NativeContext
from skerry.edge.errors import AdapterError, ConfigError, GrammarError, InputError, ModelError
from tests.edge.engines import tiny
from tests.edge.engines.conformance import Answer, ask, chat, read

PROMPT = list(range(3, 120))

Loader = Callable[..., LlamaEngine]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tiny")
    tiny.write_model(folder / "tiny.gguf")
    tiny.write_lora(folder / "zero.gguf", up=0.0)
    tiny.write_lora(folder / "strong.gguf", up=0.5)
    tiny.write_lora(folder / "wide.gguf", up=0.5, embedding=128)
    return folder


@pytest.fixture
def load(folder: Path) -> Iterator[Loader]:
    """Loads engines and closes them after the test."""
    engines = []

    def load(**options: object) -> LlamaEngine:
        engines.append(
            load_llama(folder / "tiny.gguf", EngineOptions(threads=1, **options), cache=folder)  # type: ignore[arg-type]  # the fields are those of EngineOptions
        )
        return engines[-1]

    yield load
    for engine in engines:
        engine.close()


def ids(answer: Answer) -> list[int]:
    return [token.token_id for piece in answer.pieces for token in piece.tokens]


def run(engine: LlamaEngine, prompt: list[int], tokens: int = 24, **more: object) -> list[int]:
    """The ids of a greedy answer."""
    return ids(ask(engine, Generation(prompt=prompt, max_tokens=tokens, top_logprobs=0, **more)))  # type: ignore[arg-type]  # the fields are those of Generation


@pytest.mark.parametrize("token", [-1, 10**6, 2**31 - 1])
def test_an_id_that_is_no_token_has_no_text(load: Loader, token: int) -> None:
    engine = load()
    with pytest.raises(InputError, match="no token"):
        engine.piece(token)
    with pytest.raises(InputError, match="no token"):
        engine.detokenize([3, token])


# The KV cache


def test_a_copied_prefix_answers_as_a_fresh_one(load: Loader) -> None:
    fresh = run(load(), [*PROMPT, 50, 60])
    engine = load(parallel=2)
    held = engine.generate(Generation(prompt=[*PROMPT, 70], max_tokens=800))
    next(held)  # the first slot is busy with the same beginning
    answer = ask(engine, Generation(prompt=[*PROMPT, 50, 60], max_tokens=24, top_logprobs=0))
    assert answer.usage.cached_tokens == len(PROMPT)
    assert ids(answer) == fresh
    assert next(held).finish is None


def test_the_same_prompt_again_decodes_one_token(load: Loader) -> None:
    engine = load()
    first = run(engine, PROMPT)
    again = ask(engine, Generation(prompt=PROMPT, max_tokens=24, top_logprobs=0))
    assert again.usage.cached_tokens == len(PROMPT) - 1
    assert ids(again) == first


def test_a_shorter_prompt_forgets_the_rest(load: Loader) -> None:
    fresh = run(load(), PROMPT[:40])
    engine = load()
    run(engine, PROMPT)
    assert run(engine, PROMPT[:40]) == fresh


@pytest.mark.parametrize("kv_type", ["f32", "f16", "bf16", "q8_0", "q4_0"])
def test_kv_types(folder: Path, kv_type: str) -> None:
    path = tiny.write_model(folder / "broad.gguf", heads=2)  # heads of 32 values
    engine = load_llama(path, EngineOptions(kv_type=kv_type, threads=1), cache=folder)
    assert len(run(engine, PROMPT, 4)) == 4
    engine.close()


def test_a_kv_type_that_does_not_divide_the_heads(load: Loader) -> None:
    with pytest.raises(ConfigError, match="q8_0") as caught:
        load(kv_type="q8_0")  # heads of 16 values
    assert "f16" in caught.value.hint


BAD_OPTIONS = {
    "unknown kv_type": {"kv_type": "int3"},
    "kv_type of weights": {"kv_type": "q4_K"},
    "no sequences": {"parallel": 0},
    "too many sequences": {"parallel": 100_000},
    "negative context": {"context_tokens": -1},
    "negative threads": {"threads": -1},
    "negative batch": {"batch_tokens": -1},
}


@pytest.mark.parametrize("options", BAD_OPTIONS.values(), ids=BAD_OPTIONS.keys())
def test_bad_options(folder: Path, options: dict[str, object]) -> None:
    with pytest.raises(ConfigError) as caught:
        load_llama(folder / "tiny.gguf", EngineOptions(**options), cache=folder)  # type: ignore[arg-type]  # the fields are those of EngineOptions
    assert caught.value.hint


@pytest.mark.parametrize("context", [1, 7, 255, 256, 257, 10**6])
def test_any_context_size_works(load: Loader, context: int) -> None:
    engine = load(context_tokens=context)
    room = engine.info.context_tokens
    assert min(context, tiny.CONTEXT) <= room <= tiny.CONTEXT
    prompt = (PROMPT * 9)[: room - 1]
    assert ask(engine, Generation(prompt=prompt, max_tokens=10)).usage.completion_tokens <= 2


# Several at once


def test_a_batch_answers_as_one_alone(load: Loader) -> None:
    prompts = [PROMPT[start:] for start in range(0, 100, 7)]
    alone = [run(load(), prompt) for prompt in prompts]
    engine = load(parallel=4, batch_tokens=16)
    with ThreadPoolExecutor(len(prompts)) as pool:
        together = list(pool.map(lambda prompt: run(engine, prompt), prompts))
    same = sum(one == two for one, two in zip(alone, together, strict=True))
    assert same >= len(prompts) - 1  # a batch may round otherwise


def test_a_long_prompt_does_not_stop_a_stream(load: Loader) -> None:
    """While the prompt of one is prefilled in chunks, the other gets tokens."""
    engine = load(parallel=2, batch_tokens=32)
    seen: list[Piece] = []
    stream = engine.generate(Generation(prompt=PROMPT, max_tokens=900, top_logprobs=0))
    reader = threading.Thread(target=lambda: seen.extend(stream))
    seen.append(next(stream))
    reader.start()
    before = len(seen)
    other = ask(engine, Generation(prompt=PROMPT[::-1] * 5, max_tokens=1))
    assert other.usage.prompt_tokens == len(PROMPT) * 5
    assert len(seen) - before >= 5
    reader.join()


def test_more_requests_than_slots_wait_their_turn(load: Loader) -> None:
    engine = load(parallel=2)
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda n: run(engine, PROMPT[n:], 8), range(40)))
    assert all(answers)


# Adapters


def test_adapters_by_request(load: Loader, folder: Path) -> None:
    plain = run(load(), PROMPT)
    engine = load(
        parallel=2, adapters={"zero": folder / "zero.gguf", "strong": folder / "strong.gguf"}
    )
    assert run(engine, PROMPT) == plain
    assert run(engine, PROMPT, adapter="zero") == plain
    assert run(engine, PROMPT, adapter="strong") != plain
    assert run(engine, PROMPT) == plain


def test_adapters_take_turns_and_share_no_cache(load: Loader, folder: Path) -> None:
    names = [None, "strong", "zero", "strong", None, "zero"]
    adapters = {"zero": folder / "zero.gguf", "strong": folder / "strong.gguf"}
    alone = {name: run(load(adapters=adapters), PROMPT, adapter=name) for name in set(names)}
    engine = load(parallel=3, adapters=adapters)
    with ThreadPoolExecutor(len(names)) as pool:
        together = list(pool.map(lambda name: run(engine, PROMPT, adapter=name), names))
    assert together == [alone[name] for name in names]


@pytest.mark.parametrize(
    ("file", "says"),
    [("gone.gguf", "no model file"), ("tiny.gguf", "not a LoRA"), ("wide.gguf", "does not fit")],
)
def test_adapters_that_cannot_be_used(load: Loader, folder: Path, file: str, says: str) -> None:
    with pytest.raises(AdapterError, match=says) as caught:
        load(adapters={"mine": folder / file})
    assert caught.value.hint


def test_an_unknown_adapter(load: Loader) -> None:
    engine = load()
    with pytest.raises(AdapterError, match="nobody"):
        engine.generate(chat("Hi.", adapter="nobody"))


# Failures


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Lets llama.cpp's decode fail whenever a batch holds a token; real decodes otherwise."""

    def fail_on(token: int) -> None:
        decode = NativeContext.decode

        def broken(context: NativeContext) -> int:
            batch = context.batch
            held = batch.native.token[: batch.native.n_tokens]
            return -3 if token in held else decode(context)

        monkeypatch.setattr(NativeContext, "decode", broken)

    return fail_on


def test_a_failed_decode_ends_only_its_own_generation(
    load: Loader, failing: Callable[[int], None]
) -> None:
    engine = load(parallel=3)
    fine = [token for token in PROMPT if token != 77]
    expected = run(engine, fine, 200)
    assert 77 not in expected
    failing(77)
    streams = [engine.generate(Generation(prompt=fine, max_tokens=200, top_logprobs=0))]
    streams.append(engine.generate(Generation(prompt=[3, 4, 77], max_tokens=5)))
    streams.append(engine.generate(Generation(prompt=fine, max_tokens=200, top_logprobs=0)))
    with pytest.raises(ModelError, match="failed to decode"):
        list(streams[1])
    assert ids(read(streams[0])) == ids(read(streams[2])) == expected
    assert run(engine, fine, 200) == expected


def test_broken_logits_end_only_their_own_generation(
    load: Loader, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = load(parallel=2)
    expected = run(engine, PROMPT)
    real, spoilt = NativeContext.logits, threading.Event()

    def once(context: NativeContext, index: int) -> object:
        row = real(context, index)
        if not spoilt.is_set():
            spoilt.set()
            row[:] = float("nan")
        return row

    monkeypatch.setattr(NativeContext, "logits", once)
    with pytest.raises(ModelError, match="instead of probabilities"):
        run(engine, PROMPT)
    assert run(engine, PROMPT) == expected


def test_a_fault_of_the_worker_reaches_every_caller(
    load: Loader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody waits for ever, whatever happens on the worker thread."""
    engine = load()
    faults, all_wait = [], threading.Event()
    monkeypatch.setattr(threading, "excepthook", faults.append)
    monkeypatch.setattr(NativeContext, "decode", lambda context: all_wait.wait(10) / 0)
    streams = [engine.generate(Generation(prompt=PROMPT, max_tokens=5)) for _ in range(3)]
    all_wait.set()
    for stream in streams:
        with pytest.raises(ModelError, match="stopped unexpectedly"):
            list(stream)
    with pytest.raises(ModelError, match="closed"):
        engine.generate(Generation(prompt=PROMPT))
    assert faults


# Life and death


def test_a_dropped_engine_frees_its_thread(folder: Path) -> None:
    before = threading.active_count()
    engine = load_llama(folder / "tiny.gguf", EngineOptions(threads=1), cache=folder)
    run(engine, PROMPT, 3)
    del engine
    gc.collect()
    assert threading.active_count() == before


def test_a_stream_keeps_its_engine(folder: Path) -> None:
    def stream() -> Iterator[Piece]:
        engine = load_llama(folder / "tiny.gguf", EngineOptions(threads=1), cache=folder)
        return engine.generate(Generation(prompt=PROMPT, max_tokens=40))

    assert read(stream()).finish in {FinishReason.LENGTH, FinishReason.STOP}


def test_close_while_others_ask(load: Loader) -> None:
    engine = load(parallel=2)

    def ask_on() -> str:
        try:
            while True:
                engine.tokenize("the thing " * 50)
                run(engine, PROMPT, 5)
        except ModelError as error:
            return str(error)

    with ThreadPoolExecutor(6) as pool:
        asked = [pool.submit(ask_on) for _ in range(6)]
        run(engine, PROMPT, 5)
        engine.close()
        assert all("closed" in each.result(timeout=20) for each in asked)


EXITS = {
    "without closing": "",
    "in the middle of a stream": "stream = engine.generate(request); next(stream)",
    "with requests in the queue": "many = [engine.generate(request) for _ in range(9)]",
    "by an exception": "stream = engine.generate(request); next(stream); 1 / 0",
}


@pytest.mark.parametrize("last", EXITS.values(), ids=EXITS.keys())
def test_the_process_ends_cleanly(folder: Path, last: str) -> None:
    program = textwrap.dedent(f"""
        from pathlib import Path
        from skerry.edge.engines import EngineOptions, Generation
        from skerry.edge.engines.llama import load_llama

        folder = Path({str(folder)!r})
        options = EngineOptions(threads=1, context_tokens=1024)
        engine = load_llama(folder / "tiny.gguf", options, cache=folder)
        request = Generation(prompt=list(range(3, 90)), max_tokens=900)
        {last}
    """)
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == ("1 / 0" in last)
    assert "Error" not in done.stderr.replace("ZeroDivisionError", "")


def test_llama_cpp_is_silent(folder: Path) -> None:
    program = textwrap.dedent(f"""
        from pathlib import Path
        from skerry.edge.engines import EngineOptions
        from skerry.edge.engines.llama import load_llama
        from skerry.edge.errors import ModelError

        folder = Path({str(folder)!r})
        load_llama(folder / "tiny.gguf", EngineOptions(threads=1), cache=folder).close()
        try:
            load_llama(folder / "tiny.gguf", EngineOptions(adapters={{"a": folder / "wide.gguf"}}))
        except ModelError as error:
            print(error)
    """)
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stderr == ""
    assert "does not fit the model" in done.stdout
    assert "gave no reason" not in done.stdout


def test_importing_the_package_loads_no_library() -> None:
    program = "import sys, skerry.edge.engines.llama; sys.exit('llama_cpp' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], timeout=60, check=False).returncode == 0


# Sampling


def test_sampling_follows_the_distribution(load: Loader) -> None:
    """First tokens of many seeds occur as often as their log-probabilities say."""
    engine = load(parallel=4)
    top = ask(engine, Generation(prompt=PROMPT, max_tokens=1, top_logprobs=1)).pieces[0].top[0][0]
    hits, tries = 0, 400
    for seed in range(tries):
        sampling = Sampling(temperature=1.0, seed=seed)
        hits += run(engine, PROMPT, 1, sampling=sampling) == [top.token_id]
    expected = math.exp(top.logprob)
    spread = math.sqrt(expected * (1 - expected) / tries)
    assert abs(hits / tries - expected) < 4 * spread


def test_a_grammar_that_no_token_continues(load: Loader) -> None:
    engine = load()
    with pytest.raises(GrammarError, match="no token"):
        ask(engine, Generation(prompt=PROMPT, grammar='root ::= "a" [z-b]'))
    assert len(run(engine, PROMPT, 4)) == 4


@pytest.mark.parametrize("seed", [-1, 0, 2**32 - 1, 2**63])
def test_any_whole_number_is_a_seed(load: Loader, seed: int) -> None:
    engine = load()
    sampling = Sampling(temperature=1.0, seed=seed)
    answers = [
        ask(engine, Generation(prompt=PROMPT, max_tokens=9, sampling=sampling, top_logprobs=0))
        for _ in range(2)
    ]
    assert ids(answers[0]) == ids(answers[1])
    assert answers[0].usage.seed == seed
