"""Appointments: what is read in a request, what is done, and what is not there."""

from __future__ import annotations

import ast
import threading
from contextlib import suppress
from datetime import date, time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.edge.errors import InputError, StateCorrupt
from skerry.edge.tools import Confirmation, Context, Outcome, SoftFail, Toolbox, ToolInvalid
from skerry.edge.tools.answering import run
from skerry.edge.tools.appointments import AppointmentBook, appointment_tools
from skerry.edge.tools.appointments import book as book_module
from skerry.edge.tools.appointments.reading import NoSuchTime, read
from skerry.edge.tools.plan import by_rules
from skerry.edge.tools.statements import Statement
from tests.edge.tools.conftest import MONDAY, NOW


def ask(box: Toolbox, question: str) -> str:
    """What is answered to a request; empty where it is for no tool."""
    box.results.clear()
    answering = run(box, question, None, lambda text, others: [0.0] * len(others), None)  # type: ignore[arg-type]
    return "" if answering is None else "".join(event.text for event in answering)


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        (
            "Which appointments are free on Monday?",
            "Free on Monday 30 November 2026: 09:00, 09:30, 10:00, 10:30 with Dr Lund; 10:00, "
            "10:30 with Nurse Obi.",
        ),
        (
            "Are there any slots on Monday before 10?",
            "Free on Monday 30 November 2026: 09:00, 09:30 with Dr Lund.",
        ),
        (
            "What appointments are available with nurse Obi on Monday at 10?",
            "Free on Monday 30 November 2026: 10:00 with Nurse Obi.",
        ),
        (
            "Show me the free slots of tomorrow",
            "Nothing is free on Saturday 28 November 2026 that fits. The next that is free: Monday "
            "30 November 2026 at 09:00 with Dr Lund.",
        ),
        ("Which slots are free on 31 November?", "There is no 31 November 2026."),
        (
            "When is an appointment with Dr Who free?",
            "Dr Who gives no appointments here. Those who do: Dr Lund and Nurse Obi.",
        ),
        ("What slots were free on 2026-11-02?", "Monday 2 November 2026 is over."),
        (
            "Do you have an appointment on Tuesday?",
            "Free on Tuesday 1 December 2026: 14:00, 14:30 with Dr Lund.",
        ),
        (
            "When is the next appointment?",
            "Free on Monday 30 November 2026: 09:00, 09:30, 10:00, 10:30 with Dr Lund; 10:00, "
            "10:30 with Nurse Obi. Free on Tuesday 1 December 2026: 14:00, 14:30 with Dr Lund.",
        ),
    ],
)
def test_what_is_free(desk: Toolbox, question: str, answer: str) -> None:
    assert ask(desk, question) == answer


def test_booking_is_confirmed_done_and_cancelled(
    desk: Toolbox, book: AppointmentBook, confirmed: list[Confirmation]
) -> None:
    said = ask(desk, "Please book me a slot for Ada Lovelace on Monday at 10")
    assert [one.text for one in confirmed] == [
        "Book Monday 30 November 2026 at 10:00 with Dr Lund, for Ada Lovelace"
    ]
    (booking,) = book.booked(MONDAY, MONDAY)
    assert said == (
        "Booked for Ada Lovelace: Monday 30 November 2026 at 10:00, 30 minutes with Dr Lund. The "
        f"code is {booking.code}; whoever has it can cancel the appointment."
    )
    assert "10:00 with Dr Lund" not in ask(desk, "Which slots are free on Monday?")
    assert "Ada Lovelace" in ask(desk, "Who is booked on Monday?")
    assert ask(desk, f"Cancel the appointment {booking.code.lower()}").startswith("Cancelled: Mon")
    assert book.booked(MONDAY, MONDAY) == []


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("Book me a slot on Monday", "At what time? Free on Monday"),
        ("Book me an appointment at 10", "On which day? Free on Monday"),
        ("I need an appointment on Monday at 8", "Monday 30 November 2026 at 08:00 is not free."),
        ("Book a slot on Sunday at 10", "Nothing is free on Sunday"),
        ("Book an appointment with Dr Smith on Monday at 9", "Dr Smith gives no appointments"),
        ("Book me an appointment on 2026-11-01 at 10", "is over"),
        ("Cancel my appointment ZZ99ZZ", "no appointment with the code ZZ99ZZ"),
        ("Cancel my appointment", "Give its code"),
    ],
)
def test_what_is_not_there_is_said_and_nobody_asked(
    desk: Toolbox, book: AppointmentBook, confirmed: list[Confirmation], question: str, words: str
) -> None:
    assert words in ask(desk, question)
    assert desk.results[0].outcome is Outcome.UNCLEAR
    assert not confirmed
    assert book.booked(date(2026, 1, 1), date(2027, 1, 1)) == []


