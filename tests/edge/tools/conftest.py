"""Shared by the tests of tools: a book of appointments, and the tools of one request."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime, time
from typing import Any

import pytest

from skerry.edge.tools import Confirmation, Registry, Tool, Toolbox
from skerry.edge.tools.appointments import AppointmentBook, appointment_tools

NOW = datetime(2026, 11, 27, 20, 0)  # a Friday
MONDAY = date(2026, 11, 30)
MakeBox = Callable[..., Toolbox]


@pytest.fixture
def book() -> Iterator[AppointmentBook]:
    with AppointmentBook.in_memory() as book:
        book.add(MONDAY, time(9), time(11), minutes=30, host="Dr Lund")
        book.add(MONDAY, time(10), time(11), minutes=30, host="Nurse Obi")
        book.add(date(2026, 12, 1), time(14), time(15), minutes=30, host="Dr Lund")
        yield book


@pytest.fixture
def confirmed() -> list[Confirmation]:
    """What a person was asked to confirm; they say yes to everything."""
    return []


@pytest.fixture
def make_box(confirmed: list[Confirmation]) -> MakeBox:
    def make(*tools: Tool, role: str = "staff", roles: Any = ("staff",), **more: Any) -> Toolbox:
        registry = more.pop("registry", None) or Registry()
        for one in tools:
            registry.add(one, roles=roles)

        def confirm(asked: Confirmation) -> bool:
            confirmed.append(asked)
            return True

        return Toolbox(registry, role, **{"confirm": confirm, "now": lambda: NOW, **more})

    return make


@pytest.fixture
def desk(book: AppointmentBook, make_box: MakeBox) -> Toolbox:
    """The appointment tools, for the staff."""
    return make_box(*appointment_tools(book))
