"""What is replaced comes back, streamed or not."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from skerry.guardrails import Finding, FindingKind
from skerry.guardrails.pseudonyms import Pseudonyms, Restorer
from skerry.guardrails.screen import screen

TEXT = "Mail ada@example.org, then ada@example.org again, or ring +44 20 7946 0958."
PARTS = ("ada@example.org", "joe@example.org", "<EMAIL_1>", "<EMAIL_2>", "<LITERAL_2>", "<", ">")


def replaced(pseudonyms: Pseudonyms, text: str) -> str:
    return pseudonyms.replace(text, screen(text))


def streamed(pseudonyms: Pseudonyms, text: str, width: int) -> str:
    restorer = Restorer(pseudonyms)
    parts = [restorer.feed(text[at : at + width]) for at in range(0, len(text), width)]
    return "".join(parts) + restorer.flush()


def test_one_value_one_placeholder() -> None:
    pseudonyms = Pseudonyms()
    assert replaced(pseudonyms, TEXT) == "Mail <EMAIL_1>, then <EMAIL_1> again, or ring <PHONE_2>."
    assert len(pseudonyms) == 2


@given(st.integers(1, 9), st.text(max_size=40))
def test_a_stream_is_restored_however_it_is_cut(width: int, tail: str) -> None:
    pseudonyms = Pseudonyms()
    assert streamed(pseudonyms, replaced(pseudonyms, TEXT) + tail, width) == TEXT + tail


def test_a_placeholder_that_is_not_ours_stays() -> None:
    assert Pseudonyms().restore("<EMAIL_7> and <b>") == "<EMAIL_7> and <b>"


def test_a_placeholder_in_the_text_is_not_used() -> None:
    pseudonyms = Pseudonyms()
    text = "Is <EMAIL_1> the form for ada@example.org?"
    assert replaced(pseudonyms, text) == "Is <EMAIL_1> the form for <EMAIL_2>?"
    assert pseudonyms.restore("<EMAIL_1>, <EMAIL_2>") == "<EMAIL_1>, ada@example.org"


def test_a_placeholder_in_a_later_text_stands_for_itself() -> None:
    pseudonyms = Pseudonyms()
    assert replaced(pseudonyms, "ada@example.org") == "<EMAIL_1>"
    assert replaced(pseudonyms, "what is <EMAIL_1>?") == "what is <LITERAL_2>?"
    assert pseudonyms.restore("<LITERAL_2> is <EMAIL_1>") == "<EMAIL_1> is ada@example.org"
    assert len(pseudonyms) == 1


@given(st.lists(st.lists(st.sampled_from(PARTS)).map(" ".join), max_size=4), st.integers(1, 9))
def test_every_text_comes_back_whatever_it_holds(texts: list[str], width: int) -> None:
    pseudonyms = Pseudonyms()
    sent = [replaced(pseudonyms, text) for text in texts]
    assert all("@" not in text for text in sent)
    assert [pseudonyms.restore(text) for text in sent] == texts
    assert [streamed(pseudonyms, text, width) for text in sent] == texts


def test_findings_that_overlap_leave_nothing_between_them() -> None:
    findings = [Finding(FindingKind.PII, "phone", at, at + 4, 1.0) for at in (3, 5)]
    assert Pseudonyms().replace("at 123456 x", findings) == "at <PHONE_1><PHONE_2> x"
