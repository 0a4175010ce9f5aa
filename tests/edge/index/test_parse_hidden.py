"""Which styles of an element hide its text from whoever looks at the page."""

from __future__ import annotations

import pytest

from skerry.edge.index.parse import parse_data
from skerry.edge.index.parse.hidden import is_hidden

HIDDEN = [
    "display:none",
    "DISPLAY : none !important",
    "color:red;/* x */visibility:hidden",
    "opacity:0",
    "opacity: 0.01",
    "opacity:0%",
    "font-size:0",
    "font-size:1px",
    "position:absolute;left:-9999px",
    "position:fixed; top: -100em",
    "text-indent:-9999px",
    "text-indent:-100%",
    "margin-left:-5000px",
    "margin:0 0 0 -5000px",
    "transform:translateX(-9999px)",
    "transform:scale(0)",
    "clip:rect(0 0 0 0);position:absolute",
    "clip: rect(1px, 1px, 1px, 1px)",
    "clip-path: inset(50%)",
    "clip-path:circle(0)",
    "clip-path: polygon(0 0, 0 0, 0 0)",
    "width:1px;height:1px;overflow:hidden",
    "max-height:0;overflow:hidden",
    "color:#fff;background:white",
    "color:#ffffff;background-color:rgb(255, 255, 255)",
    "color:transparent",
    "color:rgba(0,0,0,0)",
    "color:#0000",
]
SHOWN = [
    "",
    "color",
    "left:-10px",
    "text-indent:-2em",
    "margin-left:-1px",
    "opacity:0.5",
    "opacity:var(--x)",
    "font-size:0.9em",
    "font-size:12px",
    "height:1px",
    "width:0;min-width:100%",
    "height:0;overflow:visible",
    "clip:auto",
    "clip-path:inset(5%)",
    "clip:rect(0, 100px, 50px, 0)",
    "color:#000;background:#fff",
    "color:inherit",
    "background:url(a.png) #fff;color:#fff0f0",
    "transform:scale(0.5)",
    "transform:translateX(-50%)",
    "color:rgb(a b c)",
    "color:inherit;background:inherit",
    "color:var(--a);background:var(--a)",
    "color:rgb(1e999,0,0);left:1e999px",
    "/*" * 200_000,
    "left:50%;margin-left:-50vw",
]


@pytest.mark.parametrize("style", HIDDEN)
def test_hidden(style: str) -> None:
    assert is_hidden(style)
    page = f'<p>seen</p><p style="{style}">unseen <b>text</b></p>'
    assert parse_data(page.encode(), "a.html").text == "seen"


@pytest.mark.parametrize("style", SHOWN, ids=lambda style: style[:40])
def test_shown(style: str) -> None:
    assert not is_hidden(style)
