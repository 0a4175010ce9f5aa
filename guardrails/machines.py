"""The recognisers of what names a machine or an account on one: addresses, devices, handles."""

from __future__ import annotations

import re
from collections.abc import Iterator

from skerry.guardrails import checksums
from skerry.guardrails.numbers import GAP, NOT_AFTER, NOT_BEFORE
from skerry.guardrails.recogniser import Recogniser, Span, has, near, pii, shaped, whole

_NUMBER = r"(?:\s?(?:number|num\.?|no\.?|nr\.?|id|identifier|#))"
_TO = r"(?:\s(?:is|was))?[\W_]{0,3}"
_HEX = r"[\da-f]"
_TRAILING = ".,;:!?'’\"”)]}"
_HAS_A_LETTER = re.compile(r"[a-f]")
_NO_NAME = (
    "a|an|and|are|as|at|be|but|by|can|cannot|does|for|from|has|have|in|is|it|may|must|not|of|on|or|"
    "password|that|the|to|was|which|will|with"
)


def _address(matched: str) -> Iterator[Span]:
    """All of it, if it is an IPv6 address (RFC 4291) that says more than "::1"."""
    import ipaddress

    try:
        ipaddress.IPv6Address(matched)
    except ValueError:
        return
    if sum(character.isalnum() for character in matched) > 3:
        yield 0, len(matched)


def _link(matched: str) -> Iterator[Span]:
    """A link without the marks of the sentence that it ends."""
    yield 0, len(matched.rstrip(_TRAILING))


def _hardware(matched: str) -> Iterator[Span]:
    """Six pairs with dashes may be a date and a time; with a letter they are none."""
    if "-" not in matched or _HAS_A_LETTER.search(matched):
        yield 0, len(matched)


_ADDRESSES = (
    pii(
        "ip_address",
        rf"(?<![\w:.]){_HEX}{{0,4}}(?::{_HEX}{{0,4}}){{2,7}}(?:(?:\.\d{{1,3}}){{3}})?(?![\w:]|\.\d)",
        0.85,
        shaped(rf":{_HEX}{{0,4}}:"),
        _address,
    ),
    pii(
        "mac_address",
        rf"(?<![\w:\-]){_HEX}{{2}}(?:(?::{_HEX}{{2}}){{5}}|(?:-{_HEX}{{2}}){{5}})(?![\w\-]|:\w)|"
        rf"(?<![\w.]){_HEX}{{4}}\.{_HEX}{{4}}\.{_HEX}{{4}}(?![\w]|\.\w)",
        0.85,
        shaped(rf"[:\-.](?<={_HEX}{{2}}[:\-.]){_HEX}{{2}}(?:[:\-]{_HEX}{{2}}[:\-]|{_HEX}{{2}}\.)"),
        _hardware,
    ),
    pii(
        "url",
        r"(?<![\w@])(?:(?:https?|ftp)://|www\.)[^\s<>\"'`|\\^{}]{3,2000}",
        0.85,
        has("://", "www."),
        _link,
    ),
)

_DEVICES = (
    pii(
        "device_id",
        rf"{NOT_AFTER}imei(?:sv)?{_NUMBER}?{_TO}(?P<id>\d(?:{GAP}\d){{14,15}}){NOT_BEFORE}",
        0.95,
        has("imei"),
        whole(checksums.equipment),
    ),
    pii(
        "device_id",
        rf"{NOT_AFTER}(?:serial{_NUMBER}|device\s?(?:id|identifier)|udid|s/n){_TO}"
        rf"(?P<id>(?=[a-z\-]{{0,8}}\d)[a-z\d](?:-?[a-z\d]){{5,39}}){NOT_BEFORE}",
        0.85,
        has("serial", "device", "udid", "s/n"),
    ),
)

_HANDLES = (
    pii(
        "username",
        r"(?<![\w@/.])@[a-z_][\w.]{1,29}(?<![.])(?![\w@(])",
        0.4,
        has("@"),
        near=near(
            "twitter|instagram|tiktok|telegram|github|slack|mastodon|bluesky|threads|handles?|follow|"
            "follows|dm|message|messaged|mention|mentions|tweet|tweeted|contact|ping|user|account",
            0.8,
        ),
    ),
    pii(
        "username",
        rf"{NOT_AFTER}(?:user\s?(?:name|id)|login(?:\sname)?|screen\sname|handle)"
        rf"(?:\s(?:is|was):?\s|[ \t]?[:=][ \t]{{0,2}})[\"'“‘]?(?!(?:{_NO_NAME})\b)"
        rf"(?P<id>@?[a-z\d_][\w.\-]{{1,62}}\w)",
        0.8,
        has("user", "login", "screen", "handle"),
    ),
)

MACHINES: tuple[Recogniser, ...] = (*_ADDRESSES, *_DEVICES, *_HANDLES)
