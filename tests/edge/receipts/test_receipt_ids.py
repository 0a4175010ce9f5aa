"""Receipt ids: RFC 9562 version 7, sorted by time."""

from __future__ import annotations

from uuid import RFC_4122, UUID

from hypothesis import given
from hypothesis import strategies as st

from skerry.edge.receipts import new_id
from skerry.edge.receipts.ids import uuid7

times = st.integers(0, (1 << 48) * 1_000_000 - 1)
random_bits = st.integers(0, (1 << 62) - 1)


def test_the_example_of_the_rfc() -> None:
    """RFC 9562, appendix A.6, whose random part starts where our fraction of a millisecond is."""
    unix_ms, rand_a, rand_b = 0x017F22E279B0, 0xCC3, 0x18C4DC0C0C07398F
    unix_ns = unix_ms * 1_000_000 + (rand_a * 1_000_000 + 4095) // 4096
    assert uuid7(unix_ns, rand_b) == "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"


@given(times, random_bits)
def test_version_and_variant(unix_ns: int, random: int) -> None:
    number = UUID(uuid7(unix_ns, random))
    assert (number.version, number.variant) == (7, RFC_4122)


@given(times, times, random_bits, random_bits)
def test_ids_sort_by_time(one: int, other: int, r: int, s: int) -> None:
    early, late = sorted([one, other])
    if late - early >= 245:
        assert uuid7(early, r) < uuid7(late, s)


def test_ids_are_unique() -> None:
    assert len({new_id() for _ in range(10_000)}) == 10_000
