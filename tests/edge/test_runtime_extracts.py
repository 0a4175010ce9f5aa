"""What is to be extracted: from the documents through the gate, or from a text that is brought."""

from __future__ import annotations

from pathlib import Path

import pytest

from skerry.edge.events import SourcesFound
from skerry.edge.policy import parse_policy
from skerry.edge.tiers import NO_DOCUMENTS
from skerry.edge.types import RequestClass
from skerry.guardrails.gate import NOT_FOUND
from tests.edge.asking import route_as

EXTRACT = "What is the email address of Hanneke Bos?"
INVENTED = "The email address of Hanneke Bos is: https://www.facebook.com/hannebos."


@pytest.mark.parametrize("question", [EXTRACT, "Extract the email address from the documents"])
def test_no_source_is_no_extract(make_runtime, handbook: Path, scripted, question: str) -> None:
    scripted.draft = INVENTED
    runtime = make_runtime(route_as(RequestClass.EXTRACTION), offline=True)
    runtime.index.add([handbook])
    reply = runtime.ask(question)
    assert reply.text == NOT_FOUND
    assert not scripted.seen


def test_an_extract_without_documents_is_unfounded(make_runtime, scripted) -> None:
    scripted.draft = INVENTED
    runtime = make_runtime(route_as(RequestClass.EXTRACTION), offline=True)
    (found,) = [one for one in runtime.stream(EXTRACT) if isinstance(one, SourcesFound)]
    assert found.no_documents
    assert runtime.ask(EXTRACT).unfounded
    given = f"{EXTRACT}\nHanneke Bos: hanneke@example.org"
    assert not runtime.ask(given).unfounded


def test_policy_may_keep_extracts_from_nothing(make_runtime, scripted) -> None:
    strict = {"policy": parse_policy("[gate]\nwithout_documents = false\n", "strict.toml")}
    runtime = make_runtime({**strict, **route_as(RequestClass.EXTRACTION)}, offline=True)
    assert runtime.ask(EXTRACT).text == NO_DOCUMENTS
    assert not scripted.seen
