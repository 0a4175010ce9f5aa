"""Token ids on the wire."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.cloud.errors import ProtocolError
from skerry.cloud.hints.frames import read_cloud_frame, read_device_frame
from skerry.cloud.hints.ids import packed_ids, unpacked_ids


@given(st.lists(st.integers(0, (1 << 31) - 1), max_size=70))
def test_what_is_packed_is_read_as_it_was(tokens: list[int]) -> None:
    data = packed_ids(tokens)
    assert unpacked_ids(data) == tuple(tokens)
    assert len(data) <= 5 * len(tokens)


@pytest.mark.parametrize(
    ("token", "data"), [(0, "00"), (127, "7f"), (128, "8001"), (16_383, "ff7f"), (16_384, "808001")]
)
def test_packed(token: int, data: str) -> None:
    """As in DWARF 5, table 7.8, and beyond it."""
    assert packed_ids([token]).hex() == data


@given(st.binary(max_size=40))
def test_any_bytes_are_ids_or_none(data: bytes) -> None:
    try:
        assert all(0 <= token < 1 << 35 for token in unpacked_ids(data))
    except ProtocolError:
        assert data


@pytest.mark.parametrize(
    "frame",
    [
        "940201910505",  # an array in place of packed ids
        "940201c4018005",  # the last id is cut off
        "940201c405ffffffffff05",  # an id without an end
        "940201c405808080801005",  # an id that is too large
        "940201a1ff05",  # a text that is none
        "9402",
        "01",
        "810101",
        "9491020102",
        "94c40101010101",
        "8191020102",
    ],
)
def test_frames_that_are_none(frame: str) -> None:
    for read in (read_device_frame, read_cloud_frame):
        with pytest.raises(ProtocolError):
            read(bytes.fromhex(frame))
