"""What all is wanted on, by the words of a request."""

from __future__ import annotations

import pytest

from skerry.guardrails.topics import topic_of
from skerry.guardrails.words import content_stems

ON = {
    "Tell me about dogs": "dogs",
    "tell us something about the fuel dock.": "fuel dock",
    "What do you know about cranes?": "cranes",
    "Please give me some information on opening hours": "opening hours",
    "Explain membership": "membership",
    "What about the library?": "library",
    "Opening hours": "opening hours",
    "fuel-dock?": "fuel-dock",
    "information regarding Mrs O'Hara": "Mrs O'Hara",
}
OF_IT = [
    "",
    " ",
    "?",
    "Where are dogs allowed?",
    "Tell me about who may open the vault",
    "Is the dock open?",
    "Cancel ABC234",
    "the the the",
    "Write a poem about dogs",
    "What is the fine?",
    "I want to know about dogs because my aunt has one and she would like to bring it along",
    "dogs, cats and every other animal that one can think of",
    "x " * 100_000,
    "tell me about " * 20_000,
]


@pytest.mark.parametrize("question", ON)
def test_all_is_wanted_on_it(question: str) -> None:
    assert topic_of(question) == content_stems(ON[question])


@pytest.mark.parametrize("question", OF_IT, ids=lambda text: text[:40])
def test_something_of_it_is_asked(question: str) -> None:
    assert not topic_of(question)
