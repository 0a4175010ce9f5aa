"""JSON Schema to GBNF: every text that the grammar admits is JSON of the schema's shape.

Ranges, uniqueness, exclusive `oneOf` and unknown formats are not a matter of shape: the grammar
leaves `CHECKED_LATER` to a validator. Keywords that it would have to ignore are refused.
(The converter that comes with llama-cpp-python was tried first: it admits raw line breaks in
strings and leading zeros, and breaks on quotes in enums: see docs/engines.md.)

Specification: https://json-schema.org/draft/2020-12; draft-07 spellings are understood too.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from skerry.edge.engines.gbnf import MAX_REPEAT, check_gbnf
from skerry.edge.engines.json_rules import FORMATS, NEEDS, RULES
from skerry.edge.engines.pattern import literal, pattern_to_gbnf, repeated
from skerry.edge.engines.schema_limits import check_limits
from skerry.edge.errors import GrammarError

Schema = Mapping[str, Any]

CHECKED_LATER = frozenset(
    "minimum maximum exclusiveMinimum exclusiveMaximum multipleOf uniqueItems format".split()
)
"""Keywords that a validator must check in the answer (`format` beyond date, time and uuid)."""

_REFUSED = frozenset(
    "not if then else patternProperties propertyNames minProperties maxProperties dependencies "
    "dependentSchemas dependentRequired contains minContains maxContains unevaluatedItems "
    "unevaluatedProperties $dynamicRef $recursiveRef".split()
)
_ANNOTATIONS = frozenset(
    "title description default examples deprecated readOnly writeOnly $schema $id $comment $defs "
    "definitions $anchor".split()
)
_MAX_DEPTH = 48
_MAX_STEPS = 20_000
_MAX_OPTIONAL = 200
"""Optional properties of one object: any of them may come next, and llama.cpp tries each of them
against the whole vocabulary (at 200 up to 0.3 s a token, at 500 up to 0.7 s)."""

_TYPE_OF = {
    "properties": "object", "required": "object", "additionalProperties": "object",
    "items": "array", "prefixItems": "array", "minItems": "array", "maxItems": "array",
    "pattern": "string", "minLength": "string", "maxLength": "string", "format": "string",
}  # fmt: skip
"""What a schema without `type` most likely describes."""


def json_schema_to_gbnf(schema: Schema | bool) -> str:
    """GBNF whose texts are JSON, compact but for one space after commas and colons.

    Properties come in the order of the schema. Objects that do not mention
    `additionalProperties` get none.

    Raises:
        GrammarError: it is no schema, is too large, or asks for what a grammar cannot ensure;
            the message names the place.
    """
    check_limits([schema])
    grammar = _Converter(schema).grammar()
    check_gbnf(grammar)
    return grammar


class _Converter:
    """Collects rules while it walks one schema. Paths are JSON pointers, for errors."""

    def __init__(self, schema: Schema | bool) -> None:
        self._schema = schema
        self._rules: dict[str, str] = {}
        self._references: dict[str, str] = {}
        self._named: dict[str, str] = {}
        self._steps = 0

    def grammar(self) -> str:
        root = self._value(self._schema, "#")
        rules = {"root": root, **self._rules}
        return "\n".join(f"{name} ::= {rule}" for name, rule in rules.items()) + "\n"

    def _value(self, schema: object, path: str) -> str:
        """A GBNF item for `schema`: a rule's name, or something in brackets."""
        if schema is True or schema == {}:
            return self._use("value")
        if not isinstance(schema, Mapping):
            raise _error(path, "is not a schema that anything can match")
        self._check(schema, path)
        self._count(schema)
        if "$ref" in schema and not _assertions(schema, beside="$ref"):
            return self._reference(schema["$ref"], path)
        schema = self._flat(schema, path)
        for key in ("anyOf", "oneOf"):
            if key in schema:
                return self._any(schema, key, path)
        if "const" in schema:
            return f"({_constant(schema['const'])})"
        if "enum" in schema:
            return self._enum(schema["enum"], path)
        return self._typed(schema, path)

    def _check(self, schema: Schema, path: str) -> None:
        if path.count("/") > _MAX_DEPTH:
            raise _error(path[:80], "is nested too deeply")
        for key in _REFUSED & schema.keys():
            raise _error(path, f"uses '{key}', which a grammar cannot ensure")

    def _count(self, schema: Schema) -> None:
        """Bounds the work: references and choices may multiply what a schema says."""
        properties = schema.get("properties")
        self._steps += 1 + (len(properties) if isinstance(properties, Mapping) else 0)
        if self._steps > _MAX_STEPS:
            raise _error("#", f"comes to more than {_MAX_STEPS:,} parts by its references")

    def _reference(self, reference: object, path: str) -> str:
        """The rule of a `$ref`; named before it is made, so that schemas may be recursive."""
        target = self._target(reference, path)
        name = self._references.get(str(reference))
        if name is None:
            name = self._references[str(reference)] = f"ref-{len(self._references) + 1}"
            self._rules[name] = self._value(target, str(reference))
        return name

    def _target(self, reference: object, path: str) -> Any:
        if not isinstance(reference, str) or not (reference == "#" or reference.startswith("#/")):
            raise _error(path, f"refers to {reference!r}; only references within it are followed")
        found: Any = self._schema
        for part in reference.split("/")[1:]:
            step = part.replace("~1", "/").replace("~0", "~")
            if isinstance(found, list) and step.isdecimal() and int(step) < len(found):
                found = found[int(step)]
            elif isinstance(found, Mapping) and step in found:
                found = found[step]
            else:
                raise _error(path, f"refers to {reference!r}, which is not there")
        return found

    def _flat(self, schema: Schema, path: str, depth: int = 0) -> Schema:
        """`schema` with its `allOf`, and a `$ref` beside other keywords, merged into it."""
        if depth > _MAX_DEPTH:
            raise _error(path, "refers to itself without end")
        parts = [*_list(schema.get("allOf", []), path, "allOf")]
        if "$ref" in schema:
            parts.append(self._target(schema["$ref"], path))
        flat = {key: item for key, item in schema.items() if key not in {"allOf", "$ref"}}
        for part in parts:
            if not isinstance(part, Mapping):
                raise _error(path, "combines things that are not schemas")
            self._check(part, path)
            self._count(part)
            flat = _merged(flat, self._flat(part, path, depth + 1), path)
        return flat

    def _any(self, schema: Schema, key: str, path: str) -> str:
        base = {name: item for name, item in schema.items() if name != key}
        choices = _list(schema[key], path, key)
        if not choices:
            raise _error(path, f"has an empty {key}")
        if _assertions(base):
            choices = [self._flat({"allOf": [base, choice]}, path) for choice in choices]
        found = [self._value(choice, f"{path}/{key}/{n}") for n, choice in enumerate(choices)]
        return f"({' | '.join(dict.fromkeys(found))})"

    def _enum(self, values: object, path: str) -> str:
        choices = _list(values, path, "enum")
        if not choices:
            raise _error(path, "has an empty enum")
        return f"({' | '.join(dict.fromkeys(map(_constant, choices)))})"

    def _typed(self, schema: Schema, path: str) -> str:
        stated = schema.get("type") or next(
            (_TYPE_OF[key] for key in schema if key in _TYPE_OF), None
        )
        if stated is None:
            return self._use("value")
        kinds = stated if isinstance(stated, list) else [stated]
        found = [self._of_type(kind, schema, path) for kind in kinds]
        return found[0] if len(found) == 1 else f"({' | '.join(found)})"

    def _of_type(self, kind: object, schema: Schema, path: str) -> str:
        match kind:
            case "object":
                return self._object(schema, path)
            case "array":
                return self._array(schema, path)
            case "string":
                return self._string(schema, path)
            case "integer" | "number":
                return self._number(str(kind), schema)
            case "boolean" | "null":
                return self._use(str(kind))
            case _:
                raise _error(path, f"has the unknown type {kind!r}")

    def _number(self, kind: str, schema: Schema) -> str:
        least = schema.get("minimum", schema.get("exclusiveMinimum"))
        if isinstance(least, int | float) and least >= 0:
            parts = [self._use("whole"), *([self._use("rest")] if kind == "number" else [])]
            return f"({' '.join(parts)})"
        return self._use(kind)

    def _string(self, schema: Schema, path: str) -> str:
        if "pattern" in schema:
            if not isinstance(schema["pattern"], str):
                raise _error(path, "has a pattern that is not text")
            return self._rule(rf'"\"" {pattern_to_gbnf(schema["pattern"])} "\""')
        if schema.get("format") in FORMATS:
            return self._use(schema["format"])
        least, most = _counts(schema, "minLength", "maxLength", path)
        if (least, most) == (0, None):
            return self._use("string")
        return self._rule(rf'"\"" {repeated(self._use("char"), least, most)} "\""')

    def _array(self, schema: Schema, path: str) -> str:
        items = schema.get("items", True)
        first = schema.get("prefixItems", items if isinstance(items, list) else [])
        rest = schema.get("additionalItems", True) if isinstance(items, list) else items
        least, most = _counts(schema, "minItems", "maxItems", path)
        self._use("ws")
        if first:
            return self._tuple(_list(first, path, "prefixItems"), rest, least, most, path)
        if rest is False or most == 0:
            return self._rule('"[]"') if not least else _never(path)
        item = self._value(rest, f"{path}/items")
        next_item = self._rule(f'"," ws {item}')
        more = repeated(next_item, max(0, least - 1), None if most is None else most - 1)
        inner = f"{item} {more}" if least else f"{self._rule(f'{item} {more}')}?"
        return self._rule(f'"[" {inner} "]"')

    def _tuple(
        self, first: Sequence[object], rest: object, least: int, most: int | None, path: str
    ) -> str:
        """All of `prefixItems`, and after them what `minItems` still asks for."""
        if most is not None and most < len(first):
            raise _error(path, "has maxItems below the number of prefixItems")
        items = [self._value(item, f"{path}/prefixItems/{n}") for n, item in enumerate(first)]
        inner = ' "," ws '.join(items)
        if missing := max(0, least - len(first)):
            inner += f' ("," ws {self._value(rest, f"{path}/items")}){{{missing}}}'
        return self._rule(f'"[" {inner} "]"')

    def _object(self, schema: Schema, path: str) -> str:
        properties = schema.get("properties", {})
        required = _texts(schema.get("required", []), path, "required")
        if not isinstance(properties, Mapping):
            raise _error(path, "has properties that are not an object")
        others = schema.get("additionalProperties", not properties)
        missing = {key: others for key in required if key not in properties}
        if missing and others is False:
            raise _error(path, f"requires {next(iter(missing))!r}, which it does not describe")
        members = [
            (self._member(key, item, path), key in required)
            for key, item in {**properties, **missing}.items()
        ]
        if sum(not needed for _, needed in members) > _MAX_OPTIONAL:
            raise _error(path, f"has more than {_MAX_OPTIONAL} optional properties; require some")
        extra = "" if others is False else self._extra(others, path)
        return self._rule(f'"{{" {self._members(members, extra)} "}}"')

    def _member(self, key: object, schema: object, path: str) -> str:
        self._use("ws")
        value = self._value(schema, f"{path}/properties/{key}")
        return self._rule(f'{_constant(str(key))} ":" ws {value}')

    def _extra(self, schema: object, path: str) -> str:
        self._use("ws")
        value = self._value(schema, f"{path}/additionalProperties")
        return self._rule(f'{self._use("string")} ":" ws {value}')

    def _members(self, members: Sequence[tuple[str, bool]], extra: str) -> str:
        """The inside of an object: members in order, the optional ones left out or not.

        Built from the end: `after[n]` follows member n; `first` stands where none came before.
        """
        after = [self._rule(f'("," ws {extra})*') if extra else ""]
        for member, required in reversed(members[1:]):
            more = f'"," ws {member}' if required else f'("," ws {member})?'
            after.insert(0, self._rule(f"{more} {after[0]}"))
        first = self._rule(f"({extra} {after[-1]})?") if extra else ""
        needed = next((n for n, (_, required) in enumerate(members) if required), len(members) - 1)
        for n in range(needed, -1, -1):
            member, required = members[n]
            start = f"{member} {after[n]}"
            first = self._rule(start if required else f"{start} | {first or _NOTHING}")
        return first

    def _use(self, name: str) -> str:
        """A shared rule, with the rules that it needs."""
        if name not in self._rules:
            self._rules[name] = RULES[name]
            for needed in NEEDS.get(name, "").split():
                self._use(needed)
        return name

    def _rule(self, expression: str) -> str:
        """The name of a rule for `expression`; equal expressions share one."""
        name = self._named.setdefault(expression, f"rule-{len(self._named) + 1}")
        self._rules[name] = expression
        return name


