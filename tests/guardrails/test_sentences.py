"""Sentence ends: a case table, and the promises of the buffer over any way to cut a text."""

from __future__ import annotations

import time
from dataclasses import dataclass
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.guardrails.sentences import LONGEST, SentenceBuffer, sentences


@dataclass(frozen=True)
class Case:
    name: str
    text: str
    expected: tuple[str, ...]


CASES = [
    Case("plain", "Wash hands. Dry them.", ("Wash hands.", "Dry them.")),
    Case("latin abbreviation", "Use a coolant, e.g. Ice. Go.", ("Use a coolant, e.g. Ice.", "Go.")),
    Case("title", "Call Dr. Moss. He knows.", ("Call Dr. Moss.", "He knows.")),
    Case("title and initial", "Ask Dr. A. Jones. Wait.", ("Ask Dr. A. Jones.", "Wait.")),
    Case("letter is a name", "Test for hepatitis B. Record it.",
         ("Test for hepatitis B.", "Record it.")),
    Case("decimal", "Give 0.5 mg. Wait 2.5 h.", ("Give 0.5 mg.", "Wait 2.5 h.")),
    Case("unit", "At most 5 mg/kg. Then stop.", ("At most 5 mg/kg.", "Then stop.")),
    Case("number ends it", "Call 999. Stay there.", ("Call 999.", "Stay there.")),
    Case("number after no.", "See fig. 2 and no. 5. Go on.", ("See fig. 2 and no. 5.", "Go on.")),
    Case("no. as a word", "Is it safe? No. Stop.", ("Is it safe?", "No.", "Stop.")),
    Case("dotted before number", "Twice b.d. 3 days. Stop.", ("Twice b.d. 3 days.", "Stop.")),
    Case("dotted before capital", "Give it i.v. Then flush.", ("Give it i.v.", "Then flush.")),
    Case("lower case follows", "It is approx. right etc. and so on.",
         ("It is approx. right etc. and so on.",)),
    Case("ellipsis", "Wait... then go… Now.", ("Wait... then go…", "Now.")),
    Case("mixed marks", "Really?! Yes!", ("Really?!", "Yes!")),
    Case("quoted", 'He said "Stop." She did.', ('He said "Stop."', "She did.")),
    Case("bracketed", "Cold. (See below.) Warm.", ("Cold.", "(See below.)", "Warm.")),
    Case("bold", "**Stop.** Call 999.", ("**Stop.**", "Call 999.")),
    Case("mark before stop", "It is so [1]. And so [2, 3].", ("It is so [1].", "And so [2, 3].")),
    Case("mark after stop", "It is so. [1] [2] And so.[3] End.",
         ("It is so. [1] [2]", "And so.[3]", "End.")),
    Case("bracket is no mark", "It is so. [Note] End.", ("It is so.", "[Note] End.")),
    Case("inline numbers", "1. Wash. 2. Dry. 3. Go.", ("1. Wash.", "2. Dry.", "3. Go.")),
    Case("list items", "Steps:\n- wash hands\n- dry\n  them",
         ("Steps:", "- wash hands", "- dry\n  them")),
    Case("numbered lines", "Do\n1) this\n2) that", ("Do", "1) this", "2) that")),
    Case("soft wrap", "One line\nof text. Two.", ("One line\nof text.", "Two.")),
    Case("paragraphs", "no stop\n\nhere either", ("no stop", "here either")),
    Case("carriage returns", "no stop\r\n\r\nhere", ("no stop", "here")),
    Case("heading line", "# Title\ntext. More.", ("# Title", "text.", "More.")),
    Case("table rows", "| a | b |\n| 1 | 2 |\nafter", ("| a | b |", "| 1 | 2 |", "after")),
    Case("web address", "See www.example.org/a.b for it. End.",
         ("See www.example.org/a.b for it.", "End.")),
    Case("chinese", "你好。再见！", ("你好。", "再见！")),
    Case("hindi", "एक है। दो है।", ("एक है।", "दो है।")),
    Case("no end", "no end at all", ("no end at all",)),
    Case("outer space", "  Yes.  No.  ", ("Yes.", "No.")),
    Case("empty", "", ()),
    Case("only space", " \n\t ", ()),
    Case("only marks", "...", ("...",)),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_sentences(case: Case) -> None:
    assert tuple(case.text[a:b] for a, b in sentences(case.text)) == case.expected


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_one_code_point_at_a_time_gives_the_same(case: Case) -> None:
    assert _fed(list(case.text)) == _fed([case.text])


FRAGMENTS = st.sampled_from(
    "Dr. ~e.g. ~No. ~a ~The ~5 ~0.5 ~mg~.~. ~! ~?~…~。~\n~\n\n~- ~1. ~12) ~# ~|~```~"
    '[1]~[2, 3]~ [4] ~[x~"~) ~(~*~ ~   ~\t~\r\n~´~é~\x00~wwwwwwwwwwwwwwwwwwwwwwwwwwwwwww'.split("~")
)
TEXTS = st.one_of(st.lists(FRAGMENTS, max_size=60).map("".join), st.text(max_size=200))


def _fed(parts: list[str]) -> list[str]:
    buffer = SentenceBuffer()
    released = [sentence for part in parts for sentence in buffer.feed(part)]
    return released + buffer.flush()


def _cut(text: str, at: list[int]) -> list[str]:
    places = sorted({min(place, len(text)) for place in at} | {0, len(text)})
    return [text[a:b] for a, b in pairwise(places)]


@given(TEXTS, st.lists(st.integers(0, 3000), max_size=30))
def test_any_way_to_cut_gives_the_same_sentences(text: str, at: list[int]) -> None:
    assert _fed(_cut(text, at)) == _fed([text])


@given(TEXTS)
def test_nothing_is_lost_or_added(text: str) -> None:
    assert "".join(_fed(list(text))) == text


@given(TEXTS)
def test_buffer_and_spans_agree(text: str) -> None:
    spans = [text[a:b] for a, b in sentences(text)]
    assert [part.strip() for part in _fed([text]) if part.strip()] == spans


@given(TEXTS)
def test_spans_are_ordered_trimmed_and_leave_only_space(text: str) -> None:
    at = 0
    for start, end in sentences(text):
        assert start < end
        assert not text[at:start].strip()
        assert text[start:end] == text[start:end].strip()
        assert end - start <= LONGEST
        at = end
    assert not text[at:].strip()


def test_a_sentence_is_released_when_the_next_begins() -> None:
    buffer = SentenceBuffer()
    assert buffer.feed("Wash hands.") == []
    assert buffer.feed(" ") == []
    assert buffer.feed("D") == ["Wash hands. "]
    assert buffer.flush() == ["D"]
    assert buffer.flush() == []


def test_a_mark_that_is_still_arriving_is_waited_for() -> None:
    buffer = SentenceBuffer()
    assert buffer.feed("It is so. [1") == []
    assert buffer.feed("] And") == ["It is so. [1] "]


def test_a_run_without_an_end_is_cut_at_white_space() -> None:
    text = "word " * 1000
    assert all(part.endswith("d ") for part in _fed([text]))
    assert max(len(part) for part in _fed([text])) <= LONGEST


@pytest.mark.parametrize(
    "unit",
    ["Wash hands. ", "word ", "x", " ", ".", "[1] ", "\n", "Dr. ", "- a\n", "[", "a. ", '."'],
)
def test_time_is_linear(unit: str) -> None:
    text = unit * (400_000 // len(unit))
    begun = time.perf_counter()
    sentences(text)
    _fed([text[i : i + 4] for i in range(0, len(text) // 4, 4)])
    assert time.perf_counter() - begun < 20
