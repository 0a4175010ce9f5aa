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
    Done,
    Draft,
    Fault,
    Mode,
    Open,
    Opened,
    Reason,
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


@pytest.mark.parametrize(
    "frame", [OPEN, Draft(7, (1, 300), (0, 1)), Draft(7, (1,)), Draft(7, ()), Cancel()]
)
def test_what_a_device_writes_is_read_as_it_was(frame: Open | Draft | Cancel) -> None:
    assert read_device_frame(written(frame)) == frame


@pytest.mark.parametrize(
    "frame",
    [
        Opened(frames.VERSION, "m", 9, 16, "", 4),
        Tokens(9, (1, 2, 3), 2, 40_000),
        Done(Reason.STOP, 3, 9, 5, 9, 8),
        Fault("busy", "what", "hint"),
    ],
)
def test_what_a_cloud_writes_is_read_as_it_was(frame: Opened | Tokens | Done | Fault) -> None:
    assert read_cloud_frame(written(frame)) == frame


def test_bytes_on_the_wire() -> None:
    """As docs/hint-protocol.md shows them."""
    assert written(Draft(300, (5, 49_000))).hex(" ") == "94 02 cd 01 2c 92 05 cd bf 68 90"
    assert written(Tokens(300, (5, 6), 1, 900)).hex(" ") == "95 12 cd 01 2c 92 05 06 01 cd 03 84"
    assert written(Cancel()).hex(" ") == "91 03"


def test_parents_count_back() -> None:
    assert Draft(7, (1, 2, 3), (0, 1, 2)).tree() == Tree((1, 2, 3), (-1, 0, 0))


@pytest.mark.parametrize(
    "draft",
    [
        Draft(7, (1, 2), (0,)),
        Draft(7, (1, 2), (0, 2)),
        Draft(7, (1, 2), (1, 1)),
        Draft(7, (1, 1), (0, 0)),
        Draft(7, (1,) * 65),
        Draft(-1, (1,)),
        Draft(7, (-1,)),
        Draft(7, (1 << 31,)),
        Draft(1 << 40, (1,)),
    ],
)
def test_impossible_drafts_are_refused(draft: Draft) -> None:
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


def test_another_version_is_told_apart() -> None:
    with pytest.raises(VersionError, match="version 2"):
        read_device_frame(_open(version=2))


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
    whole = bytearray(written(OPEN))
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(whole[: data.draw(st.integers(0, len(whole)))])
    with contextlib.suppress(ProtocolError):
        read_device_frame(cut)


def test_nested_arrays_do_not_recurse_without_end() -> None:
    with pytest.raises(ProtocolError):
        read_device_frame(b"\x91" * 100_000)
