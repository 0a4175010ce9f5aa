"""Which grammars never reach llama.cpp."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from llama_cpp import llama_grammar

from skerry.edge.engines.gbnf import check_gbnf
from skerry.edge.engines.llama.native import NativeModel
from skerry.edge.engines.llama.sampling import compile_grammar, free_grammar
from skerry.edge.errors import GrammarError
from tests.edge.engines.tiny import write_model

BUNDLED = [name for name in dir(llama_grammar) if name.endswith("_GBNF")]

REFUSED = {
    "only a comment": "# nothing",
    "empty rule name": '::= "a"',
    "closing bracket": 'root ::= "a")',
    "deep nesting": "root ::= " + "(" * 100_000 + '"a"' + ")" * 100_000,
    "many alternatives": "root ::= " + " | ".join('"a"' for _ in range(5000)),
    "many rules": "\n".join(f'r{n} ::= "a"' for n in range(5000)) + '\nroot ::= "a"',
    "far too long": 'root ::= "' + "a" * 300_000 + '"',
    "fewer at most than at least": 'root ::= "a"{3,1}',
    "optional items in a row": "root ::= " + "[a-z]* " * 13,
    "an optional group in a row": 'root ::= ("a"?){500}',
    "an optional group, up to": 'root ::= ("a"?){0,500} "b"',
    "optional rules in a row": "root ::= " + "e " * 13 + '\ne ::= "a"?',
    "left recursion behind an optional rule": 'root ::= ws root "x"\nws ::= " "*',
    "left recursion in a group": 'root ::= ("a"? (root | "b"))',
    "left recursion behind an empty literal": 'root ::= "" root | "x"',
    "token reference": "root ::= <|im_end|>",
    "negated token reference": 'root ::= "a" !<[7]>',
    "many repetitions of a group": 'root ::= ("a"?){2000}',
    "repetitions multiplied": 'root ::= "a"{1999}{2}',
    "a number without end": 'root ::= "a"{' + "9" * 5000 + "}",
    "a group of many rules, repeated": "root ::= (" + '"a"? ' * 3 + '"b"){500}',
    "far too many elements": 'root ::= "' + "a" * 9000 + '"{999}',
    "repetitions without end": 'root ::= "a"' + "?" * 5000,
    "nothing to repeat": 'root ::= ""*',
    "no times, repeated": 'root ::= "a"{0}*',
    "an empty class": 'root ::= "a" []',
    "an empty negated class": 'root ::= "a" [^]',
    "unknown escape": r'root ::= "\q"',
    "half an escape": r'root ::= "\u12"',
    "a rule amid a line": 'root ::= "a" b ::= "c"',
    "a rule behind a bar": 'root ::= "a" |\nb ::= "x"',
    "an empty rule before a rule": 'root ::=\nb ::= "x"',
    "a line end before `::=`": 'root\n::= "a"',
    "a line end before a repetition": 'root ::= "a"\n*',
    "a rule that goes on": 'root ::= "a"\n\n"b"',
    "no-break space": 'root ::= "a"\u00a0"b"',
    "form feed": 'root ::= "a"\f"b"',
    "a line end in a repetition": 'root ::= "a"{2\n}',
}

ACCEPTED = {
    "right recursion": 'root ::= "a" root | "b"',
    "recursion in brackets": 'root ::= "(" root ")" | "x"',
    "a rule given twice": 'root ::= "a"\nroot ::= "b"',
    "escapes": r'root ::= "\"\\\n" [\]\x41-Z] "\u00e9"',
    "comment at the end": 'root ::= "a" # root ::= root',
    "dot": "root ::= . .",
    "line ends in a group": 'root ::= (\n"a" # one\n|\r\n"b"\n)*\n\n',
    "line ends behind ::= and |": 'root ::= # first\n\n"a" |\n"b"\n',
    "an empty alternative at the end": 'root ::= "a" |\n',
    "repetitions of repetitions": 'root ::= ("a"{0,3}){2,5} "b"+?',
    "an item that does not occur": 'root ::= "a"{0} "b"',
    "the most repetitions": 'root ::= "a"{1999} "b"{0,1999}',
    "repetitions": 'root ::= "a"{2} "b"{2,} "c"{,3}'.replace("{,3}", "{0,3}"),
    "twelve optional items": "root ::= " + '"a"? ' * 12 + '"b"',
    "a long chain": "root ::= r0\n" + "\n".join(f"r{n} ::= r{n + 1}" for n in range(3000))
    + '\nr3000 ::= "x"',
}  # fmt: skip


@pytest.mark.parametrize("grammar", REFUSED.values(), ids=REFUSED.keys())
def test_refused(grammar: str) -> None:
    with pytest.raises(GrammarError) as caught:
        check_gbnf(grammar)
    assert caught.value.hint


@pytest.fixture(scope="module")
def vocab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    model = NativeModel(write_model(tmp_path_factory.mktemp("model") / "tiny.gguf"), gpu_layers=0)
    yield model.vocab
    model.close()


@pytest.mark.parametrize("grammar", ACCEPTED.values(), ids=ACCEPTED.keys())
def test_accepted(grammar: str, vocab: int) -> None:
    free_grammar(compile_grammar(vocab, grammar))


FRAGMENTS = [
    "root", " ::= ", "::=", "\n", "\r", " ", "|", "(", ")", "*", "+", "?", "{2}", "{0,3}", "{0}",
    "{2,}", "{1999}", "{700}", '"SECRET"', '""', '"\\n"', r'"\x41"', r'"\u00e9"', '"\\q"', "[a-z]",
    "[^SECRET]", "[]", "[^]", r"[\]-]", ".", "# SECRET\n", "other", '\nother ::= "SECRET"',
    "\nroot ::= other", "\t", "\u00a0", '"', "[", "-", "<", "1",
]  # fmt: skip


@settings(
    max_examples=400,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.filter_too_much],
)
@given(st.lists(st.sampled_from(FRAGMENTS), max_size=14).map("".join))
def test_llama_cpp_says_nothing_of_a_grammar(
    vocab: int, capfd: pytest.CaptureFixture[str], rest: str
) -> None:
    """It prints what it cannot parse to stderr, where nobody's text belongs."""
    with suppress(GrammarError):
        free_grammar(compile_grammar(vocab, f"root ::= {rest}"))
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("grammar", REFUSED.values(), ids=REFUSED.keys())
def test_a_refused_grammar_is_printed_nowhere(
    vocab: int, capfd: pytest.CaptureFixture[str], grammar: str
) -> None:
    with pytest.raises(GrammarError):
        compile_grammar(vocab, grammar)
    assert capfd.readouterr() == ("", "")


