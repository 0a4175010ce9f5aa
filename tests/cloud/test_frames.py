"""Frames: byte by byte, and what is refused."""

from __future__ import annotations

import contextlib

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.cloud.errors import ProtocolError, VersionError
from skerry.cloud.hints import frames
from skerry.cloud.hints.frames import (
    Cancel,
    Choosing,
    CloudFrame,
    Done,
    Draft,
    Drafts,
    Fault,
    Message,
    Mode,
    Open,
    Opened,
    Reason,
    Said,
    Tokens,
    read_cloud_frame,
    read_device_frame,
    written,
)
from skerry.cloud.hints.tree import Tree

OPEN = Open(
    frames.VERSION,
    "m",
    b"v" * 32,
    (1, 2),
    Choosing(0.5, seed=9),
    Mode.THRIFT,
    20,
    64,
    (2,),
    "s",
    5,
    1,
)

SPOKEN = Open(
    frames.VERSION, "m", b"o" * 32, (7, 300), Choosing(seed=9), max_tokens=64, generated=2,
    messages=(Message("system", "Be brief."), Message("user", "Héé?")),
)  # fmt: skip


@pytest.mark.parametrize(
    "frame",
    [
        OPEN,
        SPOKEN,
        Drafts(7, (1, 300), 127, (0, 1)),
        Draft(7, (1,), 127),
        Draft(7, (), 0),
        Cancel(),
    ],
)
def test_what_a_device_writes_is_read_as_it_was(frame: Open | Draft | Drafts | Cancel) -> None:
    assert read_device_frame(written(frame)) == frame


@pytest.mark.parametrize(
    "frame",
    [
        Opened(frames.VERSION, "m", 9, 16, "", 4),
        Opened(frames.VERSION, "m", 9, 0, "why", 4, b"o" * 32),
        Tokens(9, (1, 2, 3), 2, 40_000),
        Said(9, (1, 2), "é", 40_000),
        Fault("other_vocabulary", "what", "hint", "messages"),
        Done(Reason.STOP, 3, 9, 5, 9, 8),
        Fault("busy", "what", "hint"),
    ],
)
def test_what_a_cloud_writes_is_read_as_it_was(frame: CloudFrame) -> None:
    assert read_cloud_frame(written(frame)) == frame


def test_bytes_on_the_wire() -> None:
    """As docs/hint-protocol.md shows them."""
    written_as = {
        Draft(300, (5, 49_000), 9): "94 02 cd 01 2c c4 04 05 e8 fe 02 09",
        Tokens(300, (5, 6), 1, 900): "95 12 cd 01 2c c4 02 05 06 01 cd 03 84",
        Tokens(3, (5,)): "93 12 03 c4 01 05",
        Tokens(3, (5,), 0, 900): "95 12 03 c4 01 05 00 cd 03 84",
        Said(300, (5,), "é", 900): "95 15 cd 01 2c c4 01 05 a2 c3 a9 cd 03 84",
    }
    for frame, data in written_as.items():
        assert written(frame).hex(" ") == data
    assert written(Message("user", "é")).hex(" ") == "92 a4 75 73 65 72 a2 c3 a9"
    assert written(Cancel()).hex(" ") == "91 03"


def test_parents_count_back() -> None:
    assert Drafts(7, (1, 2, 3), 0, (0, 1, 2)).tree() == Tree((1, 2, 3), (-1, 0, 0))


@pytest.mark.parametrize(
    "draft",
    [
        Drafts(7, (1, 2), 0, (0,)),
        Drafts(7, (1, 2), 0, (0, 2)),
        Drafts(7, (1, 2), 0, (1, 1)),
        Drafts(7, (1, 1), 0, (0, 0)),
        Drafts(7, (), 0, ()),
        Draft(7, (1,) * 65, 0),
        Draft(-1, (1,), 0),
        Draft(7, (1 << 31,), 0),
        Draft(1 << 40, (1,), 0),
        Draft(7, (1,), 128),
        Draft(7, (1,), -1),
    ],
)
def test_impossible_drafts_are_refused(draft: Draft | Drafts) -> None:
    with pytest.raises(ProtocolError):
        read_device_frame(written(draft))


def _open(**changed: object) -> bytes:
    return written(msgspec.structs.replace(OPEN, **changed))


@pytest.mark.parametrize(
    "changed",
    [
        {"max_tokens": 0},
        {"max_tokens": 1 << 30},
        {"patience_ms": 1 << 30},
        {"generated": 99},
        {"vocabulary": b"v" * 33},
        {"model": "m" * 5_000},
        {"ends": tuple(range(65))},
        {"choosing": Choosing(temperature=float("nan"))},
        {"choosing": Choosing(temperature=float("inf"))},
        {"choosing": Choosing(temperature=-1.0)},
        {"choosing": Choosing(top_p=0.0)},
        {"choosing": Choosing(repetition_penalty=0.0)},
        {"choosing": Choosing(frequency_penalty=float("nan"))},
        {"choosing": Choosing(seed=-1)},
    ],
    ids=str,
)
def test_impossible_openings_are_refused(changed: dict[str, object]) -> None:
    with pytest.raises(ProtocolError):
        read_device_frame(_open(**changed))


