"""The check of cloud collections: whether they are there, with the encoder of this device."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import TYPE_CHECKING

from skerry.edge import making
from skerry.edge.doctor.report import Check, Status
from skerry.edge.errors import EdgeError
from skerry.edge.settings import Settings
from skerry.edge.types import Network

if TYPE_CHECKING:
    from skerry.cloud.collections.wire import Info

_NAME = "collections"


def check_collections(settings: Settings) -> Check:
    """Asks the gateway for its list, if a collection is configured and Skerry is not offline."""
    if not settings.collections:
        return Check(_NAME, Status.OK, "none is configured: no vector leaves for one")
    if settings.offline:
        return Check(_NAME, Status.OK, "offline: not asked")
    from skerry.edge.bundled import take_bundle

    try:
        with closing(making.collections(settings, lambda: Network.ONLINE)) as collections:
            there = {one.name: one for one in collections.listed()}
    except EdgeError as error:
        return Check(_NAME, Status.FAIL, error.what, error.hint)
    encoder = making.encoder(1, take_bundle(settings)).id
    wrong = list(_wrong(settings, there, encoder))
    if wrong:
        hint = "ask who operates the gateway, or change the setting `collections`"
        return Check(_NAME, Status.FAIL, "; ".join(wrong), hint)
    told = (f"{name} ({there[name].passages:,} passages)" for name in sorted(settings.collections))
    return Check(_NAME, Status.OK, f"{', '.join(told)}: with this device's encoder")


def _wrong(settings: Settings, there: Mapping[str, Info], encoder: str) -> Iterator[str]:
    for name in sorted(settings.collections):
        if name not in there:
            yield f"the gateway has no collection '{name}' for this key"
        elif there[name].encoder != encoder:
            yield f"'{name}' was made with the encoder '{there[name].encoder}', not '{encoder}'"
