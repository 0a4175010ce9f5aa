"""The only thing that reaches a person: an `Answer`, which only the gate can make."""

from __future__ import annotations

from dataclasses import InitVar, dataclass
from enum import StrEnum

from skerry.guardrails.findings import Finding

QUOTED_NEAREST = "the nearest that the documents say is quoted"
"""What stands in place of a draft, or of an answer, where no passage was found to answer."""

_SEAL = object()


class Verdict(StrEnum):
    """What the gate did with a draft.

    `released`: all of it passed. `repaired`: something was dropped or quoted from a source
    instead. `withheld`: nothing of it could be released, and the text says so.
    """

    RELEASED = "released"
    REPAIRED = "repaired"
    WITHHELD = "withheld"


@dataclass(frozen=True, slots=True)
class Evidence:
    """A source that an answer may cite as `[mark]`.

    `context` is its title and headings. `document` tells which sources are of one document.
    """

    mark: int
    text: str
    in_force: bool = True
    context: str = ""
    document: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """Gated text. `marks` are the sources it cites, in order of first use.

    `instead` says in words what stands in place of a draft; it is empty where the draft stands.

    Raises:
        TypeError: when made anywhere but in the gate.
    """

    text: str
    marks: tuple[int, ...]
    verdict: Verdict
    findings: tuple[Finding, ...]
    instead: str = ""
    seal: InitVar[object] = None

    def __post_init__(self, seal: object) -> None:
        if seal is not _SEAL:
            raise TypeError("only the gate makes an Answer: pass the draft through a Gate")
