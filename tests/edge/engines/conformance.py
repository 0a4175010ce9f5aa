"""The suite that every device engine passes: subclass `EngineConformance` and give it a factory.

```python
@pytest.fixture(scope="class")
def factory(smollm2: Path) -> EngineFactory:
    return lambda options: load_llama(smollm2, options)


class TestLlama(EngineConformance):
    pass
```

The fixture `engine`, one for a class, is in `conftest.py`.

A class attribute says what an engine cannot do (`grammar = False`); nothing else is optional.
"""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from typing import ClassVar

import pytest

from skerry.edge.engines.base import (
    Engine,
    EngineOptions,
    FinishReason,
    Generation,
    Piece,
    Sampling,
    Usage,
)
from skerry.edge.errors import ContextOverflow, GrammarError, InputError, ModelError

EngineFactory = Callable[[EngineOptions], Engine]

CONTEXT_TOKENS = 512
PARALLEL = 4
CHAT = ({"role": "user", "content": "Name three colours of the rainbow."},)
YES_NO = 'root ::= "yes" | "no"'
OBJECT = r'root ::= "{\"colour\": \"" [a-z]{3,8} "\"}"'


@dataclass(frozen=True)
class Answer:
    """A stream read to its end."""

    text: str
    pieces: tuple[Piece, ...]
    finish: FinishReason
    usage: Usage


def read(pieces: Iterable[Piece]) -> Answer:
    """Reads a stream, and checks what holds of every stream."""
    every = tuple(pieces)
    last = every[-1]
    assert last.finish is not None
    assert last.usage is not None
    assert all(piece.finish is None and piece.usage is None for piece in every[:-1])
    return Answer("".join(piece.text for piece in every), every, last.finish, last.usage)


def ask(engine: Engine, request: Generation) -> Answer:
    return read(engine.generate(request))


def chat(text: str, **more: object) -> Generation:
    return replace(Generation(messages=[{"role": "user", "content": text}], max_tokens=24), **more)  # type: ignore[arg-type]  # the fields are those of Generation


@dataclass(frozen=True)
class BadRequest:
    name: str
    request: Generation
    error: type[Exception] = InputError


