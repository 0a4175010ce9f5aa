"""What was observed so far, in a file: an interrupted run can go on where it was."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from skerry.guardrails.redteam.observed import Observed, ToolSeen


class Journal:
    """Observations by name, a JSON line each, after a line that says what they are of.

    Args:
        path: the file.
        head: what the run is of. A file with another head is begun anew.
        resume: whether what is there is used.
    """

    def __init__(self, path: Path, head: Mapping[str, Any], *, resume: bool) -> None:
        self._path = path
        self._known: dict[str, Observed] = _read(path, head) if resume else {}
        lines = [json.dumps(dict(head)), *(_line(*entry) for entry in self._known.items())]
        path.write_text("".join(f"{line}\n" for line in lines), "utf-8", errors="replace")

    def __len__(self) -> int:
        return len(self._known)

    def find(self, name: str) -> Observed | None:
        return self._known.get(name)

    def keep(self, name: str, seen: Observed) -> None:
        """Writes an observation down; what a power cut leaves half written is asked again."""
        self._known[name] = seen
        with self._path.open("a", encoding="utf-8", errors="replace") as file:
            file.write(f"{_line(name, seen)}\n")

    def finish(self) -> None:
        self._path.unlink(missing_ok=True)


def _line(name: str, seen: Observed) -> str:
    return json.dumps({"name": name, "seen": asdict(seen)}, ensure_ascii=False)


def _read(path: Path, head: Mapping[str, Any]) -> dict[str, Observed]:
    try:
        first, *lines = path.read_text("utf-8").splitlines()
        if json.loads(first) != dict(head):
            return {}
    except (OSError, ValueError):
        return {}
    found: dict[str, Observed] = {}
    for line in lines:
        try:
            entry = json.loads(line)
            found[entry["name"]] = _observed(entry["seen"])
        except (ValueError, KeyError, TypeError):
            break  # the line that the interruption cut off
    return found


def _observed(fields: dict[str, Any]) -> Observed:
    lists: dict[str, Any] = {name: tuple(fields[name]) for name in ("sent", "findings")}
    tools = tuple(ToolSeen(**one) for one in fields["tools"])
    return Observed(**{**fields, **lists, "tools": tools})
