"""The count of tokens before a model is at hand, beside the default model's own."""

from __future__ import annotations

import base64
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from skerry.edge import model_tokens
from skerry.edge.encoder import OnnxEncoder
from skerry.edge.engines.base import Engine, EngineOptions
from skerry.edge.engines.llama import load_llama
from skerry.edge.engines.models import catalogue

ROOT = Path(__file__).parents[2]
DRAW = random.Random(7)
SLACK = 1.5  # what PromptBudget leaves: sources and history take eight tenths of the room


@dataclass(frozen=True)
class Case:
    name: str
    text: str


def _letters(count: int) -> str:
    return "".join(DRAW.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(count))


CASES = (
    Case("english", (ROOT / "edge/demo/handbook/vaccine-fridge.md").read_text()),
    Case("code", (ROOT / "edge/runtime.py").read_text()),
    Case("one endless word", _letters(2_000)),
    Case("words of nonsense", " ".join(_letters(12) for _ in range(150))),
    Case("base64", base64.b64encode(DRAW.randbytes(1_500)).decode()),
    Case("hexadecimal", DRAW.randbytes(1_000).hex()),
    Case("numbers", " ".join(str(DRAW.randrange(10**9)) for _ in range(100))),
    Case("chinese", "这是一个测试文档。冰箱每天检查两次。" * 30),
    Case("arabic", "يتم فحص الثلاجة كل يوم " * 30),
    Case("german", "Größere Mängel der Kühlschränke werden täglich gemeldet. " * 20),
    Case("capitals", "THE TROLLEY IS CHECKED EVERY DAY BEFORE NINE. " * 10),
    Case("emoji", "😀👍" * 100),
    Case("table", "| a | 1.5 |\n" * 100),
)


@pytest.fixture(scope="module")
def smollm2() -> Iterator[Engine]:
    engine = load_llama(catalogue(Path("none")).find("smollm2").path, EngineOptions(512))
    yield engine
    engine.close()


@pytest.mark.model
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_model_needs_no_more_than_is_reckoned_with(
    case: Case, encoder: OnnxEncoder, smollm2: Engine
) -> None:
    counted = model_tokens.at_most(encoder.count_tokens)(case.text)
    assert len(smollm2.tokenize(case.text)) <= SLACK * counted


def test_plain_words_cost_what_wordpieces_say() -> None:
    assert model_tokens.spelled_out("The trolley is checked daily by the nurse.") == 0


def test_lone_surrogates_are_counted() -> None:
    assert model_tokens.spelled_out("\ud800") == 1
