"""One question to the runtime, with everything that the caller may say about it."""

from __future__ import annotations

import difflib
import math
import re
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any

from skerry.edge.engines.base import Message, Sampling
from skerry.edge.errors import InputError
from skerry.edge.types import Consent, LatencyBudget, Sensitivity

if TYPE_CHECKING:
    from skerry.edge.escalate import Preview
    from skerry.edge.tools import Confirmation

MAX_QUESTION_CHARACTERS = 200_000
_LONGEST_SHOWN = 60
_LONGEST_BLANK = 64
_BLANK = re.compile(rf"\s{{{_LONGEST_BLANK + 1},}}")
_WORDS = {str: "a text", bool: "True or False", type(None): "None"}


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked. None takes the runtime's own setting.

    `session` continues a conversation that the device keeps; `history` is one that the caller
    keeps, and `history_labels` the access labels of the documents that it was made from, None
    where nobody knows. `labels` are those that the caller holds. `consent` can be stricter than
    the runtime's setting, never looser. `offline` keeps this request on the device. `as_of` (Unix
    seconds) asks what was in force then. `approve` is shown exactly what would leave the device
    when policy wants a person's consent; without it nothing leaves. `role` decides which tools
    there are; `confirm` is shown what a tool would change, and without it nothing is changed.
    `max_tokens` bounds the answer.
    """

    question: str
    session: str | None = None
    history: Sequence[Message] = ()
    instructions: str = ""
    model: str | None = None
    adapter: str | None = None
    consent: Consent | None = None
    sensitivity: Sensitivity = Sensitivity.PUBLIC
    labels: frozenset[str] | None = None
    history_labels: frozenset[str] | None = None
    domain: str | None = None
    offline: bool = False
    as_of: float | None = None
    budget: LatencyBudget | None = None
    max_tokens: int | None = None
    sampling: Sampling | None = None
    stop: Sequence[str] = ()
    grammar: str | None = None
    approve: Callable[[Preview], bool] | None = None
    role: str | None = None
    confirm: Callable[[Confirmation], bool] | None = None
    cancel: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        """Raises InputError for a question that is empty, too long or not text, and for whatever
        else cannot be used: what nobody understands must not open the way."""
        for name, check in _CHECKS.items():
            # frozen; a check may make of a value what is meant, such as the consent of a text
            object.__setattr__(self, name, check(name, getattr(self, name)))

    @classmethod
    def of(cls, question: str | Request, options: Mapping[str, Any]) -> Request:
        """The request that `question` is, or is the text of, with `options` by their names.

        Raises:
            InputError: there is no such option, or a value cannot be used.
        """
        known = [one.name for one in fields(Request)]
        for name in options:
            if name not in known[1:]:
                close = difflib.get_close_matches(name, known, 1)
                meant = f"did you mean {close[0]}?" if close else f"one of {', '.join(known[1:])}"
                raise InputError(f"there is no argument {name!r}", hint=meant)
        return (
            replace(question, **options)
            if isinstance(question, Request)
            else cls(question, **options)
        )


def check_argument(name: str, value: Any, *types: type) -> Any:
    """`value`; InputError when it is of none of these types. A truth value is no number."""
    if isinstance(value, types) and (not isinstance(value, bool) or bool in types):
        return value
    raise refused_argument(name, value, " or ".join(_WORDS.get(one, one.__name__) for one in types))


def refused_argument(name: str, value: Any, wanted: str) -> InputError:
    shown = ascii(value)
    shown = shown if len(shown) <= _LONGEST_SHOWN else f"{shown[:_LONGEST_SHOWN]}…"
    return InputError(f"the argument {name} is {shown}", hint=f"give {wanted}")


def _question(name: str, given: Any) -> str:
    """The question; of blanks in a row no more than `_LONGEST_BLANK`, which say no more and would
    cost each pattern that looks past them their square."""
    text: str = check_argument(name, given, str)
    if not text.strip():
        raise InputError("the question is empty", hint="ask something")
    if len(text) > MAX_QUESTION_CHARACTERS:
        raise InputError(
            f"the question has {len(text):,} characters; "
            f"at most {MAX_QUESTION_CHARACTERS:,} are taken",
            hint="put long texts into the index with `skerry index add`",
        )
    if "\x00" in text:
        raise InputError("the question contains a NUL byte", hint="remove it")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InputError(
            f"the question is not valid text (lone surrogate at character {error.start})",
            hint="decode it as UTF-8 first",
        ) from None
    return _BLANK.sub(lambda found: found.group()[:_LONGEST_BLANK], text)


def _consent(name: str, given: Any) -> Consent | None:
    """The consent itself: policy compares by identity, which a text of the same letters fails."""
    try:
        return None if given is None else Consent(given)
    except ValueError:
        raise refused_argument(name, given, "never, ask or granted") from None


def _history(name: str, given: Any) -> Sequence[Message]:
    for turn in _sequence(name, given):
        said = [turn.get(key) for key in ("role", "content")] if isinstance(turn, Mapping) else [0]
        if not all(isinstance(part, str) for part in said):
            raise refused_argument(name, given, 'messages such as {"role": "user", "content": "…"}')
    turns: Sequence[Message] = given
    return turns


def _texts(name: str, given: Any) -> Sequence[str]:
    if not all(isinstance(one, str) for one in _sequence(name, given)):
        raise refused_argument(name, given, "a list of texts")
    texts: Sequence[str] = given
    return texts


def _sequence(name: str, given: Any) -> Sequence[Any]:
    if isinstance(given, Sequence) and not isinstance(given, str | bytes):
        return given
    raise refused_argument(name, given, "a list")


def _labels(name: str, given: Any) -> frozenset[str] | None:
    if given is None:
        return None
    if isinstance(given, str) or not isinstance(given, Collection):
        raise refused_argument(name, given, "a set of texts")
    if not all(isinstance(one, str) for one in given):
        raise refused_argument(name, given, "a set of texts")
    return frozenset(given)


def _as_of(name: str, given: Any) -> float | None:
    if given is None:
        return None
    if isinstance(given, int | float) and not isinstance(given, bool) and math.isfinite(given):
        return given
    raise refused_argument(name, given, "Unix seconds, such as datetime.timestamp() has")


def _count(name: str, given: Any) -> int | None:
    if given is None:
        return None
    if isinstance(given, int) and not isinstance(given, bool) and given >= 1:
        return given
    raise refused_argument(name, given, "a whole number of 1 or more")


def _budget(name: str, given: Any) -> LatencyBudget | None:
    check_argument(name, given, LatencyBudget, type(None))
    if given is not None:
        for part in ("ttft_ms", "total_ms"):
            _count(f"{name}.{part}", check_argument(f"{name}.{part}", getattr(given, part), int))
    budget: LatencyBudget | None = given
    return budget


def _approve(name: str, given: Any) -> Callable[[Preview], bool] | None:
    if given is None or callable(given):
        approve: Callable[[Preview], bool] | None = given
        return approve
    raise refused_argument(name, given, "a function that is shown a preview and returns a bool")


def _confirm(name: str, given: Any) -> Callable[[Confirmation], bool] | None:
    if given is None or callable(given):
        agreed: Callable[[Confirmation], bool] | None = given
        return agreed
    raise refused_argument(name, given, "a function that is shown a call and returns a bool")


def _cancel(name: str, given: Any) -> threading.Event:
    check_argument(name, given, threading.Event)
    event: threading.Event = given
    return event


def _is(*types: type) -> Callable[[str, Any], Any]:
    return lambda name, given: check_argument(name, given, *types)


_TEXT_OR_NOTHING = _is(str, type(None))
_CHECKS: Mapping[str, Callable[[str, Any], Any]] = {
    "question": _question,
    "session": _TEXT_OR_NOTHING,
    "history": _history,
    "instructions": _is(str),
    "model": _TEXT_OR_NOTHING,
    "adapter": _TEXT_OR_NOTHING,
    "consent": _consent,
    "sensitivity": _is(Sensitivity),
    "labels": _labels,
    "history_labels": _labels,
    "domain": _TEXT_OR_NOTHING,
    "offline": _is(bool),
    "as_of": _as_of,
    "budget": _budget,
    "max_tokens": _count,
    "sampling": _is(Sampling, type(None)),
    "stop": _texts,
    "grammar": _TEXT_OR_NOTHING,
    "approve": _approve,
    "role": _TEXT_OR_NOTHING,
    "confirm": _confirm,
    "cancel": _cancel,
}
