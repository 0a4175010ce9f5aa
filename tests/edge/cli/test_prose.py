"""An answer at a terminal: the words, and nothing stray."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.edge.cli.prose import Prose


def printed(pieces: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    capsys.readouterr()
    prose = Prose()
    for piece in pieces:
        prose.print(piece)
    prose.end()
    prose.end()
    return capsys.readouterr().out


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        (["Every day."], "Every day.\n"),
        (["Every ", "day.", " \n\n"], "Every day.\n"),
        (["\n ", "\nEvery day."], "Every day.\n"),
        (["One:  \n", "\n- two [1]. \n"], "One:\n\n- two [1].\n"),
        (["- one\n", "- two"], "- one\n- two\n"),
        (["-4 °C is too cold."], "-4 °C is too cold.\n"),
        (["\x1b[2Jgone\x07"], "\\x1b[2Jgone\\x07\n"),
        (["", " \n"], ""),
        ([], ""),
    ],
)
def test_what_is_printed(
    pieces: list[str], expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert printed(pieces, capsys) == expected


TEXT = st.text("ab- \t\n", max_size=40)


@given(pieces=st.lists(TEXT, max_size=6))
def test_how_it_is_cut_makes_no_difference(pieces: list[str]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        shown: list[str] = []
        patch.setattr(
            "click.echo", lambda text="", *, nl=True: shown.append(text + ("\n" if nl else ""))
        )
        for form in (pieces, ["".join(pieces)]):
            prose = Prose()
            for piece in form:
                prose.print(piece)
            prose.end()
            shown.append("|")
    first, second, _ = "".join(shown).split("|")
    assert first == second
    assert all(line == line.rstrip() for line in first.split("\n"))
    assert first.split() == "".join(pieces).split()