def test_the_work_grows_with_the_grammar_only() -> None:
    """Each rule of these chains may match nothing, or none may, which shows from the end only."""
    started = time.perf_counter()
    rules = [f'r{n} ::= (","  r{n + 1})? r{n + 1}' for n in range(4000)]
    with pytest.raises(GrammarError, match="optional items in a row, those of its rules"):
        check_gbnf("\n".join(["root ::= r0", *rules, 'r4000 ::= ""']))
    check_gbnf("\n".join(["root ::= r0", *rules, 'r4000 ::= "x"']))
    assert time.perf_counter() - started < 6


def doubled(depth: int, leaf: str) -> str:
    """A tree of rules with 2**depth leaves."""
    rules = [f"a{n} ::= a{n + 1} a{n + 1}" for n in range(depth)]
    return "\n".join(["root ::= a0", *rules, f"a{depth} ::= {leaf}"])


@pytest.mark.parametrize("leaf", ['"a"?', '""', '"a"*', '("a" | "")', '(("a"?)?)?'])
def test_optional_items_are_counted_through_rules(leaf: str) -> None:
    check_gbnf(doubled(3, leaf))
    check_gbnf(doubled(30, '"a"'))
    for depth in (8, 30, 4000):
        with pytest.raises(GrammarError, match="optional items in a row"):
            check_gbnf(doubled(depth, leaf))


def test_optional_items_are_counted_through_repeated_groups() -> None:
    eight = '"a"? ' * 8
    check_gbnf(f"root ::= (({eight}){{2}}){{2}}")
    with pytest.raises(GrammarError, match="optional items in a row"):
        check_gbnf(f"root ::= (({eight}){{10}}){{10}}")


@pytest.mark.parametrize("name", BUNDLED)
def test_the_grammars_of_llama_cpp_are_accepted(name: str) -> None:
    check_gbnf(getattr(llama_grammar, name))


def test_the_error_names_the_line() -> None:
    with pytest.raises(GrammarError, match="line 3"):
        check_gbnf('root ::= a\na ::= "x"\nb ::= "y')
