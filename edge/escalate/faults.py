"""What went wrong on the way to the cloud, as errors that say what to do. No I/O.

Text from a server is cut short, and never shows a secret of ours that it sends back.
"""

from __future__ import annotations

import json
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Protocol

import httpx2

from skerry.edge.errors import CloudError, CloudRefused, CloudUnavailable
from skerry.edge.escalate.options import CloudOptions

SNIPPET_CHARACTERS = 300
_SHORTEST_SECRET = 4

_MESSAGE_NAMES = ("error", "message", "detail")
_DEEPEST_MESSAGE = 4
_RETRY_STATUSES = frozenset({429, 502, 503, 504})
_LATER = "try again later; the device can answer meanwhile"
_CHECK_ADDRESS = "check base_url and the model's name"
_HINTS = {
    400: "the server does not take this request: check the model and what it supports",
    401: "check the API key",
    402: "the account has no credit left",
    403: "the API key may not use this model",
    404: _CHECK_ADDRESS,
    408: "the server gave up waiting; try again",
    413: "the request is too large for the server: send less context",
    422: "the server does not take this request: check the model and what it supports",
}


class Keeping(Protocol):
    """Options with secrets."""

    @property
    def secrets(self) -> tuple[str, ...]: ...


class Transient(CloudUnavailable):
    """A fault that another attempt may mend at once, if no text was given out yet.

    `retry_after_s` is how long the server asked to wait; None if it did not say.
    """

    def __init__(
        self,
        what: str,
        *,
        hint: str = "",
        status: int | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(what, hint=hint, status=status)
        self.retry_after_s = retry_after_s


class Overdue(CloudUnavailable):
    """The caller's deadline passed, which by itself is no fault of the server."""


def status_fault(
    options: CloudOptions, status: int, said: str, headers: Mapping[str, str]
) -> CloudError:
    """The error of a response whose status is not 200; `said` is its `server_message`."""
    what = f"{options.destination} answered {status}" + (f": {said}" if said else "")
    if 300 <= status < 400:
        target = snippet(options, headers.get("location", "elsewhere"))
        return CloudRefused(
            f"{what}: it redirects to {target}",
            hint="set base_url to the final address; a redirect is never followed",
            status=status,
        )
    if status in _RETRY_STATUSES:
        wait_s = retry_after_s(headers.get("retry-after", ""), time.time())
        return Transient(what, hint=_LATER, status=status, retry_after_s=wait_s)
    if status >= 500 or status == 408:
        return CloudUnavailable(what, hint=_LATER, status=status)
    return CloudRefused(what, hint=_HINTS.get(status, _CHECK_ADDRESS), status=status)


def event_fault(options: CloudOptions, error: object, data: str) -> CloudError:
    """The error of an `error` object in place of a piece of text; `data` is the whole event."""
    said = server_message(options, data)
    code = error.get("code") if isinstance(error, dict) else None
    if isinstance(code, int) and 400 <= code < 600:
        return status_fault(options, code, said, {})
    return CloudUnavailable(f"{options.destination} broke off with an error: {said}", hint=_LATER)


def protocol_fault(options: CloudOptions, problem: str) -> CloudRefused:
    """The error of an answer that is no stream of chat completion chunks."""
    return CloudRefused(
        f"{options.destination} did not answer like an OpenAI-compatible service: {problem}",
        hint="check base_url; a sign-in page of the network also answers like this",
        status=200,
    )


def late_fault(options: CloudOptions, what: str, limit: str) -> CloudUnavailable:
    return CloudUnavailable(f"{options.destination} {what}", hint=f"{_LATER}, or raise {limit}")


def overdue(options: CloudOptions, deadline_s: float) -> Overdue:
    what = f"{options.destination} was not done within the deadline of {deadline_s:g} s"
    return Overdue(what, hint=_LATER)


def offline_fault(options: CloudOptions) -> CloudUnavailable:
    what = f"nothing was sent to {options.destination}: this device is set to stay offline"
    return CloudUnavailable(what, hint="switch offline mode off to let the cloud answer")


def circuit_fault(options: CloudOptions) -> CloudUnavailable:
    what = f"{options.destination} failed too often and is not asked for a while"
    return CloudUnavailable(what, hint=f"wait {options.breaker_cooldown_s:g} s")


def broken_off(options: CloudOptions) -> Transient:
    return Transient(f"{options.destination} ended the answer before it was whole", hint=_LATER)


@contextmanager
def translated(options: CloudOptions) -> Iterator[None]:
    """Turns what the HTTP client raises into our errors."""
    try:
        yield
    except httpx2.HTTPError as error:
        raise transport_fault(options, error) from error
    except OSError as error:  # TLS errors in mid-stream come as they are
        raise transport_fault(options, error) from error


def transport_fault(options: CloudOptions, error: Exception) -> CloudError:
    """The error of a connection that could not be made or did not last."""
    if certificate := _certificate_error(error):
        return CloudRefused(
            f"{options.destination} could not prove who it is: {certificate.verify_message}",
            hint="set ca_bundle if the server has its own certificate authority",
        )
    if isinstance(error, httpx2.TimeoutException):
        what = f"no connection to {options.destination} within {options.connect_s:g} s"
        return Transient(what, hint="check the network and base_url, or raise connect_s")
    if isinstance(error, (httpx2.SSEError, httpx2.LocalProtocolError, httpx2.DecodingError)):
        return protocol_fault(options, snippet(options, str(error)))
    if isinstance(error, httpx2.ConnectError):
        what = f"no connection to {options.destination}: {snippet(options, _reason(error))}"
        return Transient(what, hint="check the network and base_url")
    what = f"the connection to {options.destination} broke: {snippet(options, _reason(error))}"
    return Transient(what, hint=_LATER)


def retry_after_s(header: str, now: float) -> float | None:
    """Seconds to wait, from `Retry-After` (RFC 9110, section 10.2.3); None if it says nothing.

    `now` is Unix seconds, for a header that names a date.
    """
    text = header.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        date = parsedate_to_datetime(text)
    except ValueError:
        return None
    if date.tzinfo is None:
        date = date.replace(tzinfo=UTC)
    return max(0.0, date.timestamp() - now)


def server_message(options: CloudOptions, text: str) -> str:
    """What the server says is wrong: its JSON error's message, or else the start of its text."""
    try:
        parsed = json.loads(text)
    except (ValueError, RecursionError):
        parsed = None
    return snippet(options, _message_of(parsed) or text)


def snippet(options: Keeping, text: str) -> str:
    """One short line of `text` without our secrets.

    A secret is masked by as many stars, so that cutting afterwards cannot bare half of another.
    One of a few characters is in many words, and nothing can hide it.
    """
    secrets = (secret for secret in options.secrets if len(secret) >= _SHORTEST_SECRET)
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, "*" * len(secret))
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= SNIPPET_CHARACTERS else line[:SNIPPET_CHARACTERS] + "…"


def _message_of(error: object) -> str | None:
    """The text in any of the shapes that servers use: {"error": {"message": …}}, {"detail": …}."""
    for _ in range(_DEEPEST_MESSAGE):
        if not isinstance(error, dict):
            break
        error = next((error[name] for name in _MESSAGE_NAMES if name in error), None)
    return error if isinstance(error, str) else None


def _certificate_error(error: BaseException) -> ssl.SSLCertVerificationError | None:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return cause
        cause = cause.__cause__ or cause.__context__
    return None


def _reason(error: BaseException) -> str:
    """The innermost message: the outer ones only repeat it, or are empty."""
    text = str(error)
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
        text = str(error) or text
    return text or type(error).__name__
