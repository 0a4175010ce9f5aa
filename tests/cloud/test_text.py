"""Generations in text: what the service says to devices that do not share the target's tokens."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.cloud.engines.base import Verifier
from skerry.cloud.engines.spelling import PieceSpelling
from skerry.cloud.hints.frames import (
    VERSION,
    Cancel,
    Choosing,
    CloudFrame,
    DeviceFrame,
    Done,
    Draft,
    Fault,
    Message,
    Mode,
    Open,
    Opened,
    Reason,
    Role,
    Said,
)
from skerry.cloud.service import Service
from skerry.cloud.simulate.paced import Pace, PacedVerifier
from tests.cloud.simulated import SIZE, VOCABULARY, ListChannel, SimulatedVerifier
from tests.cloud.talking import ASKED, OTHER, TalkingVerifier, prompt_of, said_alone

START = len(prompt_of(ASKED.messages))
TOKENS, TEXT = asyncio.run(said_alone(ASKED))


def served(*frames: DeviceFrame, verifier: Verifier | None = None) -> list[CloudFrame]:
    """What the cloud sends to a device that sends `frames`."""
    channel = ListChannel(frames)
    asyncio.run(Service(verifier or TalkingVerifier()).serve(channel))
    return channel.sent


def told(frames: Sequence[CloudFrame]) -> tuple[list[int], str]:
    said = [one for one in frames if isinstance(one, Said)]
    return [token for one in said for token in one.tokens], "".join(one.text for one in said)


def changed(**fields: object) -> Open:
    return msgspec.structs.replace(ASKED, **fields)


def resumed(tokens: Sequence[int], **fields: object) -> Open:
    """The rest of an answer that has these tokens."""
    given = {"tokens": tuple(tokens), "generated": len(tokens), "vocabulary": OTHER}
    return changed(max_tokens=40 - len(tokens), **{**given, **fields})


def test_what_the_target_says_comes_as_text() -> None:
    opened, *said, done = served(ASKED)
    assert isinstance(opened, Opened)
    assert (opened.version, opened.position) == (VERSION, START)
    assert (opened.drafts, opened.why) == (0, "it was asked in text")
    assert opened.vocabulary == OTHER
    assert told(said) == (TOKENS, TEXT)
    positions = [one.position for one in said if isinstance(one, Said)]
    assert positions == list(range(len(TOKENS)))
    assert isinstance(done, Done)
    assert (done.drafted, done.accepted, done.tokens) == (0, 0, len(TOKENS))


def test_a_device_with_other_tokens_is_told_that_it_may_ask_in_text() -> None:
    (fault,) = served(Open(VERSION, "", VOCABULARY, (1, 2)))
    assert isinstance(fault, Fault)
    assert (fault.code, fault.instead) == ("other_vocabulary", "messages")


def test_a_target_without_words_is_not_to_be_asked_in_text() -> None:
    (fault,) = served(Open(VERSION, "", OTHER, (1, 2)), verifier=SimulatedVerifier())
    assert isinstance(fault, Fault)
    assert (fault.code, fault.instead) == ("other_vocabulary", "")
    (fault,) = served(ASKED, verifier=SimulatedVerifier())
    assert isinstance(fault, Fault)
    assert "cannot be asked in text" in fault.what


def test_tokens_that_nobody_knows_are_asked_for_in_text() -> None:
    asked = Open(VERSION, "", VOCABULARY, (1, 2), max_tokens=4)
    (fault,) = served(asked, verifier=TalkingVerifier(b""))
    assert isinstance(fault, Fault)
    assert (fault.code, fault.instead) == ("unknown_vocabulary", "messages")
    silent = SimulatedVerifier()
    silent.facts = TalkingVerifier(b"").facts
    assert isinstance(served(asked, verifier=silent)[-1], Done), "there is no other way"
    plain = msgspec.structs.replace(asked, vocabulary=b"")
    assert isinstance(served(plain, verifier=TalkingVerifier(b""))[-1], Done)


def test_the_same_tokens_are_drafted_for_as_before() -> None:
    opened, *_ = served(Open(VERSION, "", OTHER, (1, 2), max_tokens=4))
    assert isinstance(opened, Opened)
    assert (opened.version, opened.drafts) == (VERSION, 16)


@pytest.mark.parametrize("count", range(len(TOKENS)))
def test_an_answer_goes_on_wherever_it_broke_off(count: int) -> None:
    """Also in the middle of a character."""
    whole = served(ASKED)[1:]
    before = told(whole[:count])
    rest = told(served(resumed(TOKENS[:count], vocabulary=OTHER if count else b"")))
    assert (before[0] + rest[0], before[1] + rest[1]) == (TOKENS, TEXT)


def test_an_answer_that_was_over_has_no_rest() -> None:
    opened, done = served(resumed([*TOKENS[:4], 0]))
    assert isinstance(opened, Opened)
    assert isinstance(done, Done)
    assert done.reason is Reason.STOP


def test_penalties_count_what_was_said_before() -> None:
    choosing = Choosing(1.0, frequency_penalty=0.9, presence_penalty=0.5, seed=3)
    tokens, text = told(served(changed(choosing=choosing)))
    rest = told(served(resumed(tokens[:7], choosing=choosing)))
    assert rest[0] == tokens[7:]
    assert text.endswith(rest[1])


@pytest.mark.parametrize("vocabulary", [b"", VOCABULARY], ids=["none", "another"])
def test_the_rest_of_another_models_answer_is_refused(vocabulary: bytes) -> None:
    (fault,) = served(resumed(TOKENS[:3], vocabulary=vocabulary))
    assert isinstance(fault, Fault)
    assert (fault.code, fault.instead) == ("other_vocabulary", "")


@pytest.mark.parametrize("token", [SIZE, 2**31 - 1])
def test_what_is_no_token_of_the_target_is_refused(token: int) -> None:
    (fault,) = served(resumed([token]))
    assert isinstance(fault, Fault)
    assert fault.code == "bad_request"


def test_drafts_are_not_read_and_nobody_is_waited_for() -> None:
    waits = changed(mode=Mode.THRIFT, patience_ms=10_000)
    assert told(served(waits, Draft(START, tuple(TOKENS[:4]), 0))) == (TOKENS, TEXT)


def test_it_ends_where_the_device_wants_no_more() -> None:
    *_, done = served(changed(max_tokens=3_000), Cancel())
    assert isinstance(done, Done)
    assert done.reason is Reason.CANCELLED


def test_a_template_that_refuses_says_why() -> None:
    odd = (Message("user", "a"), Message("system", "b"))
    (fault,) = served(changed(messages=odd))
    assert isinstance(fault, Fault)
    assert "chat template" in fault.what


def test_nothing_of_it_is_kept_for_later() -> None:
    """A device that shares the tokens must not go on from what was said in text."""
    service = Service(TalkingVerifier())
    channel = ListChannel([changed(session="s")])
    asyncio.run(service.serve(channel))
    channel = ListChannel([Open(VERSION, "", OTHER, (1,), session="s", kept=2)])
    asyncio.run(service.serve(channel))
    (fault,) = channel.sent
    assert isinstance(fault, Fault)
    assert fault.code == "no_context"


def test_a_slower_target_says_the_same() -> None:
    paced = PacedVerifier(TalkingVerifier(), Pace(pass_ms=0.1))
    assert told(served(ASKED, verifier=paced)) == (TOKENS, TEXT)
    (fault,) = served(ASKED, verifier=PacedVerifier(SimulatedVerifier(), Pace(pass_ms=0.1)))
    assert isinstance(fault, Fault)


@given(st.text(max_size=40), st.lists(st.integers(0, 6), max_size=30))
def test_however_a_text_is_cut_its_characters_come_whole(text: str, cuts: list[int]) -> None:
    """Each token is a few bytes; the end of an answer says nothing."""
    data, pieces = text.encode(), [b"</s>"]
    for cut in cuts:
        pieces.append(data[:cut])
        data = data[cut:]
    pieces.append(data)
    spelling = PieceSpelling(pieces.__getitem__, frozenset({0}))
    said = [asyncio.run(spelling.feed([token])) for token in (*range(1, len(pieces)), 0)]
    assert "".join(said) == text


@given(
    st.lists(st.tuples(st.sampled_from(["system", "user", "assistant"]), st.text(max_size=20)),
             min_size=1, max_size=4),
    st.lists(st.integers(0, 2 * SIZE), max_size=6),
    st.sampled_from([OTHER, VOCABULARY, b""]),
    st.lists(st.builds(Draft, st.integers(0, 9), st.just((1, 2)), st.integers(0, 127))),
)  # fmt: skip
def test_whatever_is_asked_ends_in_order_and_every_text_is_in_place(
    said: list[tuple[Role, str]], tokens: list[int], vocabulary: bytes, drafts: list[Draft]
) -> None:
    messages = tuple(Message(role, content) for role, content in said)
    asked = msgspec.structs.replace(
        resumed(tokens, messages=messages, vocabulary=vocabulary), max_tokens=6
    )
    *frames, last = served(asked, *drafts)
    assert isinstance(last, Done | Fault)
    heard = [one for one in frames if isinstance(one, Said)]
    assert len(frames) == len(heard) + bool(frames)
    assert [one.position for one in heard] == list(range(len(heard)))
    assert isinstance(last, Done) or not frames
