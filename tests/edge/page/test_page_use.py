"""Documents, faults, the keyboard, screen readers and small or dark screens."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from skerry.edge.types import RequestClass
from tests.edge.page.stage import Line, Stage

pytestmark = pytest.mark.browser
OpenPage = Callable[..., Page]

TROLLEY = "How often is the emergency trolley checked?"
NARROW = {"width": 360, "height": 740}
WIDE = {"width": 1280, "height": 800}

REGIONS: tuple[tuple[Any, str | None], ...] = (
    ("banner", None),
    ("main", None),
    ("article", None),
    ("complementary", "Documents"),
    ("region", "Conversation"),
    ("form", "Ask a question"),
    ("heading", "Skerry"),
    ("switch", "Offline"),
    ("list", "Sources"),
    ("log", "What happens"),
)

# Contrast by WCAG 2.2, 1.4.3, of every text against the nearest painted background.
CONTRAST = """() => {
  const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const rgb = (colour) => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = ([r, g, b]) => [r, g, b]
    .map((v) => v / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = (node) => {
    for (let at = node; at; at = at.parentElement) {
      const colour = rgb(getComputedStyle(at).backgroundColor);
      if (colour[3] === 255) return colour;
    }
    return [255, 255, 255];
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const low = [];
  while (walker.nextNode()) {
    const node = walker.currentNode.parentElement;
    const text = walker.currentNode.data.trim();
    if (!text || !node.checkVisibility() || node.closest(":disabled, .unseen, .skip")) continue;
    const both = [light(rgb(getComputedStyle(node).color)), light(ground(node))];
    const ratio = (Math.max(...both) + 0.05) / (Math.min(...both) + 0.05);
    if (ratio < 4.5) low.push(`${ratio.toFixed(2)} ${text.slice(0, 40)}`);
  }
  return low;
}"""

# Everything that can be operated or read as a region has a name, and every id is there once.
NAMELESS = """() => {
  const ids = [...document.querySelectorAll("[id]")].map((one) => one.id);
  const double = ids.filter((id, at) => ids.indexOf(id) !== at);
  const named = (one) => one.textContent.trim() || one.ariaLabel || one.labels?.length
    || one.getAttribute("aria-labelledby");
  const nameless = [...document.querySelectorAll("button, input, textarea, a, [role]")]
    .filter((one) => one.checkVisibility() && !named(one))
    .map((one) => one.outerHTML.slice(0, 80));
  return [...double, ...nameless];
}"""


def ask(page: Page, question: str) -> None:
    page.get_by_label("Your question").fill(question)
    page.keyboard.press("Enter")


@pytest.fixture(autouse=True)
def script(house: Stage) -> None:
    house.script.lines[TROLLEY] = Line(
        (
            "The emergency trolley is checked every day before 09:00, and again after each use. ",
            "The duty nurse does the check and signs the trolley log.",
        )
    )


def test_documents_show_what_no_longer_counts(house: Stage, open_page: OpenPage) -> None:
    page = open_page(house)
    panel = page.get_by_role("complementary", name="Documents")
    expect(panel.locator(".document")).to_have_count(11)
    old = panel.locator(".document.superseded")
    expect(old).to_contain_text("Emergency trolley checks")
    expect(old.locator(".badge")).to_have_text("Superseded")
    expect(panel.locator(".document.expired")).to_contain_text("Notice: the lift is out of service")
    expect(panel.locator(".document.expired .badge")).to_have_text("Expired")
    expect(page.locator("#holdings")).to_have_text(
        "11 documents: 9 in force, 1 expired, 1 superseded."
    )
    old.click()
    expect(panel).to_contain_text("A newer version has replaced this one. Answers do not use it.")
    expect(panel).to_contain_text("from 1 Feb 2023 to 1 Mar 2025")
    expect(panel.locator("td").first).to_have_text("Drawer")
    panel.get_by_role("button", name="All documents").click()
    expect(panel.locator(".document")).to_have_count(11)


def test_a_refused_question_shows_why_and_can_be_retried(house: Stage, open_page: OpenPage) -> None:
    page = open_page(house)
    ask(page, "nul \x00 byte")
    fault = page.get_by_role("alert")
    expect(fault).to_contain_text("the question contains a NUL byte. remove it.")
    expect(page.get_by_role("button", name="Send")).to_be_visible()
    with page.expect_request("**/api/ask"):
        fault.get_by_role("button", name="Try again").click()


def test_an_answer_that_breaks_off_says_so_and_retries_in_place(
    house: Stage, open_page: OpenPage
) -> None:
    page = open_page(house)
    page.route("**/api/ask", lambda route: route.abort())
    ask(page, TROLLEY)
    expect(page.get_by_role("alert")).to_contain_text("Is skerry serve still running?")
    page.unroute("**/api/ask")
    page.get_by_role("button", name="Try again").click()
    expect(page.locator(".answer")).to_contain_text("every day before 09:00")
    expect(page.locator(".turn")).to_have_count(1)
    expect(page.get_by_role("alert")).to_have_count(0)


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ('data: {"event":"text","text":"Half an ans"}\n\n', "The answer broke off"),
        (
            'data: {"event":"text","text":"x"}\n\n'
            'event: error\ndata: {"error":{"message":"The model went away.","code":"model"}}\n\n',
            "The model went away.",
        ),
    ],
)
def test_faults_in_mid_stream_are_shown(
    house: Stage, open_page: OpenPage, body: str, shown: str
) -> None:
    def broken(route: Route) -> None:
        route.fulfill(status=200, content_type="text/event-stream", body=body)

    page = open_page(house)
    page.route("**/api/ask", broken)
    ask(page, TROLLEY)
    expect(page.get_by_role("alert")).to_contain_text(shown)


def test_everything_works_with_the_keyboard_alone(house: Stage, open_page: OpenPage) -> None:
    page = open_page(house)
    keys = page.keyboard
    field = page.get_by_label("Your question")
    expect(field).to_be_focused()
    expect(page.locator(".document")).to_have_count(11)
    keys.type("one")
    keys.press("Shift+Enter")
    keys.type("two")
    assert field.input_value() == "one\ntwo"
    field.fill("")
    keys.type(TROLLEY)
    keys.press("Enter")
    expect(page.locator(".receipt")).to_be_visible()
    expect(field).to_be_focused()
    for _ in range(20):
        keys.press("Shift+Tab")
        if page.evaluate("document.activeElement.matches('.answer .mark')"):
            break
    keys.press("Enter")
    expect(page.locator("#panel-title")).to_be_focused()
    expect(page.locator("#cited")).to_be_in_viewport()
    keys.press("/")
    expect(field).to_be_focused()
    keys.press("Escape")
    expect(page.locator("#panel")).to_be_hidden()


def test_escape_stops_an_answer(house: Stage, open_page: OpenPage) -> None:
    question = "Go on until Escape."
    house.script.lines[question] = Line(("More. ",) * 100, RequestClass.REASONING, pause_s=0.1)
    page = open_page(house)
    ask(page, question)
    expect(page.locator(".answer")).to_contain_text("More.")
    page.keyboard.press("Escape")
    expect(page.locator(".status")).to_contain_text("Stopped")


def test_the_first_link_skips_to_the_question(house: Stage, open_page: OpenPage) -> None:
    page = open_page(house)
    page.get_by_role("switch", name="Offline").focus()
    page.keyboard.press("Shift+Tab")
    skip = page.get_by_role("link", name="Skip to the question")
    expect(skip).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Your question")).to_be_focused()


def test_a_screen_reader_hears_each_sentence_once(house: Stage, open_page: OpenPage) -> None:
    page = open_page(house)
    page.evaluate(
        """() => { window.heard = []; new MutationObserver((changes) => changes.forEach((change) =>
        change.addedNodes.forEach((node) => window.heard.push(node.textContent))))
        .observe(document.getElementById("announcer"), {childList: true}); }"""
    )
    ask(page, TROLLEY)
    expect(page.locator(".receipt")).to_be_visible()
    heard = page.evaluate("window.heard")
    assert heard[0] == "Answering"
    assert sum("every day before 09:00" in line for line in heard) == 1
    assert sum("signs the trolley log" in line for line in heard) == 1
    assert heard[-1] == "Answered on this device. Nothing left this device."
    assert page.locator("[aria-live]").count() == 1


def test_regions_and_controls_have_roles_and_names(house: Stage, open_page: OpenPage) -> None:
    page = open_page(house)
    ask(page, TROLLEY)
    expect(page.locator(".receipt")).to_be_visible()
    for role, name in REGIONS:
        expect(page.get_by_role(role, name=name).first).to_be_attached()
    assert page.evaluate(NAMELESS) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_is_readable_in_both_schemes(house: Stage, open_page: OpenPage, scheme: str) -> None:
    page = open_page(house, color_scheme=scheme)
    ask(page, TROLLEY)
    page.locator(".receipt summary").click()
    expect(page.locator(".document")).to_have_count(11)
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == {"light": "rgb(246, 247, 245)", "dark": "rgb(17, 24, 27)"}[scheme]
    assert page.evaluate(CONTRAST) == []
    page.locator(".answer .mark").first.click()
    page.locator("#cited").wait_for()
    assert page.evaluate(CONTRAST) == []


def test_on_a_small_screen_nothing_overflows_and_the_panel_lies_above(
    house: Stage, open_page: OpenPage
) -> None:
    page = open_page(house, viewport=NARROW)
    expect(page.locator("#panel")).to_be_hidden()
    ask(page, TROLLEY)
    page.locator(".receipt summary").click()
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    assert page.evaluate("document.getElementById('scroller').scrollWidth") <= 360
    mark = page.locator(".answer .mark").first
    mark.click()
    expect(page.locator("#cited")).to_be_in_viewport()
    expect(page.locator("#room")).to_have_attribute("inert", "")
    page.keyboard.press("Escape")
    expect(page.locator("#panel")).to_be_hidden()
    expect(mark).to_be_focused()
    expect(page.locator("#room")).not_to_have_attribute("inert", "")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_panel_gives_way_when_the_window_shrinks_and_comes_back(
    house: Stage, open_page: OpenPage, scheme: str
) -> None:
    page = open_page(house, color_scheme=scheme)
    panel = page.locator("#panel")
    ask(page, TROLLEY)
    expect(panel).to_be_visible()
    for width in (1079, 768, 360):
        page.set_viewport_size({"width": width, "height": 740})
        expect(panel).to_be_hidden()
        expect(page.locator("#veil")).to_be_hidden()
        expect(page.locator("#room")).not_to_have_attribute("inert", "")
        assert page.evaluate("document.documentElement.scrollWidth") == width
        assert page.evaluate(CONTRAST) == []
    page.set_viewport_size(WIDE)
    expect(panel).to_be_visible()
    page.get_by_role("button", name="Close the documents").click()
    page.set_viewport_size(NARROW)
    page.set_viewport_size(WIDE)
    expect(panel).to_be_hidden()


def test_a_panel_that_somebody_reads_stays_when_the_window_shrinks(
    house: Stage, open_page: OpenPage
) -> None:
    page = open_page(house)
    page.locator(".document").first.click()
    expect(page.locator("#panel-title")).to_be_focused()
    page.set_viewport_size(NARROW)
    expect(page.locator("#panel")).to_be_visible()
    expect(page.locator("#room")).to_have_attribute("inert", "")
    page.keyboard.press("Escape")
    expect(page.locator("#panel")).to_be_hidden()


def test_a_wide_table_scrolls_by_itself_and_breaks_no_word(
    house: Stage, open_page: OpenPage
) -> None:
    question = "Show me a wide table."
    row = "| occlusion | precautionary | anticoagulants | responsibility |"
    house.script.lines[question] = Line(
        (f"{row}\n|---|---|---|---|\n{row}",), RequestClass.REASONING
    )
    page = open_page(house, viewport=NARROW)
    ask(page, question)
    table = page.locator(".answer .wide-content")
    expect(table.get_by_role("columnheader")).to_have_count(4)
    assert table.evaluate("one => one.scrollWidth > one.clientWidth")
    assert page.evaluate("document.getElementById('scroller').scrollWidth") <= 360
    heights = table.locator("th, td").evaluate_all("cells => cells.map((one) => one.offsetHeight)")
    assert max(heights) < 45


SHEET = """async ([head, row]) => {
  const { sheet } = await import(new URL("page/sheet.js", document.baseURI));
  const body = document.getElementById("panel-body");
  body.replaceChildren(sheet(`| ${head.join(" | ")} |\\n| ${row.join(" | ")} |`, null));
  const table = body.querySelector(".wide-content");
  return table.scrollWidth - table.clientWidth;
}"""
COLUMNS = (
    ["Item number", "Description of the device", "Location", "Last inspection", "Next inspection"],
    ["1001", "Electrocardiographandmonitorinone", "Corridor", "2026-01-12", "2027-01-12"],
)


@pytest.mark.parametrize("width", [1100, 1200, 1440])
def test_a_table_of_a_document_fits_beside_the_conversation(
    house: Stage, open_page: OpenPage, width: int
) -> None:
    page = open_page(house, viewport={"width": width, "height": 800})
    expect(page.get_by_role("complementary", name="Documents")).to_be_visible()
    assert page.evaluate(SHEET, COLUMNS) == 0
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_the_lines_of_an_item_are_under_each_other(house: Stage, open_page: OpenPage) -> None:
    page = open_page(house)
    page.locator(".document.expired").click()
    item = page.locator(".sheet .item").first
    expect(item.locator(".sign")).to_have_text("-")
    lines = item.evaluate(
        """(one) => { const range = document.createRange(); range.selectNodeContents(one.lastChild);
        return [...range.getClientRects()].map((box) => Math.round(box.left)); }"""
    )
    assert len(lines) > 1
    assert len(set(lines)) == 1


def test_reduced_motion_stills_everything(house: Stage, open_page: OpenPage) -> None:
    page = open_page(house, reduced_motion="reduce")
    moving = page.evaluate(
        "[...document.querySelectorAll('*')].filter((one) => parseFloat(getComputedStyle(one)"
        ".transitionDuration) > 0 || getComputedStyle(one).animationName !== 'none').length"
    )
    assert moving == 0
