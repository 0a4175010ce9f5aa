"""What a draft model is made from: the plan, the prompts, and the texts on disk. No torch."""

from __future__ import annotations

from collections import Counter
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from skerry.export.distill.corpus import Corpus, CorpusWriter, Text
from skerry.export.distill.errors import DistillError
from skerry.export.distill.plan import Plan, plan
from skerry.export.distill.prompts import GROUNDED, Prompts, lines
from skerry.export.distill.sources import Passage, Sources, read


@pytest.mark.parametrize(
    ("layers", "kept", "expected"),
    [
        (30, 8, Plan((0, 1, 4, 9, 15, 20, 26, 29), (*range(1, 8),), (1, 6, 12, 17, 23, 28, 29))),
        (
            30,
            13,
            Plan(
                (0, 1, 2, 5, 8, 11, 13, 16, 19, 22, 24, 27, 29),
                (1, 3, 5, 7, 9, 11, 12),
                (1, 6, 12, 17, 23, 28, 29),
            ),
        ),
        (6, 4, Plan((0, 1, 3, 5), (1, 2, 3), (1, 4, 5))),
        (6, 5, Plan((0, 1, 2, 4, 5), (1, 2, 3, 4), (1, 3, 4, 5))),
    ],
)
def test_every_layer_is_somebodys_work(layers: int, kept: int, expected: Plan) -> None:
    made = plan(layers, kept)
    assert made == expected
    assert len(made.copied) == kept
    assert made.taps[-1] == layers - 1
    assert made.reached[-1] == kept - 1
    assert list(made.copied) == sorted(set(made.copied))
    assert all(
        made.copied[layer] <= tap for layer, tap in zip(made.reached, made.taps, strict=True)
    )


@pytest.mark.parametrize(("layers", "kept"), [(30, 3), (30, 30), (4, 4), (30, 0)])
def test_what_cannot_be_kept_is_an_error(layers: int, kept: int) -> None:
    with pytest.raises(ValueError, match="can be kept"):
        plan(layers, kept)


PASSAGES = [
    Passage("Fridges", "A fridge is kept cold. " * 40, "How cold?"),
    Passage("Bees", "Buzz. "),
]


def test_prompts_are_seeded_and_of_every_kind() -> None:
    sources = Sources(PASSAGES, ["hello there"])
    first, again = (list(islice(Prompts(sources, seed=3), 300)) for _ in range(2))
    assert first == again
    assert first != list(islice(Prompts(sources, seed=4), 300))
    families = Counter(one.family for one in first)
    assert set(families) == {"chat", "code", "reasoning", "grounded", "summary"}
    made_up = [one for one in first if one.starts is not None]
    assert 50 < len(made_up) < 200
    for one in first:
        assert one.messages[-1]["role"] == "user"
        assert "{" not in one.messages[-1]["content"] or one.family == "code"
    shown = [one.messages[0]["content"] for one in first if len(one.messages) == 2]
    assert any(text.startswith(GROUNDED) and "[1] " in text for text in shown)


def test_without_sources_prompts_are_templates_and_the_teachers_own() -> None:
    families = {one.family for one in islice(Prompts(Sources(), seed=0), 200)}
    assert families == {"chat", "code", "reasoning"}


def test_templates_are_whole() -> None:
    for name, field in (
        ("forms", "{topic}"), ("code_forms", "{task}"), ("summary_forms", "{text}"),
        ("question_forms", "{question}"),
    ):  # fmt: skip
        assert all(field in one for one in lines(name))
    assert len(lines("topics")) > 50
    assert "\n" in "".join(lines("summary_forms"))


def test_the_device_asks_in_the_same_words() -> None:
    from skerry.edge.prompt import GROUNDED as DEVICE

    assert GROUNDED == DEVICE


def test_a_passage_is_cut_at_a_sentence() -> None:
    cut = PASSAGES[0].cut(12)
    assert cut.text == "A fridge is kept cold. A fridge is kept cold."
    assert PASSAGES[1].cut(12) == PASSAGES[1]


def test_a_set_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(DistillError, match="'medquad' is missing"):
        read(tmp_path)


def hidden(text: Text, value: float) -> np.ndarray[tuple[int, ...], np.dtype[np.float16]]:
    return np.full((len(text.tokens), 2, 4), value, np.float16)


def test_texts_are_added_to_and_read_back(tmp_path: Path) -> None:
    texts = [Text("chat", [1, 2, 3], 2, 0.0), Text("code", [4, 5], 1, 0.7), Text("chat", [6], 0, 0)]
    for number, text in enumerate(texts):
        writer = CorpusWriter(tmp_path)
        writer.add(text, hidden(text, number))
        writer.close()
    corpus = Corpus(tmp_path, taps=2, width=4)
    assert corpus.texts == texts
    assert corpus.tokens == 6
    assert [float(corpus.hidden(i).max()) for i in range(3)] == [0, 1, 2]
    assert corpus.hidden(0).shape == (3, 2, 4)
    assert corpus.held_out() == [0]
    assert corpus.learnt() == [1, 2]


def test_what_was_cut_off_by_a_crash_is_written_over(tmp_path: Path) -> None:
    first, second = Text("chat", [1, 2, 3], 2, 0.0), Text("chat", [4, 5], 1, 0.0)
    writer = CorpusWriter(tmp_path)
    writer.add(first, hidden(first, 1))
    writer.close()
    with (tmp_path / "hidden.f16").open("ab") as file:
        file.write(b"half of a state")
    with (tmp_path / "texts.jsonl").open("a") as file:
        file.write('{"family": "chat", "tok')
    writer = CorpusWriter(tmp_path)
    writer.add(second, hidden(second, 2))
    writer.close()
    corpus = Corpus(tmp_path, taps=2, width=4)
    assert corpus.texts == [first, second]
    assert float(corpus.hidden(1).min()) == 2


def test_states_of_other_layers_are_told_from_these(tmp_path: Path) -> None:
    text = Text("chat", [1, 2, 3] * 2_000, 2, 0.0)
    writer = CorpusWriter(tmp_path)
    writer.add(text, hidden(text, 1))
    writer.close()
    Corpus(tmp_path, taps=2, width=4).check()
    for taps, width in ((3, 4), (1, 4), (2, 8)):
        with pytest.raises(DistillError, match="does not hold"):
            Corpus(tmp_path, taps=taps, width=width).check()
    (tmp_path / "hidden.f16").unlink()
    with pytest.raises(DistillError, match="does not hold"):
        Corpus(tmp_path, taps=2, width=4).check()


def test_the_command_says_what_is_wrong(tmp_path: Path) -> None:
    from skerry.export.distill.__main__ import main

    teacher = tmp_path / "none.gguf"
    teacher.write_bytes(b"GGUF")
    given = ["write", "--teacher", str(teacher), "--work", str(tmp_path), "--data", str(tmp_path)]
    done = CliRunner().invoke(main, given)
    assert done.exit_code == 1
    assert "Traceback" not in done.output
    assert "Error" in done.output
