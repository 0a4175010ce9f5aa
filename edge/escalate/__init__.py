"""The cloud behind the device: any OpenAI-compatible service, within deadlines, and what it costs.

Policy decides whether to ask it; redaction happens before. What a request would send can be seen
first as a `Preview`, and what was sent is in the stream's `egress`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from skerry.edge.escalate.base import Egress, RemoteStream, RemoteTier
from skerry.edge.escalate.breaker import Breaker, Circuit, CircuitState
from skerry.edge.escalate.network import network_state
from skerry.edge.escalate.options import CloudOptions, Secret
from skerry.edge.escalate.preview import OutgoingMessage, Preview

if TYPE_CHECKING:
    from skerry.edge.escalate.probe import Probe
    from skerry.edge.escalate.stream import CloudStream
    from skerry.edge.escalate.tier import CloudTier

__all__ = [
    "Breaker",
    "Circuit",
    "CircuitState",
    "CloudOptions",
    "CloudStream",
    "CloudTier",
    "Egress",
    "OutgoingMessage",
    "Preview",
    "Probe",
    "RemoteStream",
    "RemoteTier",
    "Secret",
    "network_state",
]

_WITH_HTTP = {"CloudTier": "tier", "CloudStream": "stream", "Probe": "probe"}
"""Names that bring the HTTP client with them, loaded only when the cloud is used."""


def __getattr__(name: str) -> object:
    if name not in _WITH_HTTP:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_WITH_HTTP[name]}"), name)
