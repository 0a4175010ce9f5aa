"""Which grammars never reach llama.cpp."""

from __future__ import annotations

import pytest
from llama_cpp import llama_grammar

from skerry.edge.engines.gbnf import check_gbnf
from skerry.edge.errors import GrammarError

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
    "optional rules in a row": "root ::= " + "e " * 13 + '\ne ::= "a"?',
    "left recursion behind an optional rule": 'root ::= ws root "x"\nws ::= " "*',
    "left recursion in a group": 'root ::= ("a"? (root | "b"))',
    "left recursion behind an empty literal": 'root ::= "" root | "x"',
    "token reference": "root ::= <|im_end|>",
    "negated token reference": 'root ::= "a" !<[7]>',
}

ACCEPTED = {
    "right recursion": 'root ::= "a" root | "b"',
    "recursion in brackets": 'root ::= "(" root ")" | "x"',
    "a rule given twice": 'root ::= "a"\nroot ::= "b"',
    "escapes": r'root ::= "\"\\\n" [\]\x41-Z] "\u00e9"',
    "comment at the end": 'root ::= "a" # root ::= root',
    "dot": "root ::= . .",
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


@pytest.mark.parametrize("grammar", ACCEPTED.values(), ids=ACCEPTED.keys())
def test_accepted(grammar: str) -> None:
    check_gbnf(grammar)


@pytest.mark.parametrize("name", BUNDLED)
def test_the_grammars_of_llama_cpp_are_accepted(name: str) -> None:
    check_gbnf(getattr(llama_grammar, name))


def test_the_error_names_the_line() -> None:
    with pytest.raises(GrammarError, match="line 3"):
        check_gbnf('root ::= a\na ::= "x"\nb ::= "y')
