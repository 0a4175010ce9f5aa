from __future__ import annotations

import json
from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.edge.errors import CloudError, CloudRefused, CloudUnavailable
from skerry.edge.escalate import CloudOptions, Secret
from skerry.edge.escalate.faults import (
    SNIPPET_CHARACTERS,
    Transient,
    retry_after_s,
    server_message,
    snippet,
    status_fault,
)

KEY = "sk-secret-0123456789"
OPTIONS = CloudOptions(
    base_url="https://api.example.org",
    model="m",
    api_key=Secret(KEY),
    headers={"X-Team": "team-secret"},
)

STATUSES: dict[int, type[CloudError]] = {
    204: CloudRefused,
    302: CloudRefused,
    400: CloudRefused,
    401: CloudRefused,
    404: CloudRefused,
    408: CloudUnavailable,
    413: CloudRefused,
    418: CloudRefused,
    429: Transient,
    500: CloudUnavailable,
    502: Transient,
    503: Transient,
    504: Transient,
    529: CloudUnavailable,
}


@pytest.mark.parametrize(("status", "kind"), STATUSES.items())
def test_statuses(status: int, kind: type[CloudError]) -> None:
    error = status_fault(OPTIONS, status, "what the server said", {})
    assert type(error) is kind
    assert error.status == status
    assert error.retryable is issubclass(kind, CloudUnavailable)
    assert error.hint
    assert "what the server said" in error.what
    assert f"api.example.org answered {status}" in error.what


def test_a_redirect_says_where_to() -> None:
    error = status_fault(OPTIONS, 301, "", {"location": "https://other.example.org/"})
    assert "https://other.example.org/" in error.what
    assert "never followed" in error.hint


MESSAGES = {
    '{"error": {"message": "no such model"}}': "no such model",
    '{"error": "no such model"}': "no such model",
    '{"message": "no such model"}': "no such model",
    '{"detail": "no such model"}': "no such model",
    "no such model": "no such model",
    "": "",
    '{"code": 5}': '{"code": 5}',
    "[1, 2]": "[1, 2]",
    '{"error": {"message": null}}': '{"error": {"message": null}}',
    "two\r\nlines\x1b[31m\x00": "two lines [31m",
}


@pytest.mark.parametrize(("body", "shown"), MESSAGES.items())
def test_what_the_server_says(body: str, shown: str) -> None:
    assert server_message(OPTIONS, body) == shown


@pytest.mark.parametrize("depth", [5, 900, 200_000])
def test_deep_nesting_is_cut_short(depth: int) -> None:
    body = '{"error":' * depth + '"x"' + "}" * depth
    assert len(server_message(OPTIONS, body)) <= SNIPPET_CHARACTERS + 1


@given(st.lists(st.sampled_from([KEY, "team-secret", "x", " ", "sk-", "ü" * 100, KEY * 40])))
def test_our_secrets_are_never_shown(parts: list[str]) -> None:
    text = "".join(parts)
    for shown in (
        snippet(OPTIONS, text),
        server_message(OPTIONS, text),
        server_message(OPTIONS, json.dumps({"error": {"message": text}})),
    ):
        assert KEY not in shown
        assert "team-secret" not in shown
        assert KEY[:12] not in shown, "cutting bared half of a key"


def test_a_long_key_that_is_cut_off_with_the_body() -> None:
    token = "".join(f"{n:04}" for n in range(500))
    options = CloudOptions(base_url="https://api.example.org", model="m", api_key=Secret(token))
    assert snippet(options, (token * 40)[: 64 << 10]) == "*" * SNIPPET_CHARACTERS + "…"


NOW = 1_700_000_000.0
WAITS = {
    "": None,
    "soon": None,
    "7": 7.0,
    " 7 ": 7.0,
    "0": 0.0,
    "-7": None,
    "1e3": None,
    "٧": None,
    "9" * 400: 999_999_999.0,
    formatdate(NOW + 9, usegmt=True): 9.0,
    formatdate(NOW - 9, usegmt=True): 0.0,
    "Tue, 99 Nov 2023 25:00:00 GMT": None,
}


@pytest.mark.parametrize(("header", "wait"), WAITS.items())
def test_retry_after(header: str, wait: float | None) -> None:
    assert retry_after_s(header, NOW) == wait


@given(st.text(max_size=40))
def test_any_retry_after_is_read_or_ignored(header: str) -> None:
    wait = retry_after_s(header, NOW)
    assert wait is None or wait >= 0
