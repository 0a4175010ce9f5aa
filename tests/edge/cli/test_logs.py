from __future__ import annotations

import logging

import pytest

from skerry.edge.cli.logs import start
from skerry.edge.cli.options import make_settings


def silence(monkeypatch: pytest.MonkeyPatch) -> None:
    """Logging as a process begins; pytest adds handlers of its own to each test."""
    monkeypatch.setattr(logging.root, "handlers", [])
    monkeypatch.setattr(logging.root, "level", logging.WARNING)


def test_what_is_logged_cannot_act_on_the_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    silence(monkeypatch)
    start("info")
    logging.getLogger("skerry.test").info("asked for %s", "\x1b[2Jx")
    logging.getLogger("skerry.test").debug("in detail")
    assert capsys.readouterr().err == "INFO skerry.test: asked for \\x1b[2Jx\n"


def test_the_setting_says_from_where(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    silence(monkeypatch)
    monkeypatch.setenv("SKERRY_LOG_LEVEL", "error")
    make_settings({})
    logging.getLogger("skerry.test").warning("never mind")
    logging.getLogger("skerry.test").error("look")
    assert capsys.readouterr().err == "ERROR skerry.test: look\n"
