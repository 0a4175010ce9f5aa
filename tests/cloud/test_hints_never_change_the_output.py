"""Late, lost, repeated, reordered, contradictory and hostile hints: the output is the target's."""

from __future__ import annotations

import asyncio
import time

from hypothesis import given, settings
from hypothesis import strategies as st

from skerry.cloud.engines.base import Pass
from skerry.cloud.errors import ProtocolError
from skerry.cloud.hints.frames import (
    VERSION,
    Choosing,
    CloudFrame,
    Done,
    Draft,
    Drafts,
    Fault,
    Mode,
    Open,
    Opened,
    Tokens,
    Wait,
    read_device_frame,
    written,
)
from skerry.cloud.hints.trace import trace
from skerry.cloud.hints.tree import Tree
from skerry.cloud.service import Service

from .simulated import SIZE, VOCABULARY, ListChannel, SimulatedVerifier, alone

PROMPT = (3, 1, 4, 1, 5)
COUNT = 40

choosings = st.builds(
    Choosing,
    temperature=st.sampled_from([0.0, 0.3, 1.0, 2.0]),
    top_k=st.integers(0, 30),
    top_p=st.floats(0.1, 1),
    min_p=st.sampled_from([0.0, 0.05]),
    repetition_penalty=st.sampled_from([1.0, 1.3]),
    presence_penalty=st.sampled_from([0.0, 0.7]),
    seed=st.integers(0, 2**63 - 1),
)


def _tree(pairs: list[tuple[int, int]]) -> list[int]:
    """Steps back to a parent that exists."""
    return [min(back, i + 1) % (i + 1) for i, (_, back) in enumerate(pairs)]


@st.composite
def wild(draw: st.DrawFn) -> Draft | Drafts | None:
    """Any draft that can be read."""
    pairs = draw(
        st.lists(st.tuples(st.integers(0, SIZE + 3), st.integers(0, 6)), min_size=1, max_size=12)
    )
    parents = tuple(_tree(pairs)) if draw(st.booleans()) else ()
    position, after = draw(st.integers(0, 60)), draw(st.integers(0, 127))
    tokens = tuple(token for token, _ in pairs)
    if parents:
        return _readable(Drafts(position, tokens, after, parents))
    return _readable(Draft(position, tokens, after))


@st.composite
def truthful(draw: st.DrawFn) -> tuple[int, int]:
    """Where a hint with the target's own words starts, and how long it is."""
    return draw(st.integers(0, COUNT - 1)), draw(st.integers(1, 9))


waits = st.builds(Wait, st.integers(0, 1))


def _readable(draft: Draft | Drafts) -> Draft | Drafts | None:
    try:
        return read_device_frame(written(draft))  # type: ignore[return-value]
    except ProtocolError:
        return None


@settings(max_examples=300, deadline=None)
@given(
    choosings,
    st.lists(st.one_of(wild(), truthful(), waits), max_size=25),
    st.sampled_from(Mode),
    st.integers(0, 16),
)
def test_the_output_is_what_the_target_says_alone(choosing, hints, mode, drafts):  # type: ignore[no-untyped-def]
    expected = alone(PROMPT, choosing.sampling(), COUNT)
    frames = [_hint(one, expected) for one in hints]
    asked = Open(VERSION, "", VOCABULARY, PROMPT, choosing, mode, patience_ms=1, max_tokens=COUNT)
    channel = ListChannel([asked, *(one for one in frames if one is not None)])
    asyncio.run(Service(SimulatedVerifier(drafts)).serve(channel))

    opened, *told, done = channel.sent
    assert isinstance(opened, Opened)
    assert isinstance(done, Done)
    position, said = 0, list[int]()
    for frame in told:
        assert isinstance(frame, Tokens)
        assert frame.position == position
        position += len(frame.tokens)
        said += frame.tokens
    assert said == expected
    assert done.tokens == len(expected)
    assert done.passes == len(told)
    assert done.accepted <= done.drafted


Said = Draft | Drafts | Wait


def _hint(one: Said | tuple[int, int] | None, expected: list[int]) -> Said | None:
    if not isinstance(one, tuple):
        return one
    start, size = one
    words = tuple(expected[start : start + size])
    return _true(start, words, expected) if words else None


def _true(at: int, words: tuple[int, ...], expected: list[int]) -> Draft:
    return Draft(at, words, trace(expected[at - 1] if at else PROMPT[-1]))


