"""A real Chromium on the real server. Every test also fails when the page asks another origin for
anything, breaks its content security policy, or throws.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from skerry.edge.encoder import OnnxEncoder
from tests.edge.page.stage import HOSTILE, Stage, stage

HANDBOOK = Path(__file__).parents[3] / "edge" / "demo" / "handbook"
FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()
WIDE = {"width": 1280, "height": 800}

OpenPage = Callable[..., Page]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Closed after each module: Playwright's loop is in the way of async tests elsewhere."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("Chromium is missing: apt-get install chromium")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=FLAGS, headless=True)
        yield started
        started.close()


@pytest.fixture(scope="session")
def encoder() -> OnnxEncoder:
    return OnnxEncoder.load()


@pytest.fixture(scope="session")
def documents(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The demo handbook, and a document that attacks whatever shows it."""
    hostile = tmp_path_factory.mktemp("hostile") / "notice.md"
    hostile.write_text(
        f"---\ntitle: '{HOSTILE}'\nversion: 1.0\nvalid-from: 2024-01-01\n---\n"
        "The 🪨 password of the boathouse is written on the noticeboard: "
        f"`{HOSTILE}` and nothing else.\n",
        encoding="utf-8",
    )
    return [HANDBOOK, hostile]


@pytest.fixture(scope="session")
def house(
    tmp_path_factory: pytest.TempPathFactory, documents: list[Path], encoder: OnnxEncoder
) -> Iterator[Stage]:
    """A server without a cloud, shared by the tests that only read."""
    with stage(tmp_path_factory.mktemp("house"), documents, encoder) as running:
        yield running


@pytest.fixture
def open_page(browser: Browser) -> Iterator[OpenPage]:
    """Opens the page of a stage in a context of its own, and watches it."""
    complaints: list[str] = []
    contexts = []

    def opened(running: Stage, *, address: str | None = None, **options: Any) -> Page:
        context = browser.new_context(**{"viewport": WIDE, **options})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        _watch(page, running.url, complaints)
        page.goto(running.entrance if address is None else address)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not complaints


def _watch(page: Page, origin: str, complaints: list[str]) -> None:
    def foreign(url: str) -> None:
        if not url.startswith((f"{origin}/", "data:")):
            complaints.append(f"asked for {url}")

    def said(message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text:
            complaints.append(message.text)

    page.on("request", lambda request: foreign(request.url))
    page.on("console", said)
    page.on("pageerror", lambda error: complaints.append(f"threw {error}"))
