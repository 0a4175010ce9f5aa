"""Appointments at a place that has times for them: a book in SQLite, and tools on it."""

from __future__ import annotations

from skerry.edge.tools.appointments.book import AppointmentBook, Booking, Slot
from skerry.edge.tools.appointments.tools import appointment_tools

__all__ = ["AppointmentBook", "Booking", "Slot", "appointment_tools"]
