"""Types of options that click does not have."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click


class NotNegative(click.FloatRange):
    """A finite number from 0 on."""

    def __init__(self) -> None:
        super().__init__(min=0)

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"{value} is not a finite number.", param, ctx)
        return number


class When(click.ParamType):  # type: ignore[type-arg]  # click 8.2 takes no arguments
    """A day or a time, as Unix seconds; `read` makes them of the text."""

    name = "when"

    def __init__(self, read: Callable[[str], float]) -> None:
        self._read = read

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:  # noqa: ARG002
        return "YYYY-MM-DD[THH:MM]"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        if isinstance(value, float):
            return value
        try:
            return self._read(str(value).strip())
        except (ValueError, OverflowError):
            self.fail(f"{value!r} is no date, such as 2026-12-31 or 2026-12-31T17:00.", param, ctx)


def beginning(value: str) -> float:
    """From when on: see `days.begins`, which is imported when it is needed."""
    from skerry.edge.index import days

    return days.begins(value)


def end(value: str) -> float:
    """Until when: see `days.ends`."""
    from skerry.edge.index import days

    return days.ends(value)


def moment(value: str) -> float:
    """The moment that is asked about: see `days.as_of`."""
    from skerry.edge.index import days

    return days.as_of(value, time.time())


class GivenPath(click.Path):
    """A path; an empty one, as of a variable that is not set, is not the current folder."""

    def __init__(self) -> None:
        super().__init__(path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if str(value) == "":
            self.fail("the path is empty.", param, ctx)
        return super().convert(value, param, ctx)
