"""SQL for tools: one statement, values only as parameters.

A statement that holds a quoted text, a comment or a second statement is refused when it is made,
so that nothing that somebody said can have been put into it.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from skerry.edge.tools.errors import ToolInvalid

_FORBIDDEN = re.compile(r"['\"`;\x00]|--|/\*|\?|\[|\$|@")
_PARAMETER = re.compile(r":([a-z_][a-z0-9_]*)")
_VERB = re.compile(r"\s*(?:SELECT|INSERT INTO|UPDATE|DELETE FROM)\s", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Statement:
    """One parameterised statement. Its parameters are named, such as `:day`.

    Raises:
        ToolInvalid: it holds a value, a comment or another statement, or is none of SELECT, INSERT,
            UPDATE and DELETE.
    """

    sql: str

    def __post_init__(self) -> None:
        if not _VERB.match(self.sql):
            raise ToolInvalid("the statement is no SELECT, INSERT, UPDATE or DELETE")
        if found := _FORBIDDEN.search(self.sql):
            raise ToolInvalid(
                f"the statement holds {found.group()!r}", hint="name a parameter: WHERE day = :day"
            )

    @property
    def parameters(self) -> frozenset[str]:
        return frozenset(_PARAMETER.findall(self.sql))

    def run(self, connection: sqlite3.Connection, **values: Any) -> list[Any]:
        """Its rows.

        Raises:
            ToolInvalid: the values are not those that it names.
        """
        return connection.execute(self.sql, self.bound(values)).fetchall()

    def bound(self, values: Mapping[str, Any]) -> dict[str, Any]:
        if values.keys() != self.parameters:
            named = ", ".join(sorted(self.parameters)) or "none"
            raise ToolInvalid(f"the statement takes {named}, not {', '.join(sorted(values))}")
        return dict(values)
