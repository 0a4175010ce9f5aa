"""Seven bits of a token: enough to tell what a draft was meant to follow, in one byte."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from msgspec import Meta

Trace: TypeAlias = Annotated[int, Meta(ge=0, lt=1 << 7)]


def trace(token: int) -> int:
    """The low seven bits of a token's id. Ids near each other differ in them."""
    return token & 0x7F
