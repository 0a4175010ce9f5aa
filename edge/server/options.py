"""What a server is told when it starts. Limits are caps on what a client may ask of the device."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """How the server guards itself.

    Attributes:
        host: the address that is bound; decides which Host headers are believed.
        api_key: the key that a client must show; None lets everybody in (loopback only).
        allow_origins: web origins whose pages may call, beside the server's own page.
        open_metrics: `/metrics` needs no key on loopback.
        url_bytes: longest path with query.
        head_bytes: largest headers of a request.
        body_bytes: largest request body.
        body_seconds: longest time that a request body may take to arrive.
        waiting: answers that may wait for the model, beside those that it works on.
        drain_seconds: how long running answers may go on once the server is told to stop.
    """

    host: str = "127.0.0.1"
    api_key: str | None = None
    allow_origins: tuple[str, ...] = ()
    open_metrics: bool = False
    url_bytes: int = 8 << 10
    head_bytes: int = 32 << 10
    body_bytes: int = 16 << 20
    body_seconds: float = 30.0
    waiting: int = 64
    drain_seconds: float = 5.0

    @property
    def loopback(self) -> bool:
        return is_loopback(self.host)


def is_loopback(host: str) -> bool:
    """Whether a host name or address, without a port, means this machine alone."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