def test_true_hints_save_passes() -> None:
    choosing = Choosing(temperature=1.0, seed=5)
    expected = alone(PROMPT, choosing.sampling(), COUNT)
    hints = [_true(at, tuple(expected[at : at + 8]), expected) for at in range(0, len(expected), 8)]
    asked = Open(VERSION, "", VOCABULARY, PROMPT, choosing, max_tokens=COUNT)
    channel = ListChannel([asked, *hints])
    asyncio.run(Service(SimulatedVerifier()).serve(channel))
    done = channel.sent[-1]
    assert isinstance(done, Done)
    assert done.passes < len(expected) / 3
    assert done.accepted > len(expected) / 2


class TimedTarget:
    """Says the next token, and that it took so long [s]."""

    cached = 0

    def __init__(self, took: list[float]) -> None:
        self._took = iter(took)

    async def look(self, tree: Tree) -> Pass:
        return Pass((7,), 0, next(self._took))

    async def close(self) -> None:
        """Nothing is held."""


class Timed(SimulatedVerifier):
    def __init__(self, took: list[float]) -> None:
        super().__init__()
        self._took = took

    async def open(self, *_: object, **__: object) -> TimedTarget:  # type: ignore[override]
        return TimedTarget(self._took)


def test_what_a_pass_took_is_told_where_it_is_news() -> None:
    asked = Open(VERSION, "", VOCABULARY, PROMPT, max_tokens=6)
    channel = ListChannel([asked])
    asyncio.run(Service(Timed([0.04, 0.041, 0.038, 0.06, 0.061, 0.04])).serve(channel))
    told = [frame.pass_us for frame in channel.sent if isinstance(frame, Tokens)]
    assert told == [40_000, 0, 0, 60_000, 0, 40_000]


class WithoutIdeas(ListChannel):
    """A device that says after each token that it has no idea for the next."""

    async def send(self, frame: CloudFrame) -> None:
        await super().send(frame)
        match frame:
            case Opened():
                self.say(Draft(0, (), trace(PROMPT[-1])))
            case Tokens(position, tokens):
                self.say(Draft(position + len(tokens), (), trace(tokens[-1])))


def test_a_device_without_an_idea_is_not_waited_for() -> None:
    """A patience of ten seconds for each of eight passes, and none is spent."""
    asked = Open(
        VERSION, "", VOCABULARY, PROMPT, mode=Mode.THRIFT, patience_ms=10_000, max_tokens=8
    )
    channel = WithoutIdeas([asked])

    async def within() -> None:
        async with asyncio.timeout(9):
            await Service(SimulatedVerifier()).serve(channel)

    asyncio.run(within())
    assert isinstance(channel.sent[-1], Done)


def test_a_device_with_other_tokens_is_refused() -> None:
    """Its prompt would be read as other words."""
    channel = ListChannel([Open(VERSION, "", b"other", PROMPT, max_tokens=8)])
    verifier = SimulatedVerifier()
    asyncio.run(Service(verifier).serve(channel))
    (fault,) = channel.sent
    assert isinstance(fault, Fault)
    assert fault.code == "other_vocabulary"
    assert verifier.opened == []


def test_a_device_may_end_the_waiting() -> None:
    asked = Open(
        VERSION, "", VOCABULARY, PROMPT, mode=Mode.THRIFT, patience_ms=10_000, max_tokens=8
    )
    channel = ListChannel([asked, Wait(0)])

    async def within() -> None:
        async with asyncio.timeout(9):
            await Service(SimulatedVerifier()).serve(channel)

    asyncio.run(within())
    assert isinstance(channel.sent[-1], Done)


def test_a_device_may_begin_to_be_waited_for() -> None:
    """It is silent, so that passes after the first ones wait."""
    asked = Open(VERSION, "", VOCABULARY, PROMPT, max_tokens=8)
    channel = ListChannel([asked, Wait(40)])

    async def took() -> float:
        began = time.monotonic()
        await Service(SimulatedVerifier()).serve(channel)
        return time.monotonic() - began

    assert asyncio.run(took()) > 4 * 0.04
    assert isinstance(channel.sent[-1], Done)


def test_a_device_that_hangs_up_frees_its_place() -> None:
    verifier = SimulatedVerifier()
    asked = Open(VERSION, "", VOCABULARY, PROMPT, max_tokens=4000)
    asyncio.run(Service(verifier).serve(ListChannel([asked], hangs_up=True)))
    assert verifier.opened[0].closed
    assert len(verifier.opened[0].looked) < 10


def test_a_second_opening_is_a_fault() -> None:
    asked = Open(VERSION, "", VOCABULARY, PROMPT, max_tokens=4000)
    channel = ListChannel([asked, asked])
    asyncio.run(Service(SimulatedVerifier()).serve(channel))
    last = channel.sent[-1]
    assert isinstance(last, Fault)
    assert last.code == "bad_frame"
