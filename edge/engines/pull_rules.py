"""What may be fetched, and what a server's response means. Pure: no file, no connection."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass

import httpx2

from skerry.edge.engines.partfile import Origin
from skerry.edge.errors import InputError, PullError, PullInterrupted

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")
_TRY_LATER = frozenset({408, 425, 429, 500, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class Arrival:
    """What a response brings: bytes from `start` on; `total_bytes` None if it does not say."""

    start: int
    total_bytes: int | None


class RangeRefused(PullInterrupted):
    """What has arrived cannot be continued; the next attempt begins again."""


def arrival(status: int, headers: Mapping[str, str], have: int, version: str | None) -> Arrival:
    """What a response to a request for the bytes from `have` on means (RFC 9110, section 14).

    Args:
        headers: with names in lower case.
        version: the version that the first `have` bytes are of.

    Raises:
        PullInterrupted: worth another attempt.
        RangeRefused: worth another attempt from the beginning.
        PullError: the server refuses, or what it sends cannot be used.
    """
    if status in _TRY_LATER:
        raise PullInterrupted(f"the server answered {status}", hint="try again later")
    if status == 416:
        raise RangeRefused("the server has no such part of the file", hint="try again")
    if status not in {200, 206}:
        raise PullError(f"the server answered {status}", hint="check the address in a browser")
    if headers.get("content-encoding", "identity") != "identity":
        raise PullError("the server compresses the file", hint="use another mirror")
    if status == 200:
        return Arrival(0, _number(headers.get("content-length")))
    return _continued(headers, have, version)


def version_of(headers: Mapping[str, str]) -> str | None:
    """What `If-Range` may be given: a strong ETag, else the date of the last change."""
    etag = headers.get("etag")
    return etag if etag and not etag.startswith("W/") else headers.get("last-modified")


def _continued(headers: Mapping[str, str], have: int, version: str | None) -> Arrival:
    found = _RANGE.fullmatch(headers.get("content-range", ""))
    if found is None or int(found[1]) != have:
        raise RangeRefused("the server sent another part of the file", hint="try again")
    if version is not None and version_of(headers) not in {None, version}:
        raise RangeRefused("the file on the server has changed", hint="try again")
    return Arrival(have, _number(found[3]))


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isdecimal() else None


def checked_origin(url: str, sha256: str | None) -> Origin:
    """What is to be fetched; raises InputError for what cannot be used.

    Its address is without user, password and query, which may hold secrets.
    """
    digest = sha256.lower().removeprefix("sha256:") if sha256 is not None else None
    if digest is not None and not _SHA256.fullmatch(digest):
        raise InputError(
            f"'{sha256}' is not a SHA-256 digest", hint="give its 64 hexadecimal digits"
        )
    try:
        parsed = httpx2.URL(url)
    except (httpx2.InvalidURL, TypeError) as error:
        raise InputError(
            f"'{url}' is not an address: {error}", hint="give an https address"
        ) from error
    if parsed.scheme not in {"http", "https"} or not parsed.host:
        raise InputError(f"'{url}' is not a web address", hint="give an https address")
    check_address(url, digest)
    return Origin(place(url), digest)


def check_address(url: str, sha256: str | None) -> None:
    """Raises InputError for plain http without a digest: anybody on the way can change the file."""
    parsed = httpx2.URL(url)
    if parsed.scheme != "https" and sha256 is None and not _is_loopback(parsed.host):
        raise InputError(
            f"{place(url)} is not encrypted",
            hint="use an https address, or give the file's SHA-256 digest",
        )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def place(url: str) -> str:
    """The address as it may be shown and kept."""
    return str(httpx2.URL(url).copy_with(userinfo=b"", query=None, fragment=None))


def checked_name(name: str) -> str:
    """`name`; InputError when it is not one that a file can have everywhere."""
    if not _NAME.fullmatch(name) or name.lower().endswith((".gguf", ".part", ".json")):
        raise InputError(
            f"'{name}' is not a name for a model",
            hint="use letters, digits, dots, hyphens and underscores, without .gguf",
        )
    return name
