from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.edge.session import Compressed, Turn, compress, unframed
from skerry.edge.session.compress import ELLIPSIS, HEADER, cut_middle
from skerry.guardrails.gate import NEAREST

COUNTERS: dict[str, Callable[[str], int]] = {
    "characters": len,
    "words": lambda text: len(text.split()),
    "four bytes": lambda text: -(-len(text.encode()) // 4),
    "uneven": lambda text: len(text) + 3 * text.count(".") if text else 0,
}
words = COUNTERS["words"]

SENTENCE = st.sampled_from(
    [
        "How often is trolley 4 checked?",
        "Every morning by 08:00.",
        "Dr. Smith signs form F-12.",
        "Thank you.",
        "x" * 500,
        "",
        "日本語です。",
        "Zero \x00 byte.",
        "- a list\n- of two",
    ]
)
TEXT = st.lists(SENTENCE, max_size=6).map(" ".join) | st.text(
    st.characters(codec="utf-8"), max_size=80
)
TURN = st.builds(Turn, st.sampled_from(["user", "assistant", "tool", "system"]), TEXT)
TURNS = st.lists(TURN, max_size=12)
COUNTER = st.sampled_from(sorted(COUNTERS)).map(COUNTERS.__getitem__)


def used(result: Compressed, count: Callable[[str], int]) -> int:
    return count(result.summary) + sum(count(turn.text) for turn in result.kept)


@given(TURNS, st.integers(-3, 300), COUNTER)
def test_never_exceeds_the_budget(
    turns: list[Turn], budget: int, count: Callable[[str], int]
) -> None:
    assert used(compress(turns, budget, count), count) <= max(budget, 0)


@given(TURNS.filter(bool), st.integers(0, 300), COUNTER)
def test_the_newest_turn_is_always_kept(
    turns: list[Turn], budget: int, count: Callable[[str], int]
) -> None:
    newest = compress(turns, budget, count).kept[-1]
    assert newest.role == turns[-1].role
    text = turns[-1].text
    if count(text) <= budget and len(text) <= 32 * budget:  # more characters a token are cut
        assert newest == turns[-1]
    else:
        head, _, tail = newest.text.partition(ELLIPSIS)
        assert turns[-1].text.startswith(head)
        assert turns[-1].text.endswith(tail)


@given(TURNS.filter(bool), st.integers(0, 300), COUNTER)
def test_kept_turns_are_the_newest_in_order(
    turns: list[Turn], budget: int, count: Callable[[str], int]
) -> None:
    kept = compress(turns, budget, count).kept
    assert list(kept[:-1]) == turns[len(turns) - len(kept) : -1]


@given(TURNS, st.integers(0, 300), COUNTER)
def test_a_summary_has_only_what_was_said_in_order(
    turns: list[Turn], budget: int, count: Callable[[str], int]
) -> None:
    result = compress(turns, budget, count)
    if not result.summary:
        return
    header, *lines = result.summary.split("\n")
    assert header == HEADER
    older = iter(turns[: len(turns) - len(result.kept)])
    for line in lines:
        role, _, text = line.partition(": ")
        fragments = [part for piece in text.split(ELLIPSIS) for part in piece.split() if part]
        assert any(
            turn.role == role and all(part in turn.text for part in fragments) for turn in older
        ), line


@given(TURNS, st.integers(0, 300))
def test_deterministic(turns: list[Turn], budget: int) -> None:
    assert compress(turns, budget, words) == compress(list(turns), budget, words)


@given(TURNS)
def test_what_fits_is_left_alone(turns: list[Turn]) -> None:
    assert compress(turns, 100_000, len) == Compressed("", tuple(turns))


def conversation(rounds: int) -> list[Turn]:
    return [
        turn
        for n in range(rounds)
        for turn in (
            Turn("user", f"Hello. I am on Ward {n}. How often is trolley {n} checked? Thanks."),
            Turn("assistant", f"Every morning. Feel free to ask more. Dr. Smith signs form F-{n}."),
        )
    ]


def test_an_example() -> None:
    result = compress(conversation(6), 76, words)
    assert result.summary.split("\n") == [
        HEADER,
        "user: How often is trolley 2 checked?",
        "assistant: Every morning.",
        "user: How often is trolley 3 checked?",
        "assistant: Every morning.",
    ]
    assert result.kept == tuple(conversation(6)[-4:])


def test_where_room_is_left_facts_are_added() -> None:
    answer = "It is checked daily. " + "That is how it is. " * 20 + "Dr. Smith signs form F-12."
    turns = [Turn("assistant", answer), Turn("user", "Thanks.")]
    assert compress(turns, 64, words).summary == (
        f"{HEADER}\nassistant: It is checked daily. Dr. Smith signs form F-12."
    )


def test_the_question_is_what_is_kept_of_a_question() -> None:
    turns = [Turn("user", "Hi! Is it open? Where is room 12? Thanks, Bob."), Turn("user", "z " * 9)]
    assert compress(turns, 18, words).summary == f"{HEADER}\nuser: Where is room 12?"


def test_messages() -> None:
    result = compress(conversation(6), 76, words)
    first, *rest = result.messages
    assert first == {"role": "system", "content": result.summary}
    assert rest == [{"role": turn.role, "content": turn.text} for turn in result.kept]
    assert compress([Turn("user", "Hi")], 9, words).messages == ({"role": "user", "content": "Hi"},)


def test_nothing_to_compress() -> None:
    assert compress([], 10, words) == Compressed("", ())
    assert compress([], 10, words).messages == ()


CUTS = {
    "fits": ("abc", 3, "abc"),
    "both ends": ("abcdefghijklmnop", 9, "abcd … op"),
    "nothing fits": ("abcdef", 2, ""),
    "no budget": ("abcdef", 0, ""),
}


@pytest.mark.parametrize(("text", "budget", "cut"), CUTS.values(), ids=CUTS.keys())
def test_cutting(text: str, budget: int, cut: str) -> None:
    assert cut_middle(text, budget, len) == cut


def test_a_huge_turn_is_never_counted_whole() -> None:
    longest = 0

    def count(text: str) -> int:
        nonlocal longest
        longest = max(longest, len(text))
        return len(text.split())

    huge = Turn("user", "word " * 2_000_000)
    result = compress([huge, huge, Turn("assistant", "Yes."), huge], 100, count)
    assert used(result, count) <= 100
    assert longest <= 100 * 32 + len(ELLIPSIS)


def test_an_answer_is_read_without_the_words_before_what_it_quotes() -> None:
    answer = Turn("assistant", f"{NEAREST} “Boats are blue.” [1]")
    assert unframed(answer).text == "“Boats are blue.” [1]"
    asked = Turn("user", f"What does {NEAREST} mean?")
    assert unframed(asked) == asked
