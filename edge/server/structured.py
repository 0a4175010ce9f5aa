"""Answers that must fit a JSON schema: bound by a grammar, checked afterwards, tried twice at most.

A grammar cannot say everything that a schema can (llama.cpp's converter leaves out, for example,
`uniqueItems` and formats), so that what comes out is validated as well, and held back until it is.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from skerry.edge.engines.base import Generation, Message
from skerry.edge.engines.schema_limits import check_limits
from skerry.edge.errors import GrammarError
from skerry.edge.receipts import TokenUsage
from skerry.edge.server.answers import NO_USAGE, Answering, Step, Whole, whole

Generate = Callable[[Generation], Iterator[Step]]

ANY_OBJECT: Mapping[str, Any] = {"type": "object", "additionalProperties": True}


def grammar_of(schema: Mapping[str, Any]) -> str:
    """The grammar of a JSON schema.

    Raises:
        GrammarError: the schema says what a grammar cannot.
    """
    from skerry.edge.engines.grammar import json_schema_to_gbnf

    return json_schema_to_gbnf(schema)


class Validator:
    """Checks values against a JSON schema (draft 2020-12 unless it says otherwise).

    References are looked up in the schema alone; nothing is fetched. `pattern` is left to the
    grammar, as a hostile expression could run for ever.

    Raises:
        GrammarError: the schema is not one, or is too large.
    """

    def __init__(self, schema: Mapping[str, Any]) -> None:
        from jsonschema import exceptions, validators
        from referencing import Registry

        check_limits([schema])
        if not isinstance(schema.get("$schema", ""), str):
            raise _wrong_schema("$schema is not a text")
        kind = validators.validator_for(schema, default=validators.Draft202012Validator)
        try:
            kind.check_schema(schema)
        except exceptions.SchemaError as error:
            raise _wrong_schema(error.message[:300]) from None
        except RecursionError:
            raise _wrong_schema("it is nested too deeply") from None
        unhurried = validators.extend(kind, {"pattern": _ignore})
        self._validator = unhurried(schema, registry=Registry())

    def problem(self, text: str) -> str:
        """Why `text` does not fit, for the model to read; empty when it fits."""
        from jsonschema import exceptions
        from referencing.exceptions import Unresolvable

        try:
            value = json.loads(text)
            found = exceptions.best_match(self._validator.iter_errors(value))
        except (ValueError, ArithmeticError, RecursionError) as error:
            return f"it cannot be checked: {error}"
        except Unresolvable as error:
            return f"the schema refers to what it does not hold: {error}"
        if found is None:
            return ""
        return f"{found.json_path}: {found.message[:300]}"


def _wrong_schema(why: str) -> GrammarError:
    return GrammarError(f"the JSON schema is wrong: {why}", hint="mend the schema")


def _ignore(*_: Any) -> Iterator[Any]:
    return iter(())


@dataclass(frozen=True, slots=True)
class Attempt:
    """An answer that was read to its end, and what is wrong with it."""

    answer: Whole
    problem: str


def answering(generate: Generate, wanted: Generation, schema: Mapping[str, Any]) -> Answering:
    """Answers that fit `schema`. It is looked at when the answer is begun, since that takes time.

    The answer raises GrammarError for a schema that cannot be used.
    """
    return partial(_answer, generate, wanted, schema)


def _answer(generate: Generate, wanted: Generation, schema: Mapping[str, Any]) -> Iterator[Step]:
    validator = Validator(schema)
    bound = replace(wanted, grammar=wanted.grammar or grammar_of(schema))
    attempt = twice(generate, bound, validator.problem)
    answer = attempt.answer
    if attempt.problem:
        yield replace(answer.last, text="", refusal=refusal(attempt.problem))
        return
    yield Step(answer.text, tokens=answer.tokens, top=answer.top)
    yield replace(answer.last, text="", tokens=(), top=())


def refusal(problem: str) -> str:
    return f"The model's output did not fit the schema, twice ({problem})."


def twice(generate: Generate, wanted: Generation, check: Callable[[str], str]) -> Attempt:
    """Generates, and once more with the problem told if `check` finds one.

    An answer that was cut off or cancelled is not judged: its finish says what happened.
    """
    attempt = _try(generate, wanted, check)
    if not attempt.problem or wanted.messages is None:
        return attempt
    again = _try(generate, replace(wanted, messages=_told(wanted.messages, attempt)), check)
    return Attempt(_with_usage_of(attempt.answer, again.answer), again.problem)


def _try(generate: Generate, wanted: Generation, check: Callable[[str], str]) -> Attempt:
    answer = whole(list(generate(wanted)))
    unfinished = answer.cancelled or answer.cut_off
    return Attempt(answer, "" if unfinished else check(answer.text))


def _with_usage_of(first: Whole, second: Whole) -> Whole:
    """The second answer; its usage says what both took."""
    one, two = first.last.usage or NO_USAGE, second.last.usage or NO_USAGE
    usage = TokenUsage(
        one.prompt_tokens + two.prompt_tokens,
        one.cached_tokens + two.cached_tokens,
        one.completion_tokens + two.completion_tokens,
    )
    return replace(second, last=replace(second.last, usage=usage))


def _told(messages: Sequence[Message], attempt: Attempt) -> list[Message]:
    complaint = f"That is not valid: {attempt.problem}. Answer again, correctly."
    return [
        *messages,
        {"role": "assistant", "content": attempt.answer.text},
        {"role": "user", "content": complaint},
    ]
