"""JSON Schema to GBNF: whatever a model says under the grammar is JSON of the schema's shape.

The model has random weights and speaks at a high temperature: it says what nobody thought of.
"""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from skerry.edge.engines.base import EngineOptions, FinishReason, Generation, Sampling
from skerry.edge.engines.grammar import CHECKED_LATER, json_schema_to_gbnf
from skerry.edge.engines.llama import LlamaEngine, load_llama
from skerry.edge.errors import GrammarError
from tests.edge.engines.tiny import write_model

NULL = {"type": "null"}
NODE = {
    "$defs": {
        "node": {
            "type": "object",
            "properties": {"v": {"type": "boolean"}, "next": {"$ref": "#/$defs/node"}},
            "required": ["v"],
        }
    },
    "$ref": "#/$defs/node",
}


@dataclass(frozen=True)
class Shape:
    name: str
    schema: Any
    draft: type = jsonschema.Draft202012Validator


SHAPES = (
    Shape("anything", True),
    Shape("text", {"type": "string"}),
    Shape("length", {"type": "string", "minLength": 2, "maxLength": 5}),
    Shape("whole number", {"type": "integer"}),
    Shape("not negative", {"type": "number", "minimum": 0}),
    Shape("quotes in an enum", {"enum": ['say "hi"', "a\\b", "é\n", 3, None, {"a": [1]}]}),
    Shape("half an emoji", {"const": "\ud83d"}),
    Shape("date", {"type": "string", "format": "date"}),
    Shape("date and time", {"type": "string", "format": "date-time"}),
    Shape("uuid", {"type": "string", "format": "uuid"}),
    Shape("list", {"type": "array", "items": {"type": "boolean"}, "minItems": 2, "maxItems": 4}),
    Shape("short list", {"type": "array", "items": {"type": "integer"}, "maxItems": 2}),
    Shape("tuple", {"prefixItems": [{"type": "boolean"}, NULL], "items": NULL, "minItems": 4}),
    Shape("old tuple", {"type": "array", "items": [NULL, NULL], "additionalItems": False},
          draft=jsonschema.Draft7Validator),
    Shape("no items", {"type": "array", "items": False}),
    Shape("optional", {"type": "object", "properties": dict.fromkeys("abcdef", NULL)}),
    Shape("required last", {"properties": {"a": NULL, "b": NULL}, "required": ["b"]}),
    Shape("quotes in a key", {"properties": {'a"b\\': NULL}, "required": ['a"b\\']}),
    Shape("others", {"properties": {"a": NULL}, "additionalProperties": {"type": "boolean"}}),
    Shape("only others", {"type": "object", "additionalProperties": NULL}),
    Shape("empty", {"type": "object", "additionalProperties": False}),
    Shape("required, not described", {"required": ["z"], "additionalProperties": NULL}),
    Shape("recursive", NODE),
    Shape("refers to itself", {"type": "object", "properties": {"child": {"$ref": "#"}}}),
    Shape("all of", {"allOf": [{"properties": {"a": NULL}, "required": ["a"]},
                               {"properties": {"b": NULL}, "required": ["b"]}]}),
    Shape("any of, with a base", {"properties": {"k": NULL}, "required": ["k"],
                                  "anyOf": [{"required": ["k"]}, {"properties": {"a": NULL}}]}),
    Shape("two types", {"type": ["string", "null"], "maxLength": 2}),
    Shape("reference with more", {"$defs": {"s": {"type": "string"}}, "$ref": "#/$defs/s",
                                  "maxLength": 3}),
    Shape("code", {"type": "string", "pattern": "^[A-Z]{2}-\\d{3,5}$"}),
    Shape("alternatives", {"type": "string", "pattern": "^(foo|ba[rz])+\\.txt$"}),
    Shape("not a class", {"type": "string", "pattern": '^[^a-z"]{1,4}$'}),
    Shape("quotes in a pattern", {"type": "string", "pattern": '^"\\\\\\w\\u0041?$'}),
    Shape("sixty keys", {"type": "object", "properties": {f"p{n}": NULL for n in range(60)}}),
)  # fmt: skip


@pytest.fixture(scope="module")
def noise(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LlamaEngine]:
    folder = tmp_path_factory.mktemp("noise")
    engine = load_llama(write_model(folder / "tiny.gguf"), EngineOptions(threads=1), cache=folder)
    yield engine
    engine.close()


def say(engine: LlamaEngine, schema: Any, seed: int) -> str | None:
    """What the model says under the schema's grammar; None if it did not come to an end."""
    request = Generation(
        prompt="x",
        max_tokens=300,
        grammar=json_schema_to_gbnf(schema),
        sampling=Sampling(temperature=1.0, seed=seed),
    )
    pieces = list(engine.generate(request))
    text = "".join(piece.text for piece in pieces)
    # Random weights also write bytes that are not UTF-8, which shows as more characters.
    ended = pieces[-1].finish is FinishReason.STOP and "\ufffd" not in text
    return text if ended else None


def shape_of(schema: Any) -> Any:
    """The schema without what a grammar leaves to a validator."""
    if isinstance(schema, dict):
        return {key: shape_of(item) for key, item in schema.items() if key not in CHECKED_LATER}
    return [shape_of(item) for item in schema] if isinstance(schema, list) else schema


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_what_is_said_has_the_shape(noise: LlamaEngine, shape: Shape) -> None:
    said = (text for seed in range(40) if (text := say(noise, shape.schema, seed)) is not None)
    heard = list(itertools.islice(said, 3))
    assert heard
    for text in heard:
        shape.draft(shape_of(shape.schema)).validate(json.loads(text))


