"""Asking, streaming, stopping, citations, receipts and formatting in a real browser."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from skerry.edge.encoder import OnnxEncoder
from skerry.edge.types import RequestClass
from tests.edge.page.stage import Line, Stage, stage

pytestmark = pytest.mark.browser
OpenPage = Callable[..., Page]

TROLLEY = "How often is the emergency trolley checked?"
TROLLEY_ANSWER = (
    "The emergency trolley is checked every day before 09:00, ",
    "and again after each use. ",
    "The duty nurse does the check and signs the trolley log.",
)


def ask(page: Page, question: str) -> None:
    page.get_by_label("Your question").fill(question)
    page.keyboard.press("Enter")


@pytest.fixture
def trolley(house: Stage, open_page: OpenPage) -> Page:
    """The page with an answer that cites a document."""
    house.script.lines[TROLLEY] = Line(TROLLEY_ANSWER)
    page = open_page(house)
    ask(page, TROLLEY)
    expect(page.locator(".receipt")).to_be_visible()
    return page


def test_text_appears_while_the_answer_is_still_being_made(
    house: Stage, open_page: OpenPage
) -> None:
    question = "Count slowly to nine."
    pieces = tuple(f"Number {number}. " for number in range(1, 10))
    house.script.lines[question] = Line(pieces, RequestClass.REASONING, pause_s=0.2)
    page = open_page(house)
    ask(page, question)
    answer = page.locator(".answer")
    expect(answer).to_contain_text("Number 1. Number 2.")
    assert "9" not in answer.inner_text()
    expect(answer).to_have_attribute("aria-busy", "true")
    expect(answer).to_have_text("".join(pieces).strip())
    expect(answer).to_have_attribute("aria-busy", "false")


def test_stop_cancels_the_runtime_and_keeps_what_was_said(
    house: Stage, open_page: OpenPage
) -> None:
    question = "Copy the text below.\n\nTalk until you are stopped."
    house.script.lines[question] = Line(("And on. ",) * 200, RequestClass.EXTRACTION, pause_s=0.1)
    house.script.cancelled.clear()
    page = open_page(house)
    ask(page, question)
    expect(page.locator(".answer")).to_contain_text("And on.")
    page.get_by_role("button", name="Stop").click()
    expect(page.locator(".turn")).to_contain_text("Stopped. This is not the whole answer.")
    assert house.script.cancelled.wait(5)
    expect(page.get_by_role("button", name="Send")).to_be_visible()


def test_a_citation_opens_its_document_at_the_cited_place(trolley: Page) -> None:
    mark = trolley.locator(".answer").get_by_role("button", name="Source").first
    expect(mark).to_have_accessible_name("Source 1: Emergency trolley checks")
    mark.click()
    panel = trolley.get_by_role("complementary", name="Documents")
    expect(panel.get_by_role("heading", name="Emergency trolley checks")).to_be_focused()
    expect(panel.locator(".document-head")).to_contain_text("In force")
    expect(panel.locator(".document-head")).to_contain_text("version 2.0 · from 1 Mar 2025")
    cited = " ".join(panel.locator("mark").all_inner_texts())
    assert cited.startswith("How often The emergency trolley is checked every day before 09:00")
    assert "monthly" not in cited
    expect(panel.locator("#cited")).to_be_in_viewport()


def test_offsets_count_code_points_so_that_an_astral_character_shifts_nothing(
    house: Stage, open_page: OpenPage
) -> None:
    question = "Where is the password of the boathouse?"
    house.script.lines[question] = Line(("The password of the boathouse is on the noticeboard.",))
    page = open_page(house)
    ask(page, question)
    page.locator(".answer .mark").first.click()
    page.locator("#cited").wait_for()
    cited = "".join(page.locator("mark").all_inner_texts())
    assert cited.startswith("The 🪨 password")
    assert cited.endswith("nothing else.")


def test_the_receipt_tells_where_why_what_left_and_how_long(trolley: Page) -> None:
    receipt = trolley.locator(".receipt")
    expect(receipt.locator("summary")).to_contain_text("Answered on this device")
    expect(receipt.locator("summary")).to_contain_text("Nothing left this device")
    receipt.locator("summary").click()
    for text in (
        "A question about the documents (93% sure)",
        "By the model on this device",
        "the device suffices",
        "Released: every sentence passed",
        "Search the documents",
        "All together",
    ):
        expect(receipt.locator("dl")).to_contain_text(text)
    widths = receipt.locator(".time-bar").evaluate_all("bars => bars.map(bar => bar.offsetWidth)")
    assert len(widths) >= 7
    assert max(widths) > 5 * min(widths) > 0


def test_the_receipt_says_that_a_source_stands_in_place_of_the_draft(
    house: Stage, open_page: OpenPage
) -> None:
    house.script.lines[TROLLEY] = Line(("Three wise monkeys check it on Sundays.",))
    page = open_page(house)
    ask(page, TROLLEY)
    page.locator(".receipt summary").click()
    facts = page.locator(".receipt dl")
    expect(facts).to_contain_text("Repaired: the draft did not hold; the source is quoted instead")
    expect(facts).not_to_contain_text("left out")


def test_the_id_of_a_receipt_is_that_of_the_stored_one(house: Stage, trolley: Page) -> None:
    trolley.locator(".receipt summary").click()
    shown = trolley.locator(".receipt code").inner_text()
    assert house.runtime.parts.receipts.get(shown).answered_by == "device"


def test_later_questions_go_on_in_the_same_conversation(house: Stage, trolley: Page) -> None:
    ask(trolley, TROLLEY)
    expect(trolley.locator(".receipt")).to_have_count(2)
    newest = house.runtime.parts.sessions.list(1)[0]
    assert newest.turns == 4
    trolley.get_by_role("button", name="New conversation").click()
    expect(trolley.locator(".turn")).to_have_count(0)
    ask(trolley, TROLLEY)
    expect(trolley.locator(".receipt")).to_have_count(1)
    assert house.runtime.parts.sessions.list(1)[0].id != newest.id


def test_lists_tables_and_code_are_elements(house: Stage, open_page: OpenPage) -> None:
    question = "Show me every shape of text."
    text = (
        "## Steps\n\n3. third\n4. **fourth**\n\n- bullet with `code`\n\n"
        "| a | b |\n|---|---|\n| 1 | 2 |\n\n```python\nx = [1]\n```\nand [9] stays text"
    )
    house.script.lines[question] = Line((text,), RequestClass.REASONING)
    page = open_page(house)
    ask(page, question)
    answer = page.locator(".answer")
    expect(answer.locator("h3")).to_have_text("Steps")
    expect(answer.locator("ol")).to_have_attribute("start", "3")
    expect(answer.locator("ol strong")).to_have_text("fourth")
    expect(answer.locator("ul code")).to_have_text("code")
    assert answer.locator("th").all_inner_texts() == ["a", "b"]
    assert answer.locator("td").all_inner_texts() == ["1", "2"]
    expect(answer.locator("pre")).to_have_text("x = [1]")
    expect(answer.locator("p")).to_have_text("and [9] stays text")
    expect(answer.locator(".mark")).to_have_count(0)


def test_copying_gives_the_answer_and_its_sources(house: Stage, open_page: OpenPage) -> None:
    house.script.lines[TROLLEY] = Line(TROLLEY_ANSWER)
    page = open_page(house, permissions=["clipboard-read", "clipboard-write"])
    ask(page, TROLLEY)
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("The emergency trolley is checked every day")
    assert copied.endswith("[1] Emergency trolley checks, version 2.0")


def test_a_question_that_needs_a_person_says_so(house: Stage, open_page: OpenPage) -> None:
    question = "A patient has crushing chest pain. What do I do?"
    house.script.lines[question] = Line((), RequestClass.SAFETY)
    page = open_page(house)
    ask(page, question)
    expect(page.locator(".receipt summary")).to_contain_text("Needs a person")
    expect(page.locator(".answer")).to_contain_text("This needs a person, not a language model.")


def test_without_documents_it_is_said_before_the_answer(
    tmp_path: Path, encoder: OnnxEncoder, open_page: OpenPage
) -> None:
    with stage(tmp_path, [], encoder, offline=True) as running:
        running.script.lines[TROLLEY] = Line(("Every day, I guess.",))
        page = open_page(running)
        ask(page, TROLLEY)
        turn = page.locator(".turn")
        expect(turn).to_contain_text("There are no documents yet: skerry index add FOLDER takes")
        expect(turn).to_contain_text("a model's own words, and unchecked")
        said = turn.inner_text()
        assert said.index("There are no documents yet") < said.index("Every day, I guess.")
