"""The report in a browser: it loads nothing, and its charts are seen."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from skerry.guardrails.redteam import Asked, Kind, Observed, load_suite, run
from skerry.guardrails.redteam.report import render

sync_api = pytest.importorskip("playwright.sync_api")


class Hostile:
    def describe(self) -> dict[str, str]:
        return {"model": "none"}

    def ask(self, asked: Asked) -> Observed:
        return Observed('<img src="https://e.example/x"><script>document.title = "x"</script>')


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_report_in_a_browser(tmp_path: Path, scheme: str) -> None:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("Chromium is missing: apt-get install chromium")
    file = tmp_path / "report.html"
    file.write_text(render(run(load_suite(), Hostile(), only=[Kind.BIAS, Kind.JAILBREAK])))
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(color_scheme=scheme)
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(file.as_uri())
        assert asked == [file.as_uri()]
        assert page.title().startswith("Red team")
        assert page.locator("svg[role=img]").count() == 10
        assert page.locator("svg").first.bounding_box()["width"] > 300  # type: ignore[index]
        page.set_viewport_size({"width": 400, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= 400
        browser.close()