_NOTHING = '""'


def _constant(value: object) -> str:
    """GBNF for one JSON value; lone surrogates stay escaped, other text is plain."""
    text = json.dumps(value, ensure_ascii=False)
    if not text.isprintable():
        text = json.dumps(value)
    return literal(text)


def _assertions(schema: Schema, beside: str = "") -> set[str]:
    return set(schema) - _ANNOTATIONS - {beside}


def _merged(one: Schema, two: Schema, path: str) -> dict[str, Any]:
    """A schema for what matches both."""
    merged = dict(one)
    for key, item in two.items():
        if key in _ANNOTATIONS or key not in merged or merged[key] == item:
            merged.setdefault(key, item)
        elif key == "required":
            merged[key] = list(dict.fromkeys([*merged[key], *item]))
        elif key == "properties":
            merged[key] = _merged_properties(merged[key], item)
        else:
            raise _error(path, f"combines two different '{key}'")
    return merged


def _merged_properties(one: Schema, two: Schema) -> dict[str, Any]:
    both = {key: {"allOf": [one[key], two[key]]} for key in one.keys() & two.keys()}
    return {**one, **two, **both}


def _counts(schema: Schema, low: str, high: str, path: str) -> tuple[int, int | None]:
    """Bounds of a repetition; a bound above what llama.cpp counts is left to the validator."""
    least, most = schema.get(low, 0), schema.get(high)
    if not _is_count(least) or not (most is None or _is_count(most)):
        raise _error(path, f"has a {low} or {high} that is not a number of things")
    if least > MAX_REPEAT or (most is not None and most < least):
        raise _error(path, f"has a {low} above {MAX_REPEAT} or above its {high}")
    return least, None if most is None or most > MAX_REPEAT else most


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _list(value: object, path: str, key: str) -> list[Any]:
    if not isinstance(value, list | tuple):
        raise _error(path, f"has a '{key}' that is not a list")
    return list(value)


def _texts(value: object, path: str, key: str) -> dict[str, None]:
    """A list of texts, each once, in order."""
    texts = _list(value, path, key)
    if not all(isinstance(text, str) for text in texts):
        raise _error(path, f"has a '{key}' that holds other things than text")
    return dict.fromkeys(texts)


def _never(path: str) -> str:
    raise _error(path, "can never be matched")


def _error(path: str, problem: str) -> GrammarError:
    return GrammarError(
        f"the JSON schema cannot be made a grammar: {path} {problem}",
        hint="see docs/engines.md for the keywords that are understood",
    )
