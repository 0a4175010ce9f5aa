"""A misspelt word of orders is read as what was meant; no other word is."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.guardrails.wording.spelling import meant
from skerry.guardrails.wording.table import shared
from skerry.guardrails.wording.words import read

MISSPELT = {
    "left out": ("instrctions", "instructions"),
    "put in": ("prevvious", "previous"),
    "replaced": ("disregerd", "disregard"),
    "exchanged": ("ignroe", "ignore"),
    "at the end": ("passwor", "password"),
    "at the start": ("eveal", "reveal"),
}


@pytest.mark.parametrize("case", MISSPELT)
def test_one_wrong_letter_is_mended(case: str) -> None:
    wrong, right = MISSPELT[case]
    assert meant(wrong) == right
    table = shared()
    assert read(wrong, table).rows.tolist() == read(right, table).rows.tolist()


@pytest.mark.parametrize("word", ["", "igno", "trolley", "instruct", "x" * 500, "pharmacist"])
def test_other_words_mean_themselves(word: str) -> None:
    assert meant(word) == ""


def test_a_word_that_is_known_is_never_taken_for_another() -> None:
    table = shared()
    known = ["ignored", "prompted", "hidden", "forgot", "instructed"]
    assert all(table.row(one)[1] for one in known)
    for one in known:
        assert read(one, table).rows.tolist()[2] == table.row(one)[0]


@given(st.sampled_from(["ignore", "instructions", "previous"]), st.data())
def test_every_single_slip_is_mended(word: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(word) - 1))
    letter = data.draw(st.sampled_from(string.ascii_lowercase))
    slips = {
        word[:at] + letter + word[at + 1 :],
        word[:at] + letter + word[at:],
        word[:at] + word[at + 1 :],
        word[:at] + word[at : at + 2][::-1] + word[at + 2 :],
    }
    assert all(meant(one) for one in slips)
