"""What the API says of an answer beside its text."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from skerry.edge.fields import reply_fields
from skerry.edge.receipts.words import DOUBTFUL
from skerry.edge.server.answers import skerry_fields
from skerry.edge.types import RequestClass
from tests.edge.asking import QUESTION, route_as


@pytest.mark.parametrize(
    ("sure", "doubtful"), [(DOUBTFUL / 2, True), (DOUBTFUL, False), (None, False)]
)
def test_how_sure_an_answer_is(
    make_runtime, handbook: Path, sure: float | None, *, doubtful: bool
) -> None:
    runtime = make_runtime(route_as(RequestClass.QUESTION), offline=True)
    runtime.index.add([handbook])
    reply = runtime.ask(QUESTION)
    reply = replace(reply, receipt=replace(reply.receipt, answer_confidence=sure))
    assert reply.doubtful is doubtful
    assert reply_fields(reply)["doubtful"] is doubtful
    fields = skerry_fields(reply)
    assert fields["answer_confidence"] == sure
    assert fields["doubtful"] is doubtful