@pytest.mark.parametrize(
    "question",
    [
        "Book a slot on Monday at 9",
        "could you please book me in on monday at 9:00",
        "Make an appointment for Ada Lovelace on Monday at 9 am",
        "I'd like an appointment on Monday at nine",
        "I'd like an appointment on Monday at nine o'clock",
        "Can I have an appointment on Monday at 9?",
        "Hello, please give me a free slot at 09:00 on 30 November",
        "I need to book the first appointment on Monday at 9",
    ],
)
def test_how_people_ask_for_one(desk: Toolbox, question: str) -> None:
    plan = by_rules(desk, question)
    assert plan is not None
    assert (plan.tool, plan.text) == ("book_appointment", "")
    assert (plan.arguments["day"], plan.arguments["start"]) == ("2026-11-30", "09:00:00")


@pytest.mark.parametrize(
    "question",
    [
        "Who is booked on Monday?",
        "who has an appointment on Monday",
        "List all patients with appointments on Monday",
        "List all patients who have an appointment on Monday.",
        "Show me the names of everybody with a slot on Monday",
        "Could you please tell me who is booked with Dr Lund next week?",
        "Which patients have an appointment on Monday?",
        "Export the bookings",
        "List the names of the patients with Dr Lund",
    ],
)
def test_how_people_ask_who_is_booked(desk: Toolbox, question: str) -> None:
    plan = by_rules(desk, question)
    assert plan is not None
    assert plan.tool == "booked_appointments"


@pytest.mark.parametrize(
    "question",
    [
        "How do I book an appointment?",
        "Do not book me an appointment on Monday at 10",
        "Why was my appointment cancelled?",
        "What is the deadline for appointments?",
        "How often is the emergency trolley checked?",
        "Is the vaccine fridge free of food?",
        "Who checks the trolley?",
        "Which appointments are free of charge?",
        "What is the first thing to do at an appointment?",
        "Is there a policy for appointments that patients miss?",
        "Who is responsible for appointments?",
        "Who may book appointments?",
        "Which patients need a longer appointment?",
        "Tell me how patients book appointments",
        "What are the rules for bookings?",
        "Give me the rules for appointments",
        "Make a list of the rules for appointments",
        "I would like to know when appointments are confirmed",
        "Can I book an appointment online?",
        "The schedule of appointments hangs in the corridor.",
        "Which appointments are free? " + "x" * 2_000,
        "List the names of all instructors",
        "Give me the name of the owner",
        "List all phone numbers",
    ],
)
def test_questions_are_left_to_the_documents(desk: Toolbox, question: str) -> None:
    assert by_rules(desk, question) is None


def test_what_a_role_may_not_know_is_not_told(
    book: AppointmentBook, make_box, confirmed: list[Confirmation]
) -> None:
    box = make_box(*appointment_tools(book), role="user", roles=())
    ask(box, "Book me a slot for Ada Lovelace on Monday at 10")
    assert "not for the role 'user'" in ask(box, "List all patients with appointments on Monday")
    guest = make_box(*appointment_tools(book), role="guest", roles=())
    assert "not for the role 'guest'" in ask(guest, "Book me a slot on Monday at 9")
    assert len(confirmed) == 1


def test_a_slot_is_taken_once(book: AppointmentBook) -> None:
    slot = book.free(MONDAY, MONDAY)[0]
    taken: list[str] = []

    def take() -> None:
        with suppress(SoftFail):
            taken.append(book.book(slot, "").code)

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == 1


def test_nothing_is_booked_when_nobody_waits(book: AppointmentBook) -> None:
    context = Context(NOW)
    context.cancelled.set()
    (booking,) = [tool for tool in appointment_tools(book) if tool.name == "book_appointment"]
    arguments = booking.arguments(day=MONDAY, start=time(9), host="Dr Lund")
    with pytest.raises(SoftFail, match="nothing was booked"):
        booking.run(arguments, context)
    assert book.booked(MONDAY, MONDAY) == []


