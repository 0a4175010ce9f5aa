"""A teacher's way to its answer, between markers: kept for the student to learn, or left out. Pure.

What a teacher of reasoning writes before its answer (arXiv:2501.12948 puts it between these
markers) teaches a student more than the answer does, and costs the device the tokens.
"""

from __future__ import annotations

import re
from enum import StrEnum

OPEN, CLOSE = "<think>", "</think>"
_TRACE = re.compile(rf"\A\s*(?:{OPEN})?(.*?){CLOSE}", re.DOTALL)


class Traces(StrEnum):
    """What becomes of traces in what is learnt."""

    STRIP = "strip"
    KEEP = "keep"


def split_trace(text: str) -> tuple[str, str, bool]:
    """(trace, answer, whole) of what a teacher wrote; `whole` is False where a trace has no end.

    Some chat templates give the opening marker as part of the prompt, so that it may be missing.
    """
    found = _TRACE.match(text)
    if found is None:
        begun = text.lstrip().startswith(OPEN)
        return ("", "", False) if begun else ("", text.strip(), True)
    answer = text[found.end() :].strip()
    return found[1].strip(), answer, OPEN not in answer and CLOSE not in answer


def learnt_text(answer: str, trace: str, traces: Traces) -> str:
    """What the student is to write."""
    if traces is Traces.STRIP or not trace.strip():
        return answer
    return f"{OPEN}\n{trace.strip()}\n{CLOSE}\n\n{answer}"
