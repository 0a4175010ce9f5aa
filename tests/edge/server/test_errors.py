"""Every error of the runtime has a status, and keeps what it says to OpenAI's shape."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from skerry.edge import errors as edge
from skerry.edge.server.errors import as_api_error
from skerry.guardrails.errors import GuardrailError


def every(kind: type[Exception]) -> Iterator[type[Exception]]:
    yield kind
    for below in kind.__subclasses__():
        yield from every(below)


EXPECTED = {
    edge.InputError: 400,
    edge.ContextOverflow: 400,
    edge.GrammarError: 400,
    edge.ModelNotFound: 404,
    edge.ReceiptNotFound: 404,
    edge.PolicyDenied: 403,
    edge.ApprovalRequired: 403,
    edge.CloudUnavailable: 503,
    edge.ModelBusy: 503,
    edge.IndexLocked: 503,
    edge.IndexCorrupt: 500,
    edge.StateFull: 500,
    edge.ModelInvalid: 500,
}


@pytest.mark.parametrize(("kind", "status"), EXPECTED.items(), ids=lambda value: str(value))
def test_status(kind: type[edge.EdgeError], status: int) -> None:
    assert as_api_error(kind("it broke", hint="mend it")).status_code == status


# Those of the command line never reach the server, and are made otherwise.
RAISED = [
    kind
    for kind in (*every(edge.EdgeError), *every(GuardrailError))
    if not kind.__module__.startswith("skerry.edge.cli")
]


@pytest.mark.parametrize("kind", RAISED)
def test_shape(kind: type[edge.EdgeError]) -> None:
    error = as_api_error(kind("it broke", hint="mend it"))
    body = error.body()["error"]
    assert body["message"] == "it broke. mend it."
    assert body["code"] == kind.code
    assert body["type"]
    if kind.retryable:
        assert error.status_code == 503


def test_a_fault_that_nobody_foresaw_tells_nothing() -> None:
    error = as_api_error(ZeroDivisionError("the patient's name"))
    assert error.status_code == 500
    assert "patient" not in str(error.body())