LEAVES = st.sampled_from([NULL, {"type": "boolean"}, {"type": "integer"}, {"enum": ["a", 1]}])
KEYS = st.sampled_from(["a", "b", 'q"', "é"])


def grow(inner: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    objects = st.builds(
        lambda properties, extra, required: {
            "type": "object",
            "properties": properties,
            "required": sorted(required & properties.keys()),
            "additionalProperties": extra,
        },
        st.dictionaries(KEYS, inner, max_size=4),
        st.just(value=False) | LEAVES,
        st.sets(KEYS),
    )
    lists = st.builds(
        lambda items, least, more: {
            "type": "array", "items": items, "minItems": least, "maxItems": least + more
        },
        inner, st.integers(0, 2), st.integers(0, 2),
    )  # fmt: skip
    return objects | lists | st.builds(lambda many: {"anyOf": many}, st.lists(inner, min_size=1))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.recursive(LEAVES, grow, max_leaves=6), st.integers(0, 1000))
def test_any_schema_of_these_parts(noise: LlamaEngine, schema: dict[str, Any], seed: int) -> None:
    text = say(noise, schema, seed)
    if text is not None:
        jsonschema.Draft202012Validator(schema).validate(json.loads(text))


def deep(depth: int) -> dict[str, Any]:
    schema: dict[str, Any] = NULL
    for _ in range(depth):
        schema = {"type": "array", "items": schema}
    return schema


DOUBLING = {str(n): {"allOf": [{"$ref": f"#/$defs/{n + 1}"}] * 2} for n in range(20)}
DOUBLING["20"] = {"allOf": [NULL]}

REFUSED = {
    "nothing matches": False,
    "not a schema": 7,
    "a list": [],
    "unknown type": {"type": "banana"},
    "not": {"not": {}},
    "if": {"if": {}, "then": NULL},
    "empty enum": {"enum": []},
    "empty anyOf": {"anyOf": []},
    "enum is text": {"enum": "abc"},
    "only itself": {"$ref": "#"},
    "all of itself": {"allOf": [{"$ref": "#"}]},
    "elsewhere": {"$ref": "https://example.org/schema"},
    "not there": {"$ref": "#/$defs/missing"},
    "negative length": {"minLength": -1},
    "length is true": {"minLength": True},
    "more at least than at most": {"type": "array", "minItems": 3, "maxItems": 2},
    "far too many": {"type": "array", "minItems": 9999},
    "an item where none may be": {"type": "array", "items": False, "minItems": 1},
    "properties are a number": {"properties": 7},
    "required and forbidden": {"required": ["a"], "additionalProperties": False},
    "two types at once": {"allOf": [{"type": "string"}, NULL]},
    "look-ahead": {"type": "string", "pattern": "(?=a)"},
    "open class": {"type": "string", "pattern": "[a"},
    "open group": {"type": "string", "pattern": "(a"},
    "back-reference": {"type": "string", "pattern": r"(a)\1"},
    "pattern is a number": {"type": "string", "pattern": 7},
    "repetition from more to fewer": {"type": "string", "pattern": "a{3,1}"},
    "a class of quotes": {"type": "string", "pattern": '["]'},
    "too deep": deep(200),
    "a pattern that is too deep": {"type": "string", "pattern": "(" * 500},
    "a pattern that is too long": {"type": "string", "pattern": "a" * 5000},
    "a pattern of many repetitions": {"type": "string", "pattern": "(a?){1500}"},
    "required is no text": {"type": "object", "required": [[]]},
    "many optional properties": {"properties": dict.fromkeys(map(str, range(1000)), NULL)},
    "many parts": {"properties": {str(n): {} for n in range(5000)}},
    "many choices": {"anyOf": [{"const": n} for n in range(300)]},
    "references that multiply": {"$ref": "#/$defs/0", "$defs": DOUBLING},
}


@pytest.mark.parametrize("schema", REFUSED.values(), ids=REFUSED.keys())
def test_refused(schema: Any) -> None:
    with pytest.raises(GrammarError) as caught:
        json_schema_to_gbnf(schema)
    assert caught.value.hint


def test_a_thousand_properties_take_no_time(noise: LlamaEngine) -> None:
    names = [f"property_{n}" for n in range(1000)]
    properties = {name: {"type": "string", "description": "x"} for name in names}
    started = time.perf_counter()
    noise.check_grammar(json_schema_to_gbnf({"properties": properties, "required": names}))
    with pytest.raises(GrammarError, match="more than 200 optional"):
        json_schema_to_gbnf({"properties": properties})
    assert time.perf_counter() - started < 2


def test_as_many_optional_properties_as_may_be(noise: LlamaEngine) -> None:
    properties = dict.fromkeys(map(str, range(200)), NULL)
    noise.check_grammar(json_schema_to_gbnf({"properties": properties}))


def test_as_many_items_as_may_be(noise: LlamaEngine) -> None:
    for least in (0, 1):
        schema = {"items": {"type": "integer"}, "minItems": least, "maxItems": 2000}
        noise.check_grammar(json_schema_to_gbnf(schema))


def test_the_error_names_the_place() -> None:
    schema = {"properties": {"a": {"items": {"not": {}}}}}
    with pytest.raises(GrammarError, match="#/properties/a/items"):
        json_schema_to_gbnf(schema)


def test_the_schema_is_not_changed() -> None:
    before = json.dumps(NODE)
    json_schema_to_gbnf(NODE)
    assert json.dumps(NODE) == before