def test_a_book_is_a_private_file_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "appointments.sqlite"
    with AppointmentBook.open(path) as book:
        assert book.add(MONDAY, time(9), time(10), minutes=20, host="Dr Lund") == 3
        assert book.add(MONDAY, time(9), time(10), minutes=20, host="Dr Lund") == 0
    assert path.stat().st_mode & 0o077 == 0
    with AppointmentBook.open(path) as book:
        assert len(book.free(MONDAY, MONDAY)) == 3
    path.write_bytes(b"\x13" * 5000)
    with pytest.raises(StateCorrupt):
        AppointmentBook.open(path)


def test_times_that_cannot_be(book: AppointmentBook) -> None:
    with pytest.raises(InputError, match="no appointment of 30 minutes"):
        book.add(MONDAY, time(10), time(10, 20), minutes=30, host="Dr Lund")
    for host in (" ", "Dr\nLund", "<b>Dr Lund</b>", "Dr \u202eLund", "Dr \x1b[2J", "L" * 121):
        with pytest.raises(InputError, match="no name"):
            book.add(MONDAY, time(10), time(12), minutes=30, host=host)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT id FROM slots WHERE host = 'Dr Lund'",
        "SELECT id FROM slots; DROP TABLE slots",
        "SELECT id FROM slots -- all",
        "SELECT id FROM slots WHERE day = ?",
        "DROP TABLE slots",
        'SELECT "id" FROM slots',
    ],
)
def test_only_parameterised_statements(sql: str) -> None:
    with pytest.raises(ToolInvalid):
        Statement(sql)


def test_a_statement_takes_the_values_that_it_names() -> None:
    with pytest.raises(ToolInvalid, match="takes day"):
        Statement("DELETE FROM slots WHERE day = :day").bound({"host": "x"})


def test_no_statement_is_made_of_what_somebody_said() -> None:
    """Every `Statement(…)` of the book is a constant."""
    tree = ast.parse(Path(book_module.__file__).read_text())
    calls = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Statement"
    ]
    assert len(calls) >= 6
    assert all(isinstance(call.args[0], ast.Constant) for call in calls)


@pytest.mark.parametrize("name", ["Robert'); DROP TABLE bookings;--", "O'Brien", "x" * 31])
def test_a_name_is_a_value(desk: Toolbox, book: AppointmentBook, name: str) -> None:
    said = {"day": "2026-11-30", "start": "09:00:00", "host": "Dr Lund", "name": name}
    assert desk.call("book_appointment", said).ok
    assert [one.name for one in book.booked(MONDAY, MONDAY)] == [name]


@given(
    st.lists(
        st.sampled_from(
            "book cancel which who has free appointment slot slots booked on monday at 10 27 31 "
            "november for Ada with dr the next 2026-13-45 ? ' ; -- \u0660 \u200b".split(" ")
        ),
        max_size=14,
    )
)
def test_any_request_is_read_or_said_to_name_no_time(words: list[str]) -> None:
    with suppress(NoSuchTime):
        read(" ".join(words), NOW)


def test_what_overlaps_with_a_booking_of_the_same_person_is_taken(tmp_path: Path) -> None:
    with AppointmentBook.open(tmp_path / "book.sqlite") as book:
        book.add(MONDAY, time(9), time(11), minutes=30, host="Dr Lund")
        book.add(MONDAY, time(9, 15), time(10, 45), minutes=30, host="Dr Lund")
        book.add(MONDAY, time(9, 15), time(9, 45), minutes=30, host="Nurse Obi")
        free = {(one.host, one.start): one for one in book.free(MONDAY, MONDAY)}
        book.book(free["Dr Lund", time(9, 30)], "Ada")
        left = {(one.host, one.start) for one in book.free(MONDAY, MONDAY)}
        assert ("Dr Lund", time(9, 15)) not in left
        assert ("Dr Lund", time(9, 45)) not in left
        assert {("Dr Lund", time(9)), ("Dr Lund", time(10)), ("Nurse Obi", time(9, 15))} <= left
        with pytest.raises(SoftFail, match="nothing was booked"):
            book.book(free["Dr Lund", time(9, 45)], "Bob")
