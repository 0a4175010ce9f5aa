"""What an adapter is trained on: examples, the tokens that are learnt, the order. No torch."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from skerry.export.adapters.answers import UNLEARNT, labels, rendered
from skerry.export.adapters.card import Score
from skerry.export.adapters.checkpoint import State, load_state, save_state
from skerry.export.adapters.examples import (
    Message,
    digest_of,
    parse_examples,
    read_examples,
    split,
)
from skerry.export.adapters.pairs import Method
from skerry.export.adapters.recipe import Recipe
from skerry.export.adapters.task import chats, write_task
from skerry.export.errors import OutputFailed, SourceRefused, Unsupported


def line(*turns: tuple[str, str]) -> bytes:
    rows = [{"role": role, "content": content} for role, content in turns]
    return json.dumps({"messages": rows}).encode()


GOOD = line(("user", "How often?"), ("assistant", "Daily."))
WHOLE = line(("system", "Be brief."), ("user", "a"), ("assistant", "b"), ("user", "c"),
             ("assistant", "d"))  # fmt: skip


def test_examples_are_read_with_their_lines() -> None:
    made = parse_examples([GOOD, b"\n", b"\xef\xbb\xbf" + WHOLE], "x")
    assert [(one.line, len(one.messages)) for one in made] == [(1, 2), (3, 5)]


BAD = {
    "no JSON": (b"{", "line 2: not JSON"),
    "nested without end": (b"[" * 100_000, "line 2: not JSON"),
    "a list": (b"[]", "no object with a list of messages"),
    "no messages": (b'{"text": "a"}', "no object with a list of messages"),
    "empty messages": (b'{"messages": []}', "an assistant's last"),
    "not UTF-8": (b'{"messages": "\xff"}', "not UTF-8"),
    "another role": (line(("tool", "a"), ("assistant", "b")), "of no role of system"),
    "no text": (line(("user", " "), ("assistant", "b")), "of the user has no text"),
    "text that is a number": (b'{"messages": [{"role": "user", "content": 7}]}', "has no text"),
    "half a character": (rb'{"messages": [{"role": "user", "content": "\ud800"}]}', "surrogate"),
    "the user last": (line(("user", "a")), "an assistant's last"),
    "two answers": (line(("user", "a"), ("assistant", "b"), ("assistant", "c")), "assistant, …"),
    "a system in between": (line(("user", "a"), ("system", "b"), ("assistant", "c")), "(system,)"),
    "a line without end": (b" " * (1 << 20) + b"{}", "longer than 1,048,576 bytes"),
}


@pytest.mark.parametrize(("content", "said"), BAD.values(), ids=BAD)
def test_a_line_that_is_no_example_is_named(content: bytes, said: str) -> None:
    with pytest.raises(SourceRefused) as caught:
        parse_examples([GOOD, content], "some.jsonl")
    assert "some.jsonl" in caught.value.what
    assert "line 2" in caught.value.what
    assert said in caught.value.what
    assert '"messages"' in caught.value.hint


def test_many_wrong_lines_are_counted() -> None:
    with pytest.raises(SourceRefused, match="line 5: not JSON; and 4 more"):
        parse_examples([b"x"] * 9, "x")


@pytest.mark.parametrize("content", [b"", b"\n\n", GOOD, GOOD + b"\n" + GOOD])
def test_too_few_examples(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.jsonl").write_bytes(content)
    with pytest.raises(SourceRefused, match="fewer than two different"):
        read_examples(tmp_path / "x.jsonl")


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(SourceRefused, match="cannot be read"):
        read_examples(tmp_path / "x.jsonl")
    with pytest.raises(SourceRefused, match="cannot be read"):
        read_examples(tmp_path)


def test_no_chat_is_learnt_and_held_out() -> None:
    lines = [line(("user", str(i % 30)), ("assistant", "a")) for i in range(90)]
    examples = parse_examples(lines, "x")
    parts = split(examples, 0.2, seed=1)
    learnt, held = ({one.digest() for one in side} for side in (parts.learnt, parts.held_out))
    assert not learnt & held
    assert (len(learnt), len(held)) == (24, 6)
    assert len(parts.learnt) + len(parts.held_out) == 90
    assert parts == split(examples, 0.2, seed=1)
    assert parts != split(examples, 0.2, seed=2)


def test_something_is_learnt_and_something_held_out_of_two() -> None:
    parts = split(parse_examples([GOOD, WHOLE], "x"), 0.9, seed=0)
    assert (len(parts.learnt), len(parts.held_out)) == (1, 1)


def test_the_digest_is_of_what_is_said_in_order() -> None:
    made = parse_examples([GOOD, WHOLE], "x")
    assert digest_of(made) == digest_of(parse_examples([b"", GOOD, WHOLE], "y"))
    assert digest_of(made) != digest_of(made[::-1])


def plain(messages: Sequence[Message], answer: bool) -> str:
    text = "".join(f"<{one['role'][0]}>{one['content']}<e>\n" for one in messages)
    return text + ("<a>" if answer else "")


def test_only_the_assistants_words_and_what_ends_them_are_learnt() -> None:
    chat = rendered(parse_examples([GOOD, WHOLE], "x")[1].messages, plain)
    assert [chat.text[start:end] for start, end in chat.answers] == ["b<e>", "d<e>"]
    offsets = [(i, i + 1) for i in range(len(chat.text))]
    made = labels(range(len(chat.text)), offsets, chat.answers)
    assert "".join(chat.text[i] for i in made if i != UNLEARNT) == "b<e>d<e>"


def test_a_token_of_no_letters_is_not_learnt() -> None:
    assert labels([5, 6, 7], [(0, 0), (0, 2), (2, 2)], [(0, 2)]) == [UNLEARNT, 6, UNLEARNT]


def test_a_template_that_rewrites_what_was_said() -> None:
    def last_only(messages: Sequence[Message], answer: bool) -> str:
        return plain(messages[-1:], answer)

    with pytest.raises(Unsupported, match="changes earlier messages"):
        rendered(parse_examples([GOOD, WHOLE], "x")[1].messages, last_only)


def test_every_example_is_seen_once_an_epoch_in_an_order_of_its_own() -> None:
    recipe = Recipe(epochs=3, batch=4)
    assert recipe.steps(10) == 9
    seen = [recipe.picked(step, 10) for step in range(9)]
    epochs = [[*seen[at], *seen[at + 1], *seen[at + 2]] for at in (0, 3, 6)]
    assert all(sorted(one) == list(range(10)) for one in epochs)
    assert epochs[0] != epochs[1]
    assert seen == [Recipe(epochs=3, batch=4).picked(step, 10) for step in range(9)]
    assert seen[0] != Recipe(epochs=3, batch=4, seed=1).picked(0, 10)


def test_the_rate_rises_and_falls() -> None:
    recipe = Recipe(learning_rate=1.0, warmup=0.1)
    rates = [recipe.rate_at(step, 40) for step in range(40)]
    assert rates[:4] == [0.25, 0.5, 0.75, 1.0]
    assert rates[4:] == sorted(rates[4:], reverse=True)
    assert 0 < rates[-1] < 0.01


@pytest.mark.parametrize(
    "change",
    [{"rank": 0}, {"epochs": 0}, {"batch": 0}, {"alpha": 0.0}, {"alpha": float("nan")},
     {"learning_rate": float("inf")}, {"held_out": 0.0}, {"held_out": 1.0}, {"targets": ()},
     {"warmup": 1.0}],
    ids=str,
)  # fmt: skip
def test_a_recipe_that_cannot_be(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="recipe"):
        Recipe(**change)  # type: ignore[arg-type]


def test_a_digest_says_whether_it_is_the_same_training() -> None:
    assert Recipe().digest("data") == Recipe().digest("data")
    others = {Recipe(seed=1).digest("data"), Recipe(method=Method.DORA).digest("data")}
    assert Recipe().digest("data") not in others | {Recipe().digest("other")}
    json.dumps(Recipe().facts())


STATE = State(
    "run", 7, Score(1.5, 0.25, 0.0), {"a": np.ones((2, 3), np.float32)},
    {"a": (np.full((2, 3), 2, np.float32), np.full((2, 3), 3, np.float32))},
)  # fmt: skip


def test_a_state_comes_back(tmp_path: Path) -> None:
    assert load_state(tmp_path, "run") is None
    save_state(tmp_path, STATE)
    made = load_state(tmp_path, "run")
    assert made is not None
    assert (made.step, made.before) == (7, Score(1.5, 0.25, 0.0))
    assert np.array_equal(made.weights["a"], STATE.weights["a"])
    assert np.array_equal(made.moments["a"][1], STATE.moments["a"][1])


def test_a_state_of_another_training_is_not_gone_on_with(tmp_path: Path) -> None:
    save_state(tmp_path, STATE)
    with pytest.raises(OutputFailed, match="another recipe"):
        load_state(tmp_path, "other")


def test_a_damaged_state_is_said(tmp_path: Path) -> None:
    save_state(tmp_path, STATE)
    file = next(tmp_path.iterdir())
    for content in (file.read_bytes()[:-4], b"", b"\x02" + bytes(7) + b"{}"):
        file.write_bytes(content)
        with pytest.raises(OutputFailed, match="is damaged"):
            load_state(tmp_path, "run")


def test_the_small_task_is_seeded_and_every_chat_is_an_example(tmp_path: Path) -> None:
    first, again = (list(islice(chats(seed=3), 50)) for _ in range(2))
    assert first == again
    assert first != list(islice(chats(seed=4), 50))
    write_task(tmp_path / "x.jsonl", examples=400, seed=0)
    made = read_examples(tmp_path / "x.jsonl")
    assert len(made) == 400
    assert len({one.digest() for one in made}) > 380
    codes = Counter(one.messages[-1]["content"].split("/")[0] for one in made)
    assert len(codes) == 10
