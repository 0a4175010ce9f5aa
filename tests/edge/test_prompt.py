"""What goes into a prompt, in which order, and what stays out."""

from __future__ import annotations

import pytest

from skerry.edge.engines.base import Message
from skerry.edge.index import Chunk, Hit, Kind
from skerry.edge.prompt import GROUNDED, OPEN, Prompt, PromptBudget, assemble

LONGEST = 40


def hit(number: int, text: str = "The trolley is checked daily.", **more: object) -> Hit:
    facts: dict[str, object] = {
        "heading": (f"Handbook {number}", "Trolley"),
        "title": f"Handbook {number}",
        "version": "2.1",
        "valid_from": 86_400.0,
    }
    chunk = Chunk(
        id=number,
        document_id=number,
        text=text,
        start=0,
        end=len(text),
        source=f"{number}.md",
        kind=Kind.ANCHORED,
        expires_at=None,
        superseded_at=None,
        **{**facts, **more},
    )
    return Hit(chunk, 1 - number / 10, 0.5, None)


def prompt(*hits: Hit, sources: int = 1_000, history: tuple[Message, ...] = ()) -> Prompt:
    return assemble(
        "How often?",
        hits,
        history,
        budget=PromptBudget(2_000, sources, 200),
        count_tokens=lambda text: len(text.split()),
        longest_chunk=LONGEST,
    )


def system(made: Prompt) -> str:
    return str(made.messages[0]["content"])


def test_a_source_has_its_provenance_before_it() -> None:
    text = system(prompt(hit(1)))
    assert text.startswith(GROUNDED)
    assert text.endswith(
        "[1] Handbook 1 › Trolley (version 2.1, 1970-01-02)\nThe trolley is checked daily."
    )


def test_without_sources_the_prompt_is_open() -> None:
    assert system(prompt()) == OPEN


def test_the_best_come_first_and_last() -> None:
    text = system(prompt(*(hit(number) for number in range(1, 5))))
    places = [text.index(f"[{mark}]") for mark in (1, 3, 4, 2)]
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("budget", "kept"),
    [(1_000, [1, 2, 3]), (70, [1, 3]), (30, [1]), (5, [])],
    ids=["all", "the long one is left out", "one", "none"],
)
def test_sources_that_do_not_fit_are_left_out(budget: int, kept: list[int]) -> None:
    hits = [hit(1), hit(2, "word " * LONGEST), hit(3)]
    made = prompt(*hits, sources=budget)
    assert [source.chunk.id for source in made.sources] == kept
    assert [source.mark for source in made.sources] == list(range(1, len(kept) + 1))


def test_a_source_knows_how_well_it_was_found() -> None:
    (source,) = prompt(hit(3)).sources
    assert (source.score, source.similarity) == (0.7, 0.5)


def test_a_summary_joins_the_one_system_message() -> None:
    turns: tuple[Message, ...] = (
        {"role": "system", "content": "Earlier: the fridge."},
        {"role": "user", "content": "And the pump?"},
    )
    made = prompt(hit(1), history=turns)
    assert [turn["role"] for turn in made.messages] == ["system", "user", "user"]
    assert "Earlier: the fridge." in system(made)


def test_the_budget_divides_what_the_answer_leaves() -> None:
    assert PromptBudget.of(4096, 256) == PromptBudget(3776, 2265, 755)
    assert PromptBudget.of(100, 256).total == 128


def test_a_source_that_the_model_must_spell_out_is_counted_by_its_bytes() -> None:
    drawing = "=" * 900
    assert not prompt(hit(1, drawing), sources=500).sources
    assert len(prompt(hit(1, drawing), hit(2), sources=1_500).sources) == 2