def _spoken(**changed: object) -> bytes:
    return written(msgspec.structs.replace(SPOKEN, **changed))


@pytest.mark.parametrize(
    "changed",
    [
        {"version": 1},
        {"messages": (Message("tool", "a"),)},  # type: ignore[arg-type]
        {"messages": (Message("", "a"),)},  # type: ignore[arg-type]
        {"messages": (Message("user", b"\xff"),)},  # type: ignore[arg-type]
        {"messages": (Message("user", None),)},  # type: ignore[arg-type]
        {"messages": (Message("user", "a"),) * 257},
        {"messages": ("user", "a")},
        {"generated": 1},
        {"generated": 3},
        {"kept": 1},
        {"ends": (2,)},
        {"vocabulary": b"v" * 33},
    ],
    ids=str,
)
def test_impossible_openings_in_text_are_refused(changed: dict[str, object]) -> None:
    with pytest.raises(ProtocolError):
        read_device_frame(_spoken(**changed))


@pytest.mark.parametrize(
    "data",
    [
        bytes.fromhex("95 15 05 c4 01 05 a2 c3 28 00"),
        bytes.fromhex("95 15 05 c4 01 05 a3 ed a0 80 00"),
        bytes.fromhex("95 15 05 c4 01 05 a1 c3 00"),
        bytes.fromhex("95 15 05 c4 01 05 c4 01 61 00"),
        written(Said(5, (), "a")),
        written(Said(5, (1,), "a" * 4_097)),
        written(Said(5, (1,) * 66, "a")),
        written(Said(-1, (1,), "a")),
    ],
    ids=[
        "no UTF-8", "a surrogate", "half a character", "bytes", "no token", "too long",
        "too many tokens", "before the beginning",
    ],
)  # fmt: skip
def test_impossible_texts_are_refused(data: bytes) -> None:
    with pytest.raises(ProtocolError):
        read_cloud_frame(data)


def test_newer_fields_may_be_missing_at_the_end() -> None:
    opened = Opened(frames.VERSION, "m", 5, 0)
    assert read_cloud_frame(bytes.fromhex("95 11 02 a1 6d 05 00")) == opened
    assert read_cloud_frame(bytes.fromhex("93 14 a1 63 a1 77")) == Fault("c", "w")


def test_another_version_is_told_apart() -> None:
    with pytest.raises(VersionError, match="version 1"):
        read_device_frame(_open(version=1))


@pytest.mark.parametrize("patience_ms", [-1, frames.MOST_PATIENCE_MS + 1, 0.5, "9", None])
def test_an_impossible_patience_is_refused(patience_ms: object) -> None:
    with pytest.raises(ProtocolError):
        read_device_frame(written(frames.Wait(patience_ms)))  # type: ignore[arg-type]
    assert read_device_frame(written(frames.Wait(30))) == frames.Wait(30)


def test_a_frame_of_the_other_side_is_refused() -> None:
    with pytest.raises(ProtocolError):
        read_device_frame(written(Done(Reason.STOP, 1, 1, 1, 1, 1)))
    with pytest.raises(ProtocolError):
        read_cloud_frame(written(Cancel()))
    with pytest.raises(ProtocolError):
        read_cloud_frame(written(Tokens(1, (1,), 2)))


def test_a_huge_frame_is_not_parsed() -> None:
    with pytest.raises(ProtocolError, match="bytes"):
        read_device_frame(bytes(frames.MOST_BYTES + 1))


@given(st.binary(max_size=200))
def test_noise_is_an_error_of_the_protocol(data: bytes) -> None:
    for read in (read_device_frame, read_cloud_frame):
        with contextlib.suppress(ProtocolError):
            read(data)


@given(st.data())
def test_a_cut_or_changed_frame_is_read_or_refused(data: st.DataObject) -> None:
    whole = bytearray(written(data.draw(st.sampled_from([OPEN, SPOKEN]))))
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(whole[: data.draw(st.integers(0, len(whole)))])
    with contextlib.suppress(ProtocolError):
        read_device_frame(cut)


@given(
    st.lists(st.tuples(st.sampled_from(["system", "user", "assistant"]), st.text()), min_size=1),
    st.lists(st.integers(0, 2**31 - 1), max_size=20),
)
def test_any_text_is_read_as_it_was_written(
    said: list[tuple[frames.Role, str]], tokens: list[int]
) -> None:
    messages = tuple(Message(role, content) for role, content in said)
    whole = msgspec.structs.replace(
        SPOKEN, messages=messages, tokens=tuple(tokens), generated=len(tokens)
    )
    assert read_device_frame(written(whole)) == whole


@given(st.text(max_size=200), st.integers(0, 2**17), st.integers(1, 65))
def test_any_piece_of_an_answer_is_read_as_it_was_written(
    text: str, position: int, count: int
) -> None:
    said = Said(position, tuple(range(count)), text, 7)
    assert read_cloud_frame(written(said)) == said


def test_nested_arrays_do_not_recurse_without_end() -> None:
    with pytest.raises(ProtocolError):
        read_device_frame(b"\x91" * 100_000)
