"""Bodies of requests of devices, and the answer to a check-in. The rest is `skerry.sync.offers`."""

from __future__ import annotations

from typing import Annotated

import msgspec

from skerry.sync.offers import Offer

_WORD = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
_Word = Annotated[str, msgspec.Meta(pattern=_WORD)]


class Enrolling(msgspec.Struct, frozen=True):
    """Body of `POST /v1/enroll`. `public_key` is Ed25519, in hex; the request is signed by it,
    with itself as the key id."""

    token: Annotated[str, msgspec.Meta(max_length=256)]
    name: _Word
    public_key: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$")]
    profile: Annotated[str, msgspec.Meta(max_length=128)] = ""
    tags: Annotated[tuple[_Word, ...], msgspec.Meta(max_length=64)] = ()


class Answer(msgspec.Struct, frozen=True):
    """To a check-in. `poll_s`: seconds until the next one is welcome, before jitter."""

    offer: Offer | None
    poll_s: float
