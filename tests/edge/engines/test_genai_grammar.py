"""GBNF to Lark: what is generated under a grammar matches it, whatever the grammar."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from skerry.edge.engines.base import EngineOptions, FinishReason, Sampling
from skerry.edge.engines.genai import GenaiEngine, load_genai
from skerry.edge.engines.genai.gbnf_tree import (
    CharClass,
    Choice,
    Literal,
    Node,
    Repeat,
    RuleRef,
    Sequence,
    parse_gbnf,
)
from skerry.edge.errors import GrammarError
from tests.edge.engines.conformance import ask, chat

TINY = Path(__file__).parents[2] / "data" / "tiny-genai"


@pytest.fixture(scope="module")
def tiny() -> Iterator[GenaiEngine]:
    engine = load_genai(TINY, EngineOptions(context_tokens=512, threads=1))
    yield engine
    engine.close()


TREES: dict[str, Node] = {
    'root ::= "a"': Literal("a"),
    'root ::= "a" "b"': Sequence((Literal("a"), Literal("b"))),
    'root ::= "a" | "b"': Choice((Literal("a"), Literal("b"))),
    'root ::= "a" |': Choice((Literal("a"), Sequence(()))),
    "root ::= [a-c_]": CharClass(((97, 99), (95, 95))),
    "root ::= [^\\]\\n]": CharClass(((93, 93), (10, 10)), negated=True),
    "root ::= [a-]": CharClass(((97, 97), (45, 45))),
    "root ::= .": CharClass((), negated=True),
    'root ::= "\\x41\\u00e9\\U0001F600\\t\\"\\\\"': Literal('Aé😀\t"\\'),
    'root ::= "a"*': Repeat(Literal("a"), 0, None),
    'root ::= "a"+': Repeat(Literal("a"), 1, None),
    'root ::= "a"?': Repeat(Literal("a"), 0, 1),
    'root ::= "a"{2}': Repeat(Literal("a"), 2, 2),
    'root ::= "a"{2,}': Repeat(Literal("a"), 2, None),
    'root ::= "a"{2,5}': Repeat(Literal("a"), 2, 5),
    'root ::= ("a" |\n  "b" # either\n)': Choice((Literal("a"), Literal("b"))),
    'root ::= other\nother ::= "x"': RuleRef("other"),
    '# comment\n\nroot ::=\n  "a"\n\n': Literal("a"),
}


@pytest.mark.parametrize("grammar", TREES)
def test_parse(grammar: str) -> None:
    assert parse_gbnf(grammar)["root"] == TREES[grammar]


BAD = {
    "an unknown escape": r'root ::= "\q"',
    "half an escape": r'root ::= "\u00"',
    "a surrogate": r'root ::= "\ud83d"',
    "beyond Unicode": r'root ::= "\U00110000"',
    "a range backwards": "root ::= [z-a]",
    "an empty class": "root ::= []",
    "a literal over two lines": 'root ::= "a\nb"',
    "a repetition over nothing": 'root ::= "a" | *',
    "an option on a line of its own": 'root ::= "a"\n| "b"',
}


@pytest.mark.parametrize("grammar", BAD.values(), ids=BAD.keys())
def test_what_does_not_parse(grammar: str) -> None:
    with pytest.raises(GrammarError) as caught:
        parse_gbnf(grammar)
    assert caught.value.hint


@given(st.text(st.sampled_from(list('root:=ab"[]()|*+?{}0,9 \\\n#^-.<>!')), max_size=60))
def test_no_text_surprises(text: str) -> None:
    try:
        rules = parse_gbnf(f"root ::= {text}")
    except GrammarError:
        return
    assert "root" in rules


LETTERS = 'ab"\\ \n-]^é薬😀0'
LITERALS = st.builds(Literal, st.text(st.sampled_from(LETTERS), min_size=1, max_size=3))
CLASSES = st.builds(
    CharClass,
    st.lists(st.sampled_from(LETTERS).map(lambda c: (ord(c), ord(c))), min_size=1).map(tuple),
)
NODES: st.SearchStrategy[Node] = st.recursive(
    LITERALS | CLASSES,
    lambda inner: (
        st.builds(Sequence, st.lists(inner, min_size=2, max_size=3).map(tuple))
        | st.builds(Choice, st.lists(inner, min_size=2, max_size=3).map(tuple))
        | st.builds(Repeat, inner, st.integers(1, 2), st.integers(2, 3))
    ),
    max_leaves=6,
)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(node=NODES, seed=st.integers(0, 1000))
def test_the_answer_matches_the_grammar(tiny: GenaiEngine, node: Node, seed: int) -> None:
    """Written as GBNF, through Lark, the library and a hot sampler; checked as a Python regex."""
    grammar = "root ::= " + gbnf(node)
    assert parse_gbnf(grammar).keys() == {"root"}
    hot = Sampling(temperature=3.0, seed=seed)
    answer = ask(tiny, chat("Tell a story.", grammar=grammar, sampling=hot, max_tokens=200))
    assert answer.finish is FinishReason.STOP
    assert re.fullmatch(regex(node), answer.text), (grammar, answer.text)


def gbnf(node: Node) -> str:
    match node:
        case Literal(text):
            return '"' + "".join(f"\\U{ord(char):08X}" for char in text) + '"'
        case CharClass(ranges):
            return "[" + "".join(f"\\U{low:08X}-\\U{high:08X}" for low, high in ranges) + "]"
        case Sequence(items):
            return "(" + " ".join(map(gbnf, items)) + ")"
        case Choice(options):
            return "(" + " | ".join(map(gbnf, options)) + ")"
        case Repeat(item, least, most):
            return f"{gbnf(item)}{{{least},{most}}}"
    raise AssertionError(node)


def regex(node: Node) -> str:
    match node:
        case Literal(text):
            return re.escape(text)
        case CharClass(ranges):
            return "(?:" + "|".join(re.escape(chr(low)) for low, _ in ranges) + ")"
        case Sequence(items):
            return "(?:" + "".join(map(regex, items)) + ")"
        case Choice(options):
            return "(?:" + "|".join(map(regex, options)) + ")"
        case Repeat(item, least, most):
            return f"(?:{regex(item)}){{{least},{most}}}"
    raise AssertionError(node)


RECURSIVE = r"""
root   ::= value
value  ::= list | word
list   ::= "[" (value ("," value)*)? "]"
word   ::= [a-z]{1,3}
"""


@pytest.mark.parametrize("seed", range(3))
def test_a_recursive_grammar(tiny: GenaiEngine, seed: int) -> None:
    hot = Sampling(temperature=1.5, seed=seed)
    answer = ask(tiny, chat("Hello.", grammar=RECURSIVE, sampling=hot, max_tokens=300))
    assert is_value(answer.text) or answer.finish is FinishReason.LENGTH


def is_value(text: str) -> bool:
    """Reduces innermost lists to a word until one word is left."""
    while (shorter := re.sub(r"\[([a-z]{1,3}(,[a-z]{1,3})*)?\]", "x", text)) != text:
        text = shorter
    return re.fullmatch(r"[a-z]{1,3}", text) is not None


COMMON: Mapping[str, str] = {
    "shared beginnings": 'root ::= ("ab" | "ac" | "a") "!"',
    "a class before its own letter": 'root ::= [a-z]{2} "x"',
    "forced half characters": "root ::= [\\u00e9-\\u00ff]{3}",
    "emoji alone": "root ::= [\\U0001F600-\\U0001F64F]{2}",
    "nothing at all": 'root ::= ""',
}


@pytest.mark.parametrize("name", COMMON)
def test_grammars_that_are_hard_to_lex(tiny: GenaiEngine, name: str) -> None:
    answer = ask(tiny, chat("Hello.", grammar=COMMON[name], max_tokens=60))
    assert answer.finish is FinishReason.STOP
