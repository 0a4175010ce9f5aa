"""What the page must never do, and what it asks before anything leaves the device."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import pytest
from playwright.sync_api import Page, expect

from skerry.edge.encoder import OnnxEncoder
from skerry.edge.types import RequestClass
from tests.edge.page.stage import HOSTILE, KEY, Cloud, Line, Stage, cloud, stage

pytestmark = pytest.mark.browser
OpenPage = Callable[..., Page]

HARD = "Compare the two checks, step by step, and conclude."
SECRET = "Write to jo@example.org. Which of the two comes first?"
PAGE = Path(__file__).parents[3] / "edge" / "page"


def ask(page: Page, question: str) -> None:
    page.get_by_label("Your question").fill(question)
    page.keyboard.press("Enter")


@pytest.fixture(scope="module")
def far() -> Iterator[Cloud]:
    with cloud("The cloud says: the daily check comes first.") as running:
        yield running


@pytest.fixture(scope="module")
def reaching(
    tmp_path_factory: pytest.TempPathFactory, encoder: OnnxEncoder, far: Cloud
) -> Iterator[Stage]:
    """A server without documents, whose policy may ask a cloud once a person approves."""
    folder = tmp_path_factory.mktemp("reaching")
    with stage(folder, [], encoder, cloud_url=far.url, cloud_model="big") as running:
        for question in (HARD, SECRET):
            running.script.lines[question] = Line(("Here, on the device.",), RequestClass.REASONING)
        yield running


def test_approving_sends_exactly_what_was_shown(
    reaching: Stage, far: Cloud, open_page: OpenPage
) -> None:
    far.bodies.clear()
    page = open_page(reaching)
    ask(page, HARD)
    dialog = page.get_by_role("dialog", name="May this leave the device?")
    expect(dialog).to_contain_text("Nothing has been sent yet.")
    expect(dialog).to_contain_text(f"{far.url.split('/')[2]}")
    expect(page.get_by_role("button", name="Keep it here")).to_be_focused()
    shown = dialog.locator(".message p").all_inner_texts()
    assert not far.bodies
    page.get_by_role("button", name="Send it").click()
    expect(page.locator(".answer")).to_contain_text("The cloud says")
    assert [message["content"] for message in far.bodies[0]["messages"]] == shown
    assert len(far.bodies) == 1
    page.locator(".receipt summary").click()
    expect(page.locator(".receipt dl")).to_contain_text("you approved it")
    expect(page.locator(".receipt summary")).not_to_contain_text("Nothing left this device")


@pytest.mark.parametrize("how", ["button", "escape"])
def test_declining_keeps_everything_here(
    reaching: Stage, far: Cloud, open_page: OpenPage, how: str
) -> None:
    far.bodies.clear()
    page = open_page(reaching)
    ask(page, HARD)
    keep = page.get_by_role("button", name="Keep it here")
    expect(keep).to_be_focused()
    if how == "button":
        keep.click()
    else:
        page.keyboard.press("Escape")
    expect(page.locator(".answer")).to_contain_text("Here, on the device.")
    expect(page.locator(".receipt summary")).to_contain_text("Nothing left this device")
    assert not far.bodies


def test_the_dialog_keeps_the_focus_and_shows_replaced_identifiers(
    reaching: Stage, far: Cloud, open_page: OpenPage
) -> None:
    far.bodies.clear()
    page = open_page(reaching)
    ask(page, SECRET)
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    for _ in range(6):
        page.keyboard.press("Tab")
        assert page.evaluate("!document.activeElement.closest('.room, .panel')")
    expect(dialog).to_contain_text("1 identifier was replaced.")
    assert "jo@example.org" not in dialog.inner_text()
    expect(dialog.locator(".message").last).to_contain_text("Which of the two comes first?")
    page.keyboard.press("Escape")
    expect(page.get_by_label("Your question")).to_be_focused()
    assert not far.bodies


def test_the_offline_switch_keeps_questions_off_the_network(
    reaching: Stage, far: Cloud, open_page: OpenPage
) -> None:
    far.bodies.clear()
    page = open_page(reaching)
    expect(page.locator("#promise")).to_have_text(
        "Before anything leaves this device, you see it and decide."
    )
    switch = page.get_by_role("switch", name="Offline")
    expect(switch).not_to_be_checked()
    switch.click()
    expect(switch).to_be_checked()
    expect(page.locator("#promise")).to_have_text("Offline: everything stays on this device.")
    with page.expect_request("**/api/ask") as asked:
        ask(page, HARD)
    assert asked.value.post_data_json["offline"] is True
    expect(page.locator(".answer")).to_contain_text("Here, on the device.")
    page.reload()
    expect(page.get_by_role("switch", name="Offline")).to_be_checked()
    assert not far.bodies


def test_a_runtime_that_is_offline_holds_the_switch(
    tmp_path: Path, encoder: OnnxEncoder, open_page: OpenPage
) -> None:
    with stage(tmp_path, [], encoder, offline=True) as running:
        page = open_page(running)
        switch = page.get_by_role("switch", name="Offline")
        expect(switch).to_be_checked()
        expect(switch).to_have_attribute("aria-disabled", "true")
        switch.click(force=True)
        expect(switch).to_be_checked()
        expect(page.locator("#promise")).to_contain_text("The runtime is offline")
        expect(page.locator("#holdings")).to_contain_text("There are no documents yet")


def test_hostile_titles_documents_and_answers_stay_text(house: Stage, open_page: OpenPage) -> None:
    question = "Copy the text below.\n\nThe noticeboard of the boathouse."
    house.script.lines[question] = Line((HOSTILE, "\n\n- ", HOSTILE), RequestClass.EXTRACTION)
    page = open_page(house)
    ask(page, question)
    expect(page.locator(".answer p")).to_have_text(HOSTILE)
    page.get_by_role("button", name="All documents").or_(
        page.locator(".document-title", has_text="<img")
    ).first.click()
    expect(page.locator("#panel-title")).to_contain_text("<img src=x")
    expect(page.locator(".sheet")).to_contain_text("onerror")
    assert (
        page.locator(".panel img, .panel script, .conversation img, .conversation script").count()
        == 0
    )
    ask(page, HOSTILE)
    expect(page.locator(".question").last).to_have_text(HOSTILE)
    assert page.title() == "Skerry"


def test_the_code_never_parses_html_or_makes_code_of_text() -> None:
    forbidden = re.compile(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|DOMParser"
    )
    scripts = sorted(PAGE.glob("*.js"))
    assert len(scripts) > 10
    assert [script.name for script in scripts if forbidden.search(script.read_text())] == []


def test_the_page_names_no_other_origin_and_holds_no_inline_code() -> None:
    for file in PAGE.iterdir():
        text = file.read_text(encoding="utf-8")
        outside = set(re.findall(r"https?://[^\s\"')]+", text))
        assert outside <= {
            "http://www.w3.org/2000/svg",
            "https://html.spec.whatwg.org/multipage/server-sent-events.html",
        }, file.name
    html = (PAGE / "index.html").read_text(encoding="utf-8")
    assert not re.search(r"\son\w+=|\sstyle=|<style|<script(?![^>]*\ssrc=)", html)


def test_the_server_sends_a_policy_under_which_the_page_works(house: Stage) -> None:
    policy = httpx2.get(house.url).headers["content-security-policy"]
    for part in (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
    ):
        assert part in policy
    assert "unsafe" not in policy


def test_the_key_leaves_the_address_and_stays_in_the_tab(house: Stage, open_page: OpenPage) -> None:
    page = open_page(house)
    expect(page.locator("#state")).to_contain_text("profile")
    assert page.url == f"{house.url}/"
    kept = page.evaluate("JSON.stringify([Object.entries(localStorage), document.cookie])")
    assert KEY not in kept
    page.reload()
    expect(page.locator("#state")).to_contain_text("profile")


def test_a_missing_or_wrong_key_is_asked_for_once(house: Stage, open_page: OpenPage) -> None:
    page = open_page(house, address=f"{house.url}/")
    dialog = page.get_by_role("dialog", name="This server asks for its key")
    expect(dialog).to_contain_text("Open the address that skerry serve printed")
    expect(page.get_by_label("Key", exact=True)).to_be_focused()
    page.keyboard.type("sk-wrong-0123456789")
    page.keyboard.press("Enter")
    expect(dialog).to_contain_text("That key is not this server's")
    page.keyboard.type(KEY)
    page.keyboard.press("Enter")
    expect(dialog).to_be_hidden()
    expect(page.locator(".document")).to_have_count(11)


def test_without_a_key_the_page_says_so_and_offers_another_try(
    house: Stage, open_page: OpenPage
) -> None:
    page = open_page(house, address=f"{house.url}/")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#panel-body")).to_contain_text("without the key of this server")
    expect(page.locator("dialog[open]")).to_have_count(0)
    page.get_by_role("button", name="Try again").click()
    expect(dialog).to_be_visible()