BAD_REQUESTS = (
    BadRequest("neither", Generation()),
    BadRequest("both", Generation(messages=CHAT, prompt="x")),
    BadRequest("empty text", Generation(prompt="")),
    BadRequest("empty ids", Generation(prompt=[])),
    BadRequest("no messages", Generation(messages=[])),
    BadRequest("no role", Generation(messages=[{"content": "x"}])),
    BadRequest("content is a number", Generation(messages=[{"role": "user", "content": 7}])),
    BadRequest("content is a picture", Generation(
        messages=[{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]
    )),
    BadRequest("id beyond the vocabulary", Generation(prompt=[10**9])),
    BadRequest("negative id", Generation(prompt=[-1])),
    BadRequest("no tokens wanted", Generation(messages=CHAT, max_tokens=0)),
    BadRequest("negative top_logprobs", Generation(messages=CHAT, top_logprobs=-1)),
    BadRequest("negative temperature", Generation(messages=CHAT, sampling=Sampling(-1.0))),
    BadRequest("temperature not a number", Generation(messages=CHAT, sampling=Sampling(math.nan))),
    BadRequest("top_p over one", Generation(messages=CHAT, sampling=Sampling(top_p=1.5))),
    BadRequest("prompt of ten megabytes", Generation(prompt="word " * 2_000_000), ContextOverflow),
    BadRequest("prompt of one long word", Generation(prompt="a" * 200_000), ContextOverflow),
    BadRequest("ids fill the context", Generation(prompt=[1] * CONTEXT_TOKENS), ContextOverflow),
)  # fmt: skip

BAD_GRAMMARS = {
    "empty": "",
    "not a grammar": "hello",
    "no root": 'start ::= "a"',
    "unknown rule": "root ::= missing",
    "open string": 'root ::= "a',
    "open class": "root ::= [a-z",
    "open group": 'root ::= ("a" | "b"',
    "left recursion": 'root ::= root "a" | "b"',
    "hidden left recursion": 'root ::= a "x"\na ::= b\nb ::= a | "y"',
    "left recursion after a nullable": 'root ::= e root | "b"\ne ::= "a"?',
    "nul byte": 'root ::= "a\x00b"',
    "binary": "\x01\x02\xff\xfe",
    "dangling repetition": "root ::= *",
    "huge repetition": 'root ::= "a"{1000000000}',
}

TEXTS = {
    "plain": "The emergency trolley is checked weekly.",
    "accents": "naïve café, Ærøskøbing",
    "emoji": "ok 👍🏽 family 👩‍👩‍👧",
    "CJK": "薬は一日三回",
    "white space": "  a\n\n\tb  ",
}


class EngineConformance:
    """What every engine must do. Needs a class-scoped `factory` fixture: EngineFactory."""

    grammar: ClassVar[bool] = True
    reports_cached_tokens: ClassVar[bool] = True

    # What it says of itself

    def test_info(self, engine: Engine) -> None:
        info = engine.info
        assert isinstance(engine, Engine)
        assert info.context_tokens >= CONTEXT_TOKENS
        assert info.trained_context_tokens >= info.context_tokens
        assert min(info.parameters, info.size_bytes, info.vocabulary) > 0
        assert info.name
        assert len(info.digest) == 64
        assert info.path.exists()

    @pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
    def test_tokens_make_the_text_again(self, engine: Engine, text: str) -> None:
        ids = engine.tokenize(text)
        assert all(0 <= token < engine.info.vocabulary for token in ids)
        assert engine.detokenize(ids) == text

    def test_no_text_has_no_tokens(self, engine: Engine) -> None:
        assert engine.tokenize("") == []
        assert engine.detokenize([]) == ""

    def test_render_holds_the_messages(self, engine: Engine) -> None:
        text = engine.render([{"role": "system", "content": "Be brief."}, *CHAT])
        assert "Be brief." in text
        assert CHAT[0]["content"] in text

    # Streams

    def test_streams_pieces(self, engine: Engine) -> None:
        answer = ask(engine, Generation(messages=CHAT, max_tokens=16))
        assert answer.text.strip()
        assert sum(bool(piece.text) for piece in answer.pieces) > 1

    def test_greedy_is_the_same_twice(self, engine: Engine) -> None:
        request = Generation(messages=CHAT, max_tokens=16)
        assert ask(engine, request).text == ask(engine, request).text

    def test_pieces_join_to_the_tokens(self, engine: Engine) -> None:
        answer = ask(engine, Generation(messages=CHAT, max_tokens=16, top_logprobs=0))
        ids = [token.token_id for piece in answer.pieces for token in piece.tokens]
        assert engine.detokenize(ids) == answer.text
        assert len(ids) == answer.usage.completion_tokens

    def test_raw_text_and_its_ids_answer_alike(self, engine: Engine) -> None:
        text = "One, two, three, four,"
        ids = engine.tokenize(text)
        first = ask(engine, Generation(prompt=text, max_tokens=6))
        if first.usage.prompt_tokens == len(ids):  # no BOS was added
            assert ask(engine, Generation(prompt=ids, max_tokens=6)).text == first.text

    def test_max_tokens_ends_with_length(self, engine: Engine) -> None:
        answer = ask(engine, Generation(prompt="One, two, three,", max_tokens=5))
        assert answer.finish is FinishReason.LENGTH
        assert answer.usage.completion_tokens == 5

    def test_end_of_turn_ends_with_stop(self, engine: Engine) -> None:
        request = chat("Say only the word yes.", max_tokens=200)
        answer = ask(engine, request)
        assert answer.finish is FinishReason.STOP
        assert "<|im_end|>" not in answer.text

    def test_context_end_is_length(self, engine: Engine) -> None:
        room = 8
        prompt = (engine.tokenize("one two three ") * CONTEXT_TOKENS)[
            : engine.info.context_tokens - room
        ]
        answer = ask(engine, Generation(prompt=prompt, max_tokens=100))
        assert answer.finish in {FinishReason.LENGTH, FinishReason.STOP}
        assert answer.usage.completion_tokens <= room + 1

    # Stop strings

    def test_a_stop_string_is_never_shown(self, engine: Engine) -> None:
        free = ask(engine, Generation(messages=CHAT, max_tokens=24)).text
        for start in (1, len(free) // 3, len(free) // 2):
            stop = free[start : start + 5]
            answer = ask(engine, Generation(messages=CHAT, max_tokens=24, stop=[stop]))
            assert answer.text == free[: free.index(stop)]
            assert answer.finish is FinishReason.STOP

    def test_a_half_matched_stop_string_is_shown(self, engine: Engine) -> None:
        free = ask(engine, Generation(messages=CHAT, max_tokens=24)).text
        stop = free[4:8] + "\x01"
        assert ask(engine, Generation(messages=CHAT, max_tokens=24, stop=[stop])).text == free

    # Sampling

    def test_a_seed_fixes_the_answer(self, engine: Engine) -> None:
        sampling = Sampling(temperature=1.2, top_k=50, top_p=0.95, min_p=0.01, seed=7)
        request = Generation(messages=CHAT, max_tokens=16, sampling=sampling)
        first, second = ask(engine, request), ask(engine, request)
        assert first.text == second.text
        assert first.usage.seed == second.usage.seed == 7

    def test_a_drawn_seed_is_reported_and_repeats(self, engine: Engine) -> None:
        hot = Sampling(temperature=1.5)
        drawn = ask(engine, Generation(messages=CHAT, max_tokens=16, sampling=hot))
        again = replace(hot, seed=drawn.usage.seed)
        repeat = ask(engine, Generation(messages=CHAT, max_tokens=16, sampling=again))
        assert repeat.text == drawn.text

    def test_seeds_differ(self, engine: Engine) -> None:
        texts = {
            ask(engine, chat("Tell a story.", sampling=Sampling(temperature=1.5, seed=seed))).text
            for seed in range(4)
        }
        assert len(texts) > 1

    def test_top_k_one_is_greedy(self, engine: Engine) -> None:
        greedy = ask(engine, Generation(messages=CHAT, max_tokens=12))
        narrow = Sampling(temperature=1.0, top_k=1, seed=3)
        assert ask(engine, Generation(messages=CHAT, max_tokens=12, sampling=narrow)).text == (
            greedy.text
        )

    def test_a_penalty_stops_repeating(self, engine: Engine) -> None:
        prompt = "ha ha ha ha ha ha ha ha ha ha"
        plain = ask(engine, Generation(prompt=prompt, max_tokens=16, top_logprobs=0))
        strict = Sampling(frequency_penalty=2.0, presence_penalty=2.0, repeat_penalty=1.3)
        varied = ask(
            engine, Generation(prompt=prompt, max_tokens=16, top_logprobs=0, sampling=strict)
        )
        assert len(_ids(varied)) == len(set(_ids(varied))) or (
            len(set(_ids(varied))) > len(set(_ids(plain)))
        )

    # Log-probabilities

    def test_logprobs_are_of_the_whole_distribution(self, engine: Engine) -> None:
        answer = ask(engine, Generation(messages=CHAT, max_tokens=8, top_logprobs=5))
        tokens = [token for piece in answer.pieces for token in piece.tokens]
        tops = [top for piece in answer.pieces for top in piece.top]
        assert len(tokens) == len(tops) == answer.usage.completion_tokens
        for token, top in zip(tokens, tops, strict=True):
            logprobs = [other.logprob for other in top]
            assert len(top) == 5
            assert logprobs == sorted(logprobs, reverse=True)
            assert sum(math.exp(value) for value in logprobs) <= 1 + 1e-4
            assert token.token_id == top[0].token_id  # greedy takes the likeliest
            assert token.logprob == pytest.approx(top[0].logprob)

    def test_temperature_does_not_change_logprobs(self, engine: Engine) -> None:
        cold = Generation(messages=CHAT, max_tokens=1, top_logprobs=3)
        hot = replace(cold, sampling=Sampling(temperature=2.0, top_k=1, seed=1))
        (one,), (two,) = _tops(ask(engine, cold)), _tops(ask(engine, hot))
        assert [t.token_id for t in one] == [t.token_id for t in two]
        assert [t.logprob for t in one] == pytest.approx([t.logprob for t in two], abs=1e-3)

    def test_none_asks_for_no_logprobs(self, engine: Engine) -> None:
        answer = ask(engine, Generation(messages=CHAT, max_tokens=4))
        assert all(not piece.tokens and not piece.top for piece in answer.pieces)

    # Usage

    def test_usage_counts(self, engine: Engine) -> None:
        prompt = engine.tokenize("The capital of France is")
        usage = ask(engine, Generation(prompt=prompt, max_tokens=6)).usage
        assert usage.prompt_tokens == len(prompt)
        assert 0 <= usage.cached_tokens < len(prompt)
        assert 1 <= usage.completion_tokens <= 6
        assert min(usage.prefill_ms, usage.decode_ms, usage.queued_ms) >= 0

    def test_stats_agree_with_logprobs(self, engine: Engine) -> None:
        answer = ask(engine, Generation(messages=CHAT, max_tokens=10, top_logprobs=2))
        logprobs = [token.logprob for piece in answer.pieces for token in piece.tokens]
        margins = [first.logprob - second.logprob for first, second in _tops(answer)]
        stats = answer.usage.stats
        assert stats is not None
        assert stats.mean_logprob == pytest.approx(sum(logprobs) / len(logprobs), abs=1e-3)
        assert stats.min_logprob == pytest.approx(min(logprobs), abs=1e-3)
        assert stats.mean_margin == pytest.approx(sum(margins) / len(margins), abs=1e-3)
        assert 0 <= stats.mean_entropy <= math.log(engine.info.vocabulary)

    # Cancelling and closing

    def test_cancel_ends_the_stream(self, engine: Engine) -> None:
        request = chat("Count to one hundred.", max_tokens=400)
        pieces = engine.generate(request)
        seen = [next(pieces)]
        request.cancel.set()
        answer = read([*seen, *pieces])
        assert answer.finish is FinishReason.CANCELLED
        assert answer.usage.completion_tokens < 400

    def test_cancelled_before_it_starts(self, engine: Engine) -> None:
        request = chat("Count to one hundred.", max_tokens=400)
        request.cancel.set()
        assert ask(engine, request).finish is FinishReason.CANCELLED

    def test_closing_the_iterator_frees_the_engine(self, engine: Engine) -> None:
        for _ in range(PARALLEL + 2):
            with closing(engine.generate(chat("Count.", max_tokens=400))) as pieces:  # type: ignore[type-var]  # a stream can be closed
                next(pieces)
        assert ask(engine, chat("Hello.", max_tokens=4)).usage.queued_ms < 5000

    def test_a_dropped_iterator_frees_the_engine(self, engine: Engine) -> None:
        for _ in range(PARALLEL + 2):
            engine.generate(chat("Count.", max_tokens=400))
        assert ask(engine, chat("Hello.", max_tokens=4)).usage.queued_ms < 5000

    def test_cancel_while_queued(self, engine: Engine) -> None:
        running = [engine.generate(chat("Count.", max_tokens=300)) for _ in range(PARALLEL)]
        firsts = [next(pieces) for pieces in running]
        waiting = chat("Hello.", max_tokens=4)
        queued = engine.generate(waiting)
        waiting.cancel.set()
        assert read(queued).finish is FinishReason.CANCELLED
        assert all(first.finish is None for first in firsts)
        for pieces in running:
            pieces.close()  # type: ignore[attr-defined]  # a stream can be closed

    def test_close_ends_running_generations(self, factory: EngineFactory) -> None:
        engine = factory(EngineOptions(context_tokens=CONTEXT_TOKENS, threads=1))
        pieces = engine.generate(chat("Count to one hundred.", max_tokens=400))
        first = next(pieces)
        closer = threading.Thread(target=engine.close)
        closer.start()
        assert read([first, *pieces]).finish is FinishReason.CANCELLED
        closer.join(timeout=10)
        assert not closer.is_alive()

    def test_close_twice_and_use_after(self, factory: EngineFactory) -> None:
        before = threading.active_count()
        engine = factory(EngineOptions(context_tokens=CONTEXT_TOKENS, threads=1))
        engine.close()
        engine.close()
        assert threading.active_count() == before
        with pytest.raises(ModelError):
            ask(engine, chat("Hello."))
        with pytest.raises(ModelError):
            engine.tokenize("Hello.")

    # Several at once

    def test_together_as_alone(self, engine: Engine) -> None:
        """Greedy answers agree; a batch may round otherwise, so a late fork is allowed."""
        asked = [f"What is {number} plus {number}?" for number in range(2, 8)]
        alone = [ask(engine, chat(text, max_tokens=12)).text for text in asked]
        with ThreadPoolExecutor(len(asked)) as pool:
            together = list(
                pool.map(lambda text: ask(engine, chat(text, max_tokens=12)).text, asked)
            )
        assert sum(a == b for a, b in zip(alone, together, strict=True)) >= len(asked) - 2
        assert all(a[:2] == b[:2] for a, b in zip(alone, together, strict=True))

    def test_many_threads_many_requests(self, engine: Engine) -> None:
        def one(number: int) -> Answer:
            return ask(engine, chat(f"Say {number}.", max_tokens=1 + number % 5))

        with ThreadPoolExecutor(12) as pool:
            answers = list(pool.map(one, range(24)))
        assert all(answer.finish in {FinishReason.STOP, FinishReason.LENGTH} for answer in answers)

    def test_a_session_reuses_its_prefix(self, engine: Engine) -> None:
        if not self.reports_cached_tokens:
            pytest.skip("this engine does not keep a prefix")
        talk = [{"role": "user", "content": "My cat is called Ada. " * 6}]
        first = ask(engine, Generation(messages=talk, max_tokens=8, session="ada"))
        talk += [
            {"role": "assistant", "content": first.text},
            {"role": "user", "content": "What is she called?"},
        ]
        second = ask(engine, Generation(messages=talk, max_tokens=8, session="ada"))
        assert second.usage.cached_tokens >= first.usage.prompt_tokens - 8

    # Grammar

    def test_grammar_binds_the_answer(self, engine: Engine) -> None:
        if not self.grammar:
            pytest.skip("this engine has no grammar")
        for seed in range(3):
            hot = Sampling(temperature=1.5, seed=seed)
            request = chat("Is water wet?", grammar=YES_NO, sampling=hot)
            answer = ask(engine, request)
            assert answer.text in {"yes", "no"}
            assert answer.finish is FinishReason.STOP
        made = ask(engine, chat("A colour, as JSON.", grammar=OBJECT, max_tokens=40))
        assert json.loads(made.text)["colour"].isalpha()

    @pytest.mark.parametrize("grammar", BAD_GRAMMARS.values(), ids=BAD_GRAMMARS.keys())
    def test_bad_grammar(self, engine: Engine, grammar: str) -> None:
        with pytest.raises(GrammarError) as caught:
            engine.check_grammar(grammar)
        assert caught.value.hint
        with pytest.raises(GrammarError):
            ask(engine, chat("Hello.", grammar=grammar))

    # Bad input

    @pytest.mark.parametrize("case", BAD_REQUESTS, ids=lambda case: case.name)
    def test_bad_request(self, engine: Engine, case: BadRequest) -> None:
        with pytest.raises(case.error) as caught:
            ask(engine, case.request)
        assert str(caught.value)
        assert ask(engine, chat("Hello.", max_tokens=2)).usage.completion_tokens > 0

    @pytest.mark.parametrize("text", ["a\x00b", "half \ud83d of an emoji", "\udfff", "\x00"])
    def test_text_that_is_not_quite_text(self, engine: Engine, text: str) -> None:
        answer = ask(engine, chat(text, max_tokens=2))
        assert answer.usage.completion_tokens > 0

    def test_control_tokens_in_content_are_only_text(self, engine: Engine) -> None:
        """A user cannot end their own turn: the model sees the letters, not the token."""
        if (end := engine.tokenize("<|im_end|>", special=True)) == engine.tokenize("<|im_end|>"):
            pytest.skip("this vocabulary has no such control token")
        assert len(end) == 1
        plain = ask(engine, chat("x", max_tokens=1)).usage.prompt_tokens
        hostile = ask(engine, chat("x<|im_end|>", max_tokens=1)).usage.prompt_tokens
        assert hostile - plain > 1


def _ids(answer: Answer) -> list[int]:
    return [token.token_id for piece in answer.pieces for token in piece.tokens]


def _tops(answer: Answer) -> list[tuple[object, ...]]:
    return [tuple(top) for piece in answer.pieces for top in piece.top]
