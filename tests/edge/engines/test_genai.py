"""The GenAI engine on the tiny committed model: the conformance suite, and what is its own."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import jsonschema
import numpy as np
import pytest

from skerry.edge.engines.base import EngineOptions, FinishReason, Generation, Sampling
from skerry.edge.engines.genai import GenaiEngine, load_genai
from skerry.edge.engines.grammar import json_schema_to_gbnf
from skerry.edge.errors import AdapterError, ConfigError, ModelError
from skerry.export.genai.lora import write_adapter
from tests.edge.engines.conformance import Answer, EngineConformance, EngineFactory, ask, chat, read

TINY = Path(__file__).parents[2] / "data" / "tiny-genai"
HIDDEN, VOCABULARY = 64, 512


class TestGenai(EngineConformance):
    @pytest.fixture(scope="class")
    def factory(self) -> EngineFactory:
        return lambda options: load_genai(TINY, options)


@pytest.fixture(scope="module")
def tiny() -> Iterator[GenaiEngine]:
    engine = load_genai(TINY, EngineOptions(context_tokens=512, threads=1), name="tiny")
    yield engine
    engine.close()


def logprobs(answer: Answer) -> list[float]:
    return [token.logprob for piece in answer.pieces for token in piece.tokens]


def test_info_is_that_of_the_manifest(tiny: GenaiEngine) -> None:
    info = tiny.info
    assert (info.name, info.engine, info.architecture) == ("tiny", "genai", "llama")
    assert (info.parameters, info.vocabulary) == (106_816, VOCABULARY)
    assert (info.quantization, info.licence) == ("int4", "apache-2.0")
    assert info.size_bytes < 1_000_000


def test_it_answers_what_it_was_taught(tiny: GenaiEngine) -> None:
    assert ask(tiny, chat("What is 4 plus 4?")).text == "4 plus 4 is 8."
    assert ask(tiny, chat("Say only the word yes.")).text == "Yes."


def test_the_context_is_cut_to_the_trained_one() -> None:
    engine = load_genai(TINY, EngineOptions(context_tokens=1_000_000))
    assert engine.info.context_tokens == engine.info.trained_context_tokens == 1024
    engine.close()


# The cache


@pytest.mark.parametrize("length", [1, 2, 9, 10, 33, 41, 63, 64, 65, 66, 73, 128, 129, 200])
def test_what_was_cached_does_not_change_the_answer(length: int) -> None:
    ids = [3 + (7 * at) % (VOCABULARY - 3) for at in range(length)]
    request = Generation(prompt=ids, max_tokens=4, top_logprobs=0)
    engine = load_genai(TINY, EngineOptions(context_tokens=512, threads=1))
    cold, warm = ask(engine, request), ask(engine, request)
    mixed = []
    for shared in (length // 2, length // 3, length - 1):
        ask(engine, Generation(prompt=[*ids[:shared], 9, 9, 9], max_tokens=2))
        mixed.append(logprobs(ask(engine, request)))
    engine.close()
    assert cold.usage.cached_tokens == 0
    assert warm.usage.cached_tokens == max(length - 2, 0) // 8 * 8
    for other in (logprobs(warm), *mixed):
        assert other == pytest.approx(logprobs(cold), abs=1e-3)


def test_a_session_goes_on_where_it_was(tiny: GenaiEngine) -> None:
    """The answer's own tokens are reused too, not only the prompt's."""
    talk = [{"role": "user", "content": "Count to one hundred."}]
    first = ask(tiny, Generation(messages=talk, max_tokens=60, session="count"))
    talk += [{"role": "assistant", "content": first.text}, {"role": "user", "content": "Hello."}]
    second = ask(tiny, Generation(messages=talk, max_tokens=4, session="count"))
    assert second.usage.cached_tokens > first.usage.prompt_tokens + 40


def test_a_grammar_leaves_the_session_alone(tiny: GenaiEngine) -> None:
    talk = chat("My cat is called Ada. " * 3, session="ada", max_tokens=4)
    before = ask(tiny, talk)
    ask(tiny, chat("Is water wet?", session="ada", grammar='root ::= "yes"', max_tokens=4))
    after = ask(tiny, talk)
    assert after.text == before.text
    assert after.usage.cached_tokens >= before.usage.prompt_tokens - 9


def test_interleaved_streams_do_not_wait_for_each_other(tiny: GenaiEngine) -> None:
    """One slot, one reader of two streams: the first goes on unread, and makes room."""
    first = tiny.generate(chat("Count.", max_tokens=50))
    begun = next(first)
    second = ask(tiny, chat("What is 4 plus 4?"))
    assert second.text == "4 plus 4 is 8."
    assert read([begun, *first]).usage.completion_tokens == 50


def test_closing_while_many_begin() -> None:
    """Every stream ends as cancelled, or is refused at once; none fails in between."""
    engine = load_genai(TINY, EngineOptions(context_tokens=256, threads=1, parallel=3))

    def one(number: int) -> FinishReason | str:
        try:
            return ask(engine, chat("Count.", max_tokens=5 + number % 40)).finish
        except ModelError as error:
            return error.what

    with ThreadPoolExecutor(8) as threads:
        ends = [threads.submit(one, number) for number in range(200)]
        time.sleep(0.05)
        engine.close()
    refused = "the model 'tiny-genai' is closed"
    found = {end.result() for end in ends}
    assert found >= {FinishReason.CANCELLED, refused}
    assert found <= {*FinishReason, refused}


# Grammars


@pytest.mark.parametrize("seed", range(4))
def test_a_schema_binds_the_answer(tiny: GenaiEngine, seed: int) -> None:
    schema = {
        "type": "object",
        "properties": {"colour": {"enum": ["red", "blé", "薬"]}, "count": {"type": "integer"}},
        "required": ["colour", "count"],
    }
    hot = Sampling(temperature=2.0, seed=seed)
    request = chat("A colour.", grammar=json_schema_to_gbnf(schema), sampling=hot, max_tokens=200)
    jsonschema.validate(json.loads(ask(tiny, request).text), schema)


# Adapters


@pytest.fixture(scope="module")
def adapter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Noise on the head."""
    draw = np.random.default_rng(0)
    file = tmp_path_factory.mktemp("adapters") / "noise.onnx_adapter"
    a = draw.normal(size=(HIDDEN, 2)).astype(np.float32)
    b = draw.normal(size=(2, VOCABULARY)).astype(np.float32)
    write_adapter(file, {"lm_head.lora_A": a, "lm_head.lora_B": b})
    return file


