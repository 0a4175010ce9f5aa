"""What a day means, in the machine's own time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from skerry.edge.index import days
from skerry.edge.index.parse import governance, parse_data

NEW_YEAR = datetime(2027, 1, 1, 5, tzinfo=UTC).timestamp()


@pytest.fixture(autouse=True)
def new_york(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Five hours behind UTC in winter, four in summer; no file of zones is needed."""
    with monkeypatch.context() as here:
        here.setenv("TZ", "EST5EDT,M3.2.0,M11.1.0")
        time.tzset()
        yield
    time.tzset()


def test_a_day_is_whole_and_of_this_machine() -> None:
    assert days.ends("2026-12-31") == NEW_YEAR
    assert days.begins("2026-12-31") == NEW_YEAR - 86_400
    assert days.ends("2026-03-08") - days.begins("2026-03-08") == 23 * 3600
    assert days.day_of(NEW_YEAR - 1) == "2026-12-31"
    assert days.is_midnight(NEW_YEAR)
    assert not days.is_midnight(NEW_YEAR - 5 * 3600)


def test_a_time_is_that_moment() -> None:
    assert days.ends("2027-01-01T00:00") == NEW_YEAR
    assert days.begins("2027-01-01T05:00Z") == NEW_YEAR
    with pytest.raises(ValueError, match="isoformat"):
        days.begins("soon")


def test_a_day_that_is_asked_about_is_its_end_and_today_is_now() -> None:
    assert days.as_of("2026-12-31", NEW_YEAR + 1) == NEW_YEAR - 1
    assert days.as_of("2026-12-31", NEW_YEAR - 60) == NEW_YEAR - 60


def test_front_matter_says_the_same() -> None:
    text = b"---\nvalid-from: 2026-12-31\nexpires: 2026-12-31\n---\n# Pier\n\nClosed."
    said = governance(parse_data(text, "pier.md"))
    assert (said.valid_from, said.expires_at) == (NEW_YEAR - 86_400, NEW_YEAR)
