"""What is quoted for a question about a day of the week: never what is of another day."""

from __future__ import annotations

from datetime import date

import pytest

from skerry.edge.encoder import OnnxEncoder
from skerry.edge.followup import Asked
from skerry.edge.quoting import Reading
from skerry.guardrails.answer import Evidence

SATURDAY = date(2026, 11, 28)
POOL = Evidence(
    1,
    "| Day | Main pool | Sauna |\n|---|---|---|\n| Monday | closed | closed |\n"
    "| Tuesday | 7:00-21:00 | 14:00-20:00 |\n| Wednesday | 7:00-19:00 | closed |\n"
    "| Friday | 12:00-21:00 | 15:00-21:00 |\n| Saturday | 8:00-18:00 | 10:00-18:00 |\n"
    "| Sunday | 8:00-16:00 | closed |\n\n"
    "We are closed on public holidays. The last swimmers leave the pool 20 minutes before it "
    "closes.",
    context="Swimming pool\nTimes",
)
LIBRARY = Evidence(
    2,
    "- Monday: closed\n- Tuesday to Thursday: 10:00 to 18:00\n- Friday: 10:00 to 20:00\n"
    "- Saturday: 9:30 to 13:00\n\nOn Sundays the library's reading room is open from 13:00.",
    context="Library\nOpening hours",
)
MARKET = Evidence(
    3,
    "The market is held every day except Mondays, from 8:00 to 13:00. The fish stall is there "
    "from Thursday to Saturday. Storytelling is on Wednesdays at 15:30.",
    context="Market",
)
STAFF = Evidence(
    4,
    "| Name | Role | Days |\n|---|---|---|\n| Ada Holm | Baker | Tuesday to Friday |\n"
    "| Bo Lind | Cook | Tuesday, Wednesday, Friday |",
    context="Staff",
)


@pytest.fixture(scope="module")
def read(encoder: OnnxEncoder):
    def reading(question: str, before: str = ""):
        asked = Asked(question, before)
        vector = encoder.encode([asked.text])[0]
        sources = (POOL, LIBRARY, MARKET, STAFF)
        return Reading(asked, vector, sources, encoder, today=SATURDAY)

    return reading


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ("what time does the main pool close on tuesday", "Day: Tuesday"),
        ("When does the sauna close on Wednesday?", "Day: Wednesday"),
        ("Is the main pool closed on Friday?", "Day: Friday"),
        ("what time does the pool close on saturday", "Day: Saturday"),
        ("Is the swimming pool open today?", "Day: Saturday"),
        ("Is the main pool open tomorrow?", "Day: Sunday"),
        ("when does the library close on wednesday", "Tuesday to Thursday"),
        ("Is the library open on Monday?", "Monday: closed"),
        ("Is there a market on Wednesday?", "every day except Mondays"),
        ("Is the market open on Monday?", "every day except Mondays"),
        ("Is the fish stall there on Friday?", "from Thursday to Saturday"),
    ],
)
def test_the_day_that_is_asked_about_answers(read, question: str, told: str) -> None:
    quoted = read(question).quote()
    assert told in quoted.text
    assert quoted.fits


@pytest.mark.parametrize(
    "question", ["Is there storytelling on Saturday?", "Is the fish stall there on Tuesday?"]
)
def test_what_is_of_another_day_does_not_fit(read, question: str) -> None:
    quoted = read(question).quote()
    assert quoted is None or not quoted.fits


def test_a_day_that_goes_on_takes_the_place_of_the_one_before(read) -> None:
    quoted = read("And on Friday?", "When does the sauna close on Tuesday?").quote()
    assert quoted.text.startswith("Day: Friday")


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ("Is the main pool open at the weekend?", ("Day: Saturday", "Day: Sunday")),
        ("When is the library open at the weekend?", ("Saturday: 9:30", "On Sundays")),
    ],
)
def test_several_days_are_quoted_each(read, question: str, told: tuple[str, str]) -> None:
    quoted = read(question).quote()
    assert all(one in quoted.text for one in told)
    assert "Friday" not in quoted.text
    assert quoted.fits


def test_a_row_of_another_day_is_the_nearest_where_it_has_the_name(read) -> None:
    quoted = read("Does Bo work on Thursdays?").quote()
    assert "Bo Lind" in quoted.text
    assert not quoted.fits
