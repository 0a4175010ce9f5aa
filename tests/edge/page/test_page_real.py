"""The whole of it: `skerry serve` as a process, the real router and model, a real browser."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from skerry.edge import Runtime
from tests.edge.page.stage import Script, Stage

pytestmark = [pytest.mark.browser, pytest.mark.model]
HANDBOOK = Path(__file__).parents[3] / "edge" / "demo" / "handbook"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("served")
    index, state = folder / "index.sqlite", folder / "state.sqlite"
    environment = {
        **os.environ,
        "SKERRY_INDEX": str(index),
        "SKERRY_STATE": str(state),
        "SKERRY_API_KEY_FILE": str(folder / "key"),
        "SKERRY_OFFLINE": "1",
    }
    with Runtime(index=index, state=state, offline=True) as runtime:
        runtime.index.add([HANDBOOK])
        command = [sys.executable, "-m", "skerry.edge.cli", "serve", "--port", "0", "--json"]
        with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) as process:
            try:
                assert process.stdout is not None
                told = json.loads(process.stdout.readline())
                assert "key_file" in told, told
                key = Path(told["key_file"]).read_text(encoding="ascii").strip()
                yield Stage(told["url"].rstrip("/"), Script(), runtime, key)
            finally:
                process.terminate()


def test_a_question_is_answered_from_a_document(
    served: Stage, open_page: Callable[..., Page]
) -> None:
    page = open_page(served)
    expect(page.locator("#promise")).to_contain_text("everything stays on this device")
    page.get_by_label("Your question").fill("How often is the emergency trolley checked?")
    page.keyboard.press("Enter")
    expect(page.locator(".receipt")).to_be_visible(timeout=240_000)
    expect(page.locator(".answer")).to_contain_text("every day")
    expect(page.locator(".receipt summary")).to_contain_text("Nothing left this device")
    page.locator(".answer .mark").first.click()
    expect(page.locator("#panel-title")).to_have_text("Emergency trolley checks")
    expect(page.locator(".document-head .badge")).to_have_text("In force")
    expect(page.locator("#cited")).to_be_in_viewport()
