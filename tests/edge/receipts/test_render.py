"""A receipt as a person sees it at a terminal."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace

import pytest
from rich.console import Console

from skerry.edge.receipts import ChunkUsed, Egress, Question, Receipt, StepTiming
from skerry.edge.receipts.render import render
from skerry.edge.receipts.words import ANSWERERS, finding_lines, how_answered, verdict_words
from skerry.edge.types import Tier
from skerry.guardrails.answer import Verdict
from skerry.guardrails.findings import Finding, FindingKind, Place, Where

Make = Callable[..., Receipt]
HOSTILE = Place(9, "Notes", "hostile.md", ("Seals",))


def shown(receipt: Receipt, width: int = 100, *, terminal: bool = False) -> str:
    console = Console(file=io.StringIO(), width=width, force_terminal=terminal)
    console.print(render(receipt))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize("width", [60, 80, 120])
def test_every_line_fits(make_receipt: Make, sent: Egress, width: int) -> None:
    receipt = make_receipt(egress=(sent, sent), question=Question.of("long " * 100))
    lines = shown(receipt, width).splitlines()
    assert {len(line) for line in lines} == {width}


def test_what_stayed_says_so(make_receipt: Make) -> None:
    text = shown(make_receipt())
    assert "nothing left this device" in text
    for part in (
        "emergency trolley",
        "retrieval_question (confidence 0.91)",
        "cloud.not_needed",
        "Emergency equipment, version 4 (handbook/equipment.md)",
        "  [1]  Trolley › How often (cited)",
        "device: a model on this device",
        "personal data (email), in the question",
        "released: nothing had to be left out (answer confidence 0.83)",
        "412 prompt tokens (96 cached), 38 made",
        "first text 640 ms of 3,000 ms",
        "1,840 ms",
    ):
        assert part in text


def test_what_left_is_listed(make_receipt: Make, sent: Egress) -> None:
    text = shown(make_receipt(egress=(sent,)), 200)
    assert "nothing left" not in text
    assert (
        "question, chunks:[1,2] to https://cloud.example/v1: 2,310 bytes out, 18,442 back, "
        "2 attempts; 1 replaced (1 email); consent ask, approved"
    ) in text


def test_a_fall_back_is_told(make_receipt: Make) -> None:
    receipt = make_receipt(answered_by=Tier.RULES, model=None, fell_back="no model is loaded")
    text = " ".join(shown(receipt, 200).split())
    assert "rules: quoted from a source, without a model" in text
    assert "(in place of device: no model is loaded)" in text


def test_a_document_is_named_once_with_its_sections(make_receipt: Make) -> None:
    chunks = tuple(
        ChunkUsed(mark, "Trolley", "2", "trolley.md", mark, ("Trolley", section), mark == 2)
        for mark, section in enumerate(("Contents", "How often", "Seals"), 1)
    )
    text = shown(make_receipt(chunks=chunks))
    assert text.count("trolley.md") == 1
    assert [line.strip("│ ") for line in text.splitlines() if "[" in line] == [
        "[1]  Contents",
        "[2]  How often (cited)",
        "[3]  Seals",
    ]


def test_what_was_found_in_a_source_is_told_with_it(make_receipt: Make) -> None:
    chunk = ChunkUsed(1, "Rota", "", "rota.md", 1, ("Rota", "On call"), findings=("phone",))
    assert "[1]  On call; found in it: phone" in shown(make_receipt(chunks=(chunk,)))


def test_over_budget_is_told_in_words(make_receipt: Make) -> None:
    receipt = make_receipt(total_ms=999_999.0)
    lines = [line for line in shown(receipt).splitlines() if "(over budget)" in line]
    assert len(lines) == 1
    assert "all 1,000.0 s of 30.0 s (over budget)" in lines[0]


@pytest.mark.parametrize("where", list(Where))
@pytest.mark.parametrize("kind", list(FindingKind))
def test_a_finding_names_its_place(kind: FindingKind, where: Where) -> None:
    found = Finding(kind, "some_label", 0, 4, 1.0, where)
    (line,) = finding_lines([found, found], used=())
    assert line.startswith("2 x ")
    assert "some label" in line
    assert line.endswith(
        ("in the question", "in what was said before", "in a source", "in the draft")
    )


def test_a_finding_in_a_source_names_it(make_receipt: Make) -> None:
    place = Place(17, "Rota", "rota.md", ("Rota", "On call"))
    phone = Finding(FindingKind.PII, "phone", 0, 4, 0.9, Where.CHUNK, place=place)
    order = replace(phone, kind=FindingKind.INJECTION, label="override", place=HOSTILE)
    assert list(finding_lines([phone, order, phone], used={17})) == [
        "2 x personal data (phone), in Rota › On call (rota.md)",
        "orders to the model (override), in Notes › Seals (hostile.md), which was left out",
    ]
    text = " ".join(shown(make_receipt(findings=(order,)), 200).split())
    assert "in Notes › Seals (hostile.md), which was left out" in text


def test_a_place_cannot_pass_for_another_line() -> None:
    place = Place(1, "Notes\npersonal data", "a\nb.md")
    (line,) = finding_lines([Finding(FindingKind.PII, "phone", 0, 4, 0.9, place=place)], used=())
    assert "\n" not in line


@pytest.mark.parametrize("tier", list(Tier))
def test_every_tier_has_plain_words(make_receipt: Make, tier: Tier) -> None:
    assert how_answered(make_receipt(answered_by=tier)) == ANSWERERS[tier]


def test_every_verdict_has_plain_words() -> None:
    assert all(verdict_words(verdict).startswith(f"{verdict}: ") for verdict in Verdict)


def test_a_verdict_tells_what_happened_where_that_is_known(make_receipt: Make) -> None:
    happened = "the draft did not hold; the source is quoted instead"
    receipt = make_receipt(verdict="repaired", verdict_details=(happened,))
    text = " ".join(shown(receipt, 200).split())
    assert f"repaired: {happened}" in text
    assert "may do harm" not in text


def test_an_answer_without_model_or_source(make_receipt: Make) -> None:
    receipt = make_receipt(answered_by=Tier.DEVICE, model=None, chunks=())
    assert how_answered(receipt) == "fixed words, without a model"


def test_an_answer_that_never_was(make_receipt: Make) -> None:
    receipt = make_receipt(
        answered_by=None,
        verdict=None,
        error="cancelled by the caller",
        ttft_ms=None,
        model=None,
        usage=None,
        chunks=(),
        steps=(),
        findings=(),
    )
    text = shown(receipt)
    assert "nowhere; the route was device" in text
    assert "nothing reached the gate" in text
    assert "cancelled by the caller" in text
    assert "sources" not in text


def test_a_question_that_was_not_kept(make_receipt: Make) -> None:
    receipt = make_receipt(question=Question("ab" * 32, None))
    assert "not kept; digest abababababab" in shown(receipt)


def test_text_cannot_act_on_the_terminal(make_receipt: Make) -> None:
    question = "[red]no[/] \x1b[2J\x1b]0;title\x07 \x9b31m \u202eevil\r"
    text = shown(make_receipt(question=Question.of(question)))
    assert "[red]no[/]" in text
    assert not {"\x1b", "\x07", "\x9b", "\u202e", "\r"} & {*text}


def test_bars_are_in_proportion(make_receipt: Make) -> None:
    steps = (StepTiming("all", 80.0), StepTiming("half", 40.0), StepTiming("none", 0.0))
    lines = shown(make_receipt(steps=steps)).splitlines()
    bars = {line.split()[1]: line.count("█") for line in lines[-4:-1]}
    assert bars == {"all": 24, "half": 12, "none": 0}


def test_rich_is_loaded_only_to_render() -> None:
    heavy = "{'rich', 'pydantic', 'sqlite_utils', 'numpy', 'onnxruntime', 'llama_cpp'}"
    code = f"import sys, skerry.edge.receipts; print({heavy} & {{*sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
