"""An answer at a terminal: the words, and nothing stray."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.edge.cli.prose import Prose


def printed(pieces: list[str], capsys: pytest.CaptureFixture[str], *, quoted: bool = False) -> str:
    capsys.readouterr()
    prose = Prose(quoted=quoted)
    for piece in pieces:
        prose.print(piece)
    prose.end()
    prose.end()
    return capsys.readouterr().out


@pytest.mark.parametrize(
    ("pieces", "quoted", "expected"),
    [
        (["Every day."], False, "Every day.\n"),
        (["Every ", "day.", " \n\n"], False, "Every day.\n"),
        (["\n ", "\nEvery day."], False, "Every day.\n"),
        (["One:  \n", "\n- two [1]. \n"], False, "One:\n\n- two [1].\n"),
        (["- Never recap a needle. [2]"], True, "Never recap a needle. [2]\n"),
        (["- one\n", "- two"], False, "- one\n- two\n"),
        (["-4 °C is too cold."], True, "-4 °C is too cold.\n"),
        (["\x1b[2Jgone\x07"], False, "�[2Jgone�\n"),
        (["", " \n"], False, ""),
        ([], False, ""),
    ],
)
def test_what_is_printed(
    pieces: list[str], quoted: bool, expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert printed(pieces, capsys, quoted=quoted) == expected


TEXT = st.text("ab- \t\n", max_size=40)


@given(pieces=st.lists(TEXT, max_size=6))
def test_how_it_is_cut_makes_no_difference(pieces: list[str]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        shown: list[str] = []
        patch.setattr(
            "click.echo", lambda text="", *, nl=True: shown.append(text + ("\n" if nl else ""))
        )
        for form in (pieces, ["".join(pieces)]):
            prose = Prose(quoted=False)
            for piece in form:
                prose.print(piece)
            prose.end()
            shown.append("|")
    first, second, _ = "".join(shown).split("|")
    assert first == second
    assert all(line == line.rstrip() for line in first.split("\n"))
    assert first.split() == "".join(pieces).split()
