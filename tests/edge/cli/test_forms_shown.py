"""An answer in a form is printed alone; where there is none, the exit code tells."""

from __future__ import annotations

import json

import pytest

from skerry.edge import Runtime
from skerry.edge.cli.ask import print_form
from skerry.edge.cli.errors import FormWithheld
from tests.edge.asking import QUESTION

GRAMMAR = 'root ::= "{" [^}]* "}"'


def test_a_form_is_printed_alone(asks: Runtime, scripted, capsys) -> None:
    scripted.draft = '{"who": "the nurse in charge"}'
    print_form(asks.stream(QUESTION, grammar=GRAMMAR), receipt=False)
    out, err = capsys.readouterr()
    assert json.loads(out) == {"who": "the nurse in charge"}
    assert "[1] Emergency trolley" in err


def test_a_form_that_is_withheld_is_an_error(asks: Runtime, scripted, capsys) -> None:
    scripted.draft = '{"who": "Hanneke"}'
    with pytest.raises(FormWithheld) as caught:
        print_form(asks.stream(QUESTION, grammar=GRAMMAR), receipt=False)
    assert capsys.readouterr().out == ""
    assert "$.who" in caught.value.what
    assert caught.value.exit_code == 8
