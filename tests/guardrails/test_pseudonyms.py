"""What is replaced comes back, streamed or not."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from skerry.guardrails.pseudonyms import Pseudonyms, Restorer
from skerry.guardrails.screen import screen

TEXT = "Mail ada@example.org, then ada@example.org again, or ring +44 20 7946 0958."


def test_one_value_one_placeholder() -> None:
    pseudonyms = Pseudonyms()
    assert (
        pseudonyms.replace(TEXT, screen(TEXT))
        == "Mail <EMAIL_1>, then <EMAIL_1> again, or ring <PHONE_2>."
    )
    assert len(pseudonyms) == 2


@given(st.integers(1, 9), st.text(max_size=40))
def test_a_stream_is_restored_however_it_is_cut(width: int, tail: str) -> None:
    pseudonyms = Pseudonyms()
    sent = pseudonyms.replace(TEXT, screen(TEXT)) + tail
    restorer = Restorer(pseudonyms)
    parts = [restorer.feed(sent[at : at + width]) for at in range(0, len(sent), width)]
    assert "".join(parts) + restorer.flush() == TEXT + tail


def test_a_placeholder_that_is_not_ours_stays() -> None:
    assert Pseudonyms().restore("<EMAIL_7> and <b>") == "<EMAIL_7> and <b>"
