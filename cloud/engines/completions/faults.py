"""What went wrong on the way to the target's server, as errors that say what to do. No I/O."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

import httpx2

from skerry.cloud.engines.completions.options import EndpointOptions
from skerry.cloud.errors import Busy, CloudTierError, TargetError

_SNIPPET_CHARACTERS = 300
_BUSY = frozenset({429, 503})
_HINTS = {
    400: "the server does not take this request: look into its log",
    401: "give its API key with --target-key-file",
    403: "its API key may not use this model",
    404: "check the URL and the model's name",
    413: "the server takes no request so large: give less context or fewer drafts",
    422: "the server does not take this request: look into its log",
}


class StatusFault(TargetError):
    """The server answered with another `status` than 200."""

    def __init__(self, what: str, *, hint: str, status: int) -> None:
        super().__init__(what, hint=hint)
        self.status = status


def status_fault(options: EndpointOptions, status: int, body: bytes) -> CloudTierError:
    """The error of an answer whose status is not 200."""
    said = _message(options, body)
    what = f"the target's server {options.url} answered {status}" + (f": {said}" if said else "")
    if status in _BUSY:
        return Busy(what, hint="try again in a moment")
    if 300 <= status < 400:
        hint = "give the final address; a redirect is never followed"
    else:
        hint = _HINTS.get(status, "look into the server's log")
    return StatusFault(what, hint=hint, status=status)


def large_fault(options: EndpointOptions, most: int) -> TargetError:
    return TargetError(
        f"the target's server {options.url} sent more than {most} bytes for an answer",
        hint="check the URL",
    )


@contextmanager
def translated(options: EndpointOptions) -> Iterator[None]:
    """Turns what the HTTP client raises into our errors."""
    where = f"the target's server {options.url}"
    try:
        yield
    except TimeoutError as error:
        raise TargetError(
            f"{where} was not done within {options.deadline_s:g} s",
            hint="look whether it is overloaded",
        ) from error
    except httpx2.ConnectTimeout as error:
        raise TargetError(
            f"no connection to {where} within {options.connect_s:g} s",
            hint="check the URL and the network",
        ) from error
    except httpx2.ConnectError as error:
        raise TargetError(
            f"no connection to {where}: {_masked(options, str(error))}",
            hint="start it, or check the URL",
        ) from error
    except (httpx2.HTTPError, OSError) as error:
        reason = _masked(options, str(error)) or type(error).__name__
        raise TargetError(
            f"the connection to {where} broke: {reason}", hint="look whether it still runs"
        ) from error


def _message(options: EndpointOptions, body: bytes) -> str:
    """What the server says is wrong: its JSON error's message, or else the start of its text."""
    text = body.decode("utf-8", "replace")
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        said = text
    for name in ("error", "message", "detail"):
        if isinstance(said, dict):
            said = said.get(name, said)
    return _masked(options, said if isinstance(said, str) else text)


def _masked(options: EndpointOptions, text: str) -> str:
    """One short line, without the API key."""
    if options.api_key:
        text = text.replace(options.api_key, "***")
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= _SNIPPET_CHARACTERS else line[:_SNIPPET_CHARACTERS] + "…"
