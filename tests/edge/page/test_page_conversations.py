"""A conversation outlives a reload and the tab; earlier ones are found, gone on in, and deleted."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from skerry.edge.encoder import OnnxEncoder
from skerry.edge.index.types import Metadata
from skerry.edge.types import RequestClass
from tests.edge.page.conftest import HANDBOOK
from tests.edge.page.stage import HOSTILE, Line, Stage, stage
from tests.edge.page.test_page_use import CONTRAST, NAMELESS, NARROW, TROLLEY, ask
from tests.edge.server.test_chat import wait

pytestmark = pytest.mark.browser
OpenPage = Callable[..., Page]
ANSWER = ("The emergency trolley is checked every day before 09:00, and again after each use. ",)
SECOND = "And who does it?"


@pytest.fixture
def home(tmp_path: Path, encoder: OnnxEncoder) -> Iterator[Stage]:
    """A server of a test's own: what it keeps is nobody else's."""
    with stage(tmp_path, [HANDBOOK], encoder) as running:
        write(running)
        yield running


def write(running: Stage) -> None:
    running.script.lines[TROLLEY] = Line(ANSWER)
    running.script.lines[SECOND] = Line(("The duty nurse does the check.",))


def answered(page: Page, *questions: str) -> Page:
    """The page, once every one of the questions has its receipt."""
    for question in questions:
        before = page.locator(".receipt").count()
        ask(page, question)
        expect(page.locator(".receipt")).to_have_count(before + 1)
    return page


def shown(page: Page) -> list[str]:
    return page.locator(".turn").all_inner_texts()


def test_a_reload_changes_nothing_of_what_is_shown(home: Stage, open_page: OpenPage) -> None:
    page = answered(open_page(home), TROLLEY, SECOND)
    before = shown(page)
    page.reload()
    expect(page.locator(".receipt")).to_have_count(2)
    expect(page.locator("#welcome")).to_be_hidden()
    assert shown(page) == before
    expect(page.get_by_label("Your question")).to_be_focused()
    page.locator(".receipt summary").first.click()
    expect(page.locator(".receipt dl").first).to_contain_text("Released: every sentence passed")
    page.locator(".answer .mark").first.click()
    expect(page.locator("#panel-title")).to_have_text("Emergency trolley checks")
    expect(page.locator("#cited")).to_be_in_viewport()


def test_after_a_reload_one_goes_on_in_the_same_conversation(
    home: Stage, open_page: OpenPage
) -> None:
    page = answered(open_page(home), TROLLEY)
    page.reload()
    expect(page.locator(".receipt")).to_have_count(1)
    answered(page, SECOND)
    (session,) = home.runtime.parts.sessions.list()
    assert session.turns == 4


def test_a_question_that_is_asked_at_once_waits_for_what_was_said(
    home: Stage, open_page: OpenPage
) -> None:
    page = answered(open_page(home), TROLLEY)
    page.route("**/api/sessions/*", lambda route: (page.wait_for_timeout(500), route.continue_()))
    page.reload()
    ask(page, SECOND)
    expect(page.locator(".turn")).to_have_count(2)
    expect(page.locator(".receipt")).to_have_count(2)
    assert [one.split("?")[0] for one in shown(page)] == [
        "How often is the emergency trolley checked", "And who does it",
    ]  # fmt: skip


def test_the_tab_is_closed_and_another_opened(home: Stage, open_page: OpenPage) -> None:
    """The browser knows which conversation it was; the key it has to be given again."""
    page = answered(open_page(home), TROLLEY)
    said = shown(page)
    page.close()
    again = page.context.new_page()
    again.goto(home.entrance)
    expect(again.locator(".receipt")).to_have_count(1)
    assert shown(again) == said
    kept = again.evaluate("JSON.stringify(Object.entries(localStorage))")
    assert len(json.loads(kept)) == 1
    assert "trolley" not in kept


def test_what_was_stopped_half_way_is_still_said_to_be(home: Stage, open_page: OpenPage) -> None:
    home.script.lines["Talk."] = Line(("and on ",) * 200, RequestClass.REASONING, pause_s=0.05)
    page = open_page(home)
    ask(page, "Talk.")
    expect(page.locator(".answer")).to_contain_text("and on")
    page.keyboard.press("Escape")
    expect(page.locator(".status")).to_contain_text("Stopped.")
    assert home.script.cancelled.wait(5)
    wait(lambda: len(home.runtime.parts.sessions.openings()) == 1)
    page.reload()
    expect(page.locator(".status")).to_have_text("Stopped. This is not the whole answer.")
    expect(page.locator(".answer")).to_contain_text("and on")


def test_two_tabs_are_two_places(home: Stage, open_page: OpenPage) -> None:
    one = answered(open_page(home), TROLLEY)
    other = one.context.new_page()
    other.goto(home.entrance)
    expect(other.locator(".receipt")).to_have_count(1)
    other.get_by_role("button", name="New conversation").click()
    answered(other, SECOND)
    one.reload()
    expect(one.locator(".question")).to_have_text(TROLLEY)
    other.reload()
    expect(other.locator(".question")).to_have_text(SECOND)


def test_new_stays_new_after_a_reload(home: Stage, open_page: OpenPage) -> None:
    page = answered(open_page(home), TROLLEY)
    page.get_by_role("button", name="New conversation").click()
    page.reload()
    expect(page.locator("#welcome")).to_be_visible()
    expect(page.locator(".turn")).to_have_count(0)


def test_an_earlier_conversation_is_found_with_the_keyboard(
    home: Stage, open_page: OpenPage
) -> None:
    page = answered(open_page(home), TROLLEY)
    page.get_by_role("button", name="New conversation").click()
    answered(page, SECOND)
    page.get_by_role("button", name="New conversation").click()
    region = page.get_by_role("region", name="Earlier conversations")
    expect(region.get_by_role("listitem")).to_have_count(2)
    expect(region.locator(".opening").first).to_have_text(SECOND)
    expect(region.locator(".facts").first).to_contain_text("today, ")
    expect(region.locator(".facts").first).to_contain_text("1 question")
    page.get_by_label("Your question").focus()
    for _ in range(2):
        page.keyboard.press("Shift+Tab")
    expect(region.get_by_role("button", name=TROLLEY).first).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".question")).to_have_text(TROLLEY)
    expect(page.get_by_label("Your question")).to_be_focused()
    expect(page.locator("#announcer")).to_contain_text("This conversation goes on; 1 question")
    page.reload()
    expect(page.locator(".question")).to_have_text(TROLLEY)


@pytest.mark.parametrize("how", ["button", "escape"])
def test_deleting_is_asked_about_and_can_be_left(
    home: Stage, open_page: OpenPage, how: str
) -> None:
    page = answered(open_page(home), TROLLEY)
    page.get_by_role("button", name="New conversation").click()
    page.get_by_role("button", name=f"Delete: {TROLLEY}").click()
    dialog = page.get_by_role("dialog", name="Delete this conversation?")
    expect(dialog).to_contain_text(TROLLEY)
    expect(page.get_by_role("button", name="Keep it")).to_be_focused()
    if how == "button":
        page.keyboard.press("Enter")
    else:
        page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(page.get_by_role("button", name=f"Delete: {TROLLEY}")).to_be_focused()
    assert len(home.runtime.parts.sessions.list()) == 1


def test_deleting_one_leaves_the_others(home: Stage, open_page: OpenPage) -> None:
    page = answered(open_page(home), TROLLEY)
    page.get_by_role("button", name="New conversation").click()
    answered(page, SECOND)
    page.get_by_role("button", name="New conversation").click()
    page.get_by_role("button", name=f"Delete: {SECOND}").click()
    page.get_by_role("button", name="Delete it").click()
    entry = page.locator(".conversation-entry")
    expect(entry).to_have_count(1)
    expect(entry).to_be_focused()
    expect(page.locator("#announcer")).to_contain_text("Deleted")
    (left,) = home.runtime.parts.sessions.openings()
    assert left.words == TROLLEY
    page.get_by_role("button", name=f"Delete: {TROLLEY}").click()
    page.get_by_role("button", name="Delete it").click()
    expect(page.locator("#earlier")).to_be_hidden()
    expect(page.get_by_label("Your question")).to_be_focused()


def test_a_few_are_shown_and_more_on_demand(home: Stage, open_page: OpenPage) -> None:
    sessions = home.runtime.parts.sessions
    for number in range(8):
        session = sessions.create().id
        sessions.append(session, "user", f"Question {number}?")
        sessions.append(session, "assistant", "Yes.", receipt_id="gone")
    page = open_page(home)
    expect(page.locator(".conversation-entry")).to_have_count(5)
    page.get_by_role("button", name="Show more").click()
    expect(page.locator(".conversation-entry")).to_have_count(8)
    expect(page.locator(".conversation-entry").nth(5)).to_be_focused()
    expect(page.get_by_role("button", name="Show more")).to_be_hidden()
    page.locator(".conversation-entry").last.click()
    expect(page.locator(".after")).to_contain_text("The receipt of this answer is no longer kept.")


def test_a_conversation_that_is_gone_is_said_to_be(home: Stage, open_page: OpenPage) -> None:
    page = answered(open_page(home), TROLLEY)
    home.runtime.parts.sessions.purge(0)
    page.reload()
    expect(page.locator("#lost")).to_contain_text("is no longer kept on this device")
    expect(page.locator("#announcer")).to_contain_text("is no longer kept")
    answered(page, TROLLEY)
    expect(page.locator(".turn")).to_have_count(1)


def test_what_the_server_does_not_keep_is_said_not_to_be_stored(
    tmp_path: Path, encoder: OnnxEncoder, open_page: OpenPage
) -> None:
    with stage(tmp_path, [HANDBOOK], encoder, store_conversations=False) as running:
        write(running)
        page = open_page(running)
        expect(page.locator("#not-stored")).to_contain_text("they end when the server stops")
        answered(page, TROLLEY)
        page.reload()
        expect(page.locator(".receipt")).to_have_count(1)
        expect(page.locator("#promise")).to_contain_text("Conversations are not stored.")
    with sqlite3.connect(tmp_path / "state.sqlite") as file:
        tables = {name for (name,) in file.execute("SELECT name FROM sqlite_schema")}
    assert "session_turns" not in tables


def test_a_long_conversation_is_read_from_its_end(home: Stage, open_page: OpenPage) -> None:
    sessions = home.runtime.parts.sessions
    session = sessions.create().id
    for number in range(90):
        sessions.append(session, "user", f"Question {number}?")
        sessions.append(session, "assistant", f"Answer {number}.", receipt_id="gone")
    page = open_page(home)
    page.locator(".conversation-entry").click()
    expect(page.locator(".turn")).to_have_count(50)
    expect(page.locator(".question").last).to_be_in_viewport()
    back = page.get_by_role("button", name="Show what was said before")
    back.scroll_into_view_if_needed()
    first = page.get_by_role("heading", name="Question 40?")
    back.press("Enter")
    expect(page.locator(".turn")).to_have_count(90)
    expect(first).to_be_in_viewport()
    expect(back).to_be_hidden()


def test_sources_say_what_became_of_them_since(
    tmp_path: Path, encoder: OnnxEncoder, open_page: OpenPage
) -> None:
    source = tmp_path / "boat.md"
    source.write_text("# Boathouse\n\nThe boathouse is painted red.\n")
    question = "Which colour is the boathouse painted?"
    with stage(tmp_path / "home", [source], encoder) as running:
        running.script.lines[question] = Line(("The boathouse is painted red.",))
        page = answered(open_page(running), question)
        expect(page.locator(".source")).to_have_text("1Boathouse")
        source.write_text("# Boathouse\n\nThe boathouse is painted blue.\n")
        running.runtime.index.add([source], metadata=Metadata(version="2"))
        page.reload()
        expect(page.locator(".source .badge")).to_have_text("Superseded")
        page.locator(".answer .mark").click()
        expect(page.locator(".sheet")).to_contain_text("painted red")
        expect(page.locator("#cited")).to_be_in_viewport()
        running.runtime.index.remove(str(source))
        page.reload()
        expect(page.locator(".source .badge")).to_have_text("No longer here")
        expect(page.locator(".answer")).to_have_text("The boathouse is painted red [1].")
        expect(page.locator(".answer .mark, button.source")).to_have_count(0)
        assert page.evaluate(CONTRAST) == []


def test_answers_go_to_their_questions_whatever_came_between(
    home: Stage, open_page: OpenPage
) -> None:
    """Two tabs asked at once, and a person added something later."""
    sessions, runtime = home.runtime.parts.sessions, home.runtime
    first, second = (runtime.ask(question).receipt.id for question in (TROLLEY, SECOND))
    session = sessions.create().id
    for question in (TROLLEY, SECOND):
        sessions.append(session, "user", question)
    sessions.append(session, "assistant", "The second.", second)
    sessions.append(session, "assistant", "The first.", first)
    sessions.append(session, "assistant", "Dr Lee: The first, by a person.", first)
    page = open_page(home)
    page.locator(".conversation-entry").first.click()
    turns = page.locator(".turn")
    expect(turns).to_have_count(2)
    expect(turns.nth(0).locator(".answer").first).to_have_text("The first.")
    expect(turns.nth(0).locator(".addition")).to_contain_text("Dr Lee: The first, by a person.")
    expect(turns.nth(0).locator(".addition")).to_contain_text("Added today, ")
    expect(turns.nth(1).locator(".answer")).to_have_text("The second.")
    assert page.evaluate(CONTRAST) == []


def test_hostile_text_stays_text_when_it_comes_back(home: Stage, open_page: OpenPage) -> None:
    home.script.lines[HOSTILE] = Line((HOSTILE,), RequestClass.REASONING)
    page = answered(open_page(home), HOSTILE)
    page.reload()
    expect(page.locator(".question")).to_have_text(HOSTILE)
    expect(page.locator(".answer")).to_have_text(HOSTILE)
    page.get_by_role("button", name="New conversation").click()
    expect(page.locator(".opening").first).to_have_text(HOSTILE)
    page.get_by_role("button", name="Delete:").click()
    expect(page.locator("#forget-what")).to_contain_text("<img src=x")
    assert page.locator("main img, main script, dialog img").count() == 0
    assert page.title() == "Skerry"


def test_what_goes_wrong_is_said_where_it_is_seen(home: Stage, open_page: OpenPage) -> None:
    page = answered(open_page(home, viewport=NARROW), TROLLEY)

    def broken(route: Route) -> None:
        error = {"message": "the state file is locked. try again.", "code": "state_locked"}
        route.fulfill(status=503, json={"error": error})

    page.route("**/api/sessions**", broken)
    page.route("**/api/sessions/*", broken)
    page.reload()
    expect(page.locator("#trouble")).to_contain_text("the state file is locked")
    page.unroute("**/api/sessions**")
    page.unroute("**/api/sessions/*")
    page.locator("#trouble").get_by_role("button", name="Try again").click()
    expect(page.locator(".receipt")).to_have_count(1)
    expect(page.locator("#trouble")).to_be_empty()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_list_is_readable_named_and_narrow(
    home: Stage, open_page: OpenPage, scheme: str
) -> None:
    long = f"{TROLLEY} {'And how often is it checked otherwise? ' * 8}"
    home.script.lines[long] = Line(ANSWER)
    page = answered(open_page(home, viewport=NARROW, color_scheme=scheme), long)
    page.get_by_role("button", name="New conversation").click()
    expect(page.locator(".conversation-entry")).to_be_visible()
    assert page.evaluate("document.getElementById('scroller').scrollWidth") <= 360
    assert page.evaluate(CONTRAST) == []
    assert page.evaluate(NAMELESS) == []
    page.get_by_role("button", name="Delete:").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    assert page.evaluate(CONTRAST) == []