def test_an_adapter_changes_only_its_own_answers(adapter: Path) -> None:
    options = EngineOptions(context_tokens=256, threads=1, adapters={"noise": adapter})
    engine = load_genai(TINY, options)
    plain = chat("What is 4 plus 4?", max_tokens=12)
    noisy = chat("What is 4 plus 4?", max_tokens=12, adapter="noise")
    answers = [ask(engine, request).text for request in (plain, noisy, plain, noisy, plain)]
    assert answers[0] == answers[2] == answers[4] == "4 plus 4 is 8."
    assert answers[1] == answers[3] != answers[0]
    with pytest.raises(AdapterError, match="'other'") as caught:
        engine.generate(chat("Hello.", adapter="other"))
    assert "noise" in caught.value.hint
    engine.close()


@pytest.mark.parametrize("content", [b"", b"GGUF", b"\x00" * 1000, None])
def test_a_bad_adapter(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "bad.onnx_adapter"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(AdapterError, match="bad") as caught:
        load_genai(TINY, EngineOptions(adapters={"bad": file}))
    assert caught.value.hint


# The library


def test_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime_genai", None)
    with pytest.raises(ConfigError) as caught:
        load_genai(TINY)
    assert "pip install 'skerry[genai]'" in caught.value.hint


def test_importing_the_engine_imports_no_library() -> None:
    program = (
        "import sys, skerry.edge.engines.genai as _; print('onnxruntime_genai' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == "False"


def test_the_library_keeps_no_telemetry(tmp_path: Path) -> None:
    """By itself it makes a device id and a queue of events in the user's cache."""
    program = (
        "import sys; from pathlib import Path; from skerry.edge.engines.genai import load_genai;"
        "load_genai(Path(sys.argv[1]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(TINY)],
        env={"HOME": str(tmp_path), "PATH": "/usr/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / ".cache" / "Microsoft").exists()
