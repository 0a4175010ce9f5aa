"""Nothing that is shown may act on the terminal, and what is harmless is shown as it is."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.edge.terminal import visible, visible_line


@dataclass(frozen=True)
class Case:
    name: str
    text: str
    shown: str
    line: str = ""


CASES = [
    Case("plain", "-4 °C, “naïve” 漢字 🩺", "-4 °C, “naïve” 漢字 🩺"),
    Case("no-break spaces", "5\u00a0mg, 1\u202f000", "5\u00a0mg, 1\u202f000"),
    Case("soft hyphen and joiners", "a\u00adb 👩\u200d🔬", "a\u00adb 👩\u200d🔬"),
    Case("lines and tabs", "a\n\tb", "a\n\tb", line=r"a\n\tb"),
    Case("carriage return", "paid\rowed", r"paid\rowed"),
    Case("colour and bell", "\x1b[31mred\x07", r"\x1b[31mred\x07"),
    Case("one-byte control sequence", "\x9b2J", r"\x9b2J"),
    Case("turned round", "\u202egnp.exe", r"\u202egnp.exe"),
    Case("line separator", "a\u2028b", r"a\u2028b"),
    Case("hidden letters", "a\U000e0041\u200bb", r"a\U000e0041\u200bb"),
    Case("half a pair", "a\ud83d", r"a\ud83d"),
    Case("NUL and DEL", "a\x00b\x7f", r"a\x00b\x7f"),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_visible(case: Case) -> None:
    assert visible(case.text) == case.shown
    assert visible_line(case.text) == (case.line or case.shown)


@given(st.text(st.characters(categories=["Cc", "Cf", "Cs", "Zl", "Zp", "L"])))
def test_what_is_shown_can_be_printed_and_has_no_controls(text: str) -> None:
    shown = visible_line(text).encode().decode()
    assert {char for char in shown if not char.isprintable()} <= {*"\u00ad\u200c\u200d"}


@given(st.text(), st.text())
def test_how_it_is_cut_makes_no_difference(first: str, second: str) -> None:
    assert visible(first) + visible(second) == visible(first + second)
