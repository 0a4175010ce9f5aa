"""What a tool would change waits for a person: over the API, and on the page."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import date, time, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from playwright.sync_api import Page, expect

from skerry.edge.encoder import OnnxEncoder
from skerry.edge.tools.appointments import AppointmentBook
from skerry.edge.types import RequestClass
from tests.edge.page.stage import Line, Stage, stage

OpenPage = Callable[..., Page]

DAY = date.today() + timedelta(days=3)
BOOK = f"Book me a slot on {DAY} at 10"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "appointments.sqlite"
    with AppointmentBook.open(path) as book:
        book.add(DAY, time(9), time(12), minutes=30, host="Dr Lund")
    return path


@pytest.fixture
def desk(tmp_path: Path, path: Path, encoder: OnnxEncoder) -> Iterator[Stage]:
    with stage(tmp_path, [], encoder, appointments=path) as running:
        running.script.lines[BOOK] = Line(("no model words this",), RequestClass.TOOL)
        yield running


def booked(path: Path) -> int:
    with AppointmentBook.open(path) as book:
        return len(book.booked(date(2000, 1, 1), date(2999, 1, 1)))


def post(desk: Stage, path: str, body: dict[str, Any]) -> httpx2.Response:
    headers = {"authorization": f"Bearer {desk.key}"}
    answer = httpx2.post(f"{desk.url}{path}", json=body, headers=headers, timeout=60)
    assert answer.status_code == 200, answer.text
    return answer


def told(desk: Stage, **body: Any) -> list[dict[str, Any]]:
    frames = post(desk, "/api/ask", {"question": BOOK, **body}).text.split("\n\n")
    return [json.loads(frame.partition("data: ")[2]) for frame in frames if frame]


def chat(desk: Stage, **extra: Any) -> tuple[str, dict[str, Any]]:
    messages = [{"role": "user", "content": BOOK}]
    body = {"model": "skerry", "messages": messages, "skerry": extra}
    answer = post(desk, "/v1/chat/completions", body).json()
    return answer["choices"][0]["message"]["content"], answer["skerry"]


def test_a_call_waits_and_is_made_once_exactly_this_is_confirmed(desk: Stage, path: Path) -> None:
    held = told(desk, hold=True)[-1]
    assert held["event"] == "confirmation_needed"
    assert "10:00" in held["confirmation"]["text"]
    assert booked(path) == 0
    other = told(desk, hold=True, confirmed_call="0" * 64)[-1]
    assert other["event"] == "confirmation_needed"
    assert booked(path) == 0
    done = told(desk, hold=True, confirmed_call=held["confirmation"]["digest"])[-1]
    assert done["answer"].startswith("Booked")
    assert done["receipt"]["tools"][0]["confirmed"] is True
    assert booked(path) == 1


def test_without_hold_nothing_is_done_and_the_answer_says_so(desk: Stage, path: Path) -> None:
    *_, asked, _, done = told(desk)
    assert asked["event"] == "confirmation_needed"
    assert "nobody confirmed" in done["answer"]
    assert booked(path) == 0


def test_an_openai_client_confirms_by_asking_again(desk: Stage, path: Path) -> None:
    text, extra = chat(desk)
    assert "nobody confirmed" in text
    assert booked(path) == 0
    text, extra = chat(desk, confirmed_call=extra["confirmation"]["digest"])
    assert text.startswith("Booked")
    assert "confirmation" not in extra
    assert booked(path) == 1


def ask(page: Page) -> None:
    page.get_by_label("Your question").fill(BOOK)
    page.keyboard.press("Enter")


@pytest.mark.browser
def test_the_page_asks_before_anything_is_done(
    desk: Stage, path: Path, open_page: OpenPage
) -> None:
    page = open_page(desk)
    ask(page)
    dialog = page.get_by_role("dialog", name="Shall this be done?")
    expect(dialog).to_contain_text("10:00")
    expect(page.get_by_role("button", name="Leave it")).to_be_focused()
    assert booked(path) == 0
    page.get_by_role("button", name="Do it").click()
    expect(page.locator(".answer").last).to_contain_text("Booked")
    assert booked(path) == 1


@pytest.mark.browser
def test_closing_the_dialog_is_no(desk: Stage, path: Path, open_page: OpenPage) -> None:
    page = open_page(desk)
    ask(page)
    expect(page.get_by_role("dialog", name="Shall this be done?")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".answer").last).to_contain_text("nobody confirmed")
    assert booked(path) == 0
