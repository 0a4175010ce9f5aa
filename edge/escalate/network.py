"""Whether this machine is on a network, without sending anything to find out."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping, Sequence

from skerry.edge.escalate.options import is_loopback, parse_url
from skerry.edge.types import Network


def network_state(offline: bool, cloud_url: str | None, *, metered: bool = False) -> Network:
    """The network as policy sees it; no packet is sent and no name is looked up.

    `offline` always wins. A `cloud_url` on this machine is online whatever the interfaces are.
    Otherwise one interface beside loopback must be up. Whether a network is metered cannot be
    known portably, so `metered` is what the owner of the device says.

    Raises:
        ConfigError: `cloud_url` is not the URL of a service.
    """
    if offline:
        return Network.OFFLINE
    if cloud_url is not None and is_loopback(parse_url(cloud_url).host):
        return Network.ONLINE
    if not _interface_is_up():
        return Network.OFFLINE
    return Network.METERED if metered else Network.ONLINE


def _interface_is_up() -> bool:
    import psutil

    addresses = {
        name: [one.address for one in given] for name, given in psutil.net_if_addrs().items()
    }
    up = [name for name, stats in psutil.net_if_stats().items() if stats.isup]
    return any_routable(up, addresses)


def any_routable(up: Iterable[str], addresses: Mapping[str, Sequence[str]]) -> bool:
    """Whether an interface that is `up` has an address that reaches beyond its own link."""
    return any(_is_routable(address) for name in up for address in addresses.get(name, ()))


def _is_routable(address: str) -> bool:
    """An IP address that is neither loopback nor link-local; hardware addresses are none."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    return not (ip.is_loopback or ip.is_link_local or ip.is_unspecified)
