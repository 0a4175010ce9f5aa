from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass, field

import pytest

from skerry.edge.errors import ConfigError
from skerry.edge.escalate import network_state
from skerry.edge.escalate.network import any_routable
from skerry.edge.types import Network

LOOPBACK_URLS = ["http://127.0.0.1:8080", "http://localhost:8080/v1", "http://[::1]:1", None]


@pytest.mark.parametrize("url", [*LOOPBACK_URLS, "https://api.example.org"])
def test_offline_always_wins(url: str | None) -> None:
    assert network_state(True, url) is Network.OFFLINE
    assert network_state(True, url, metered=True) is Network.OFFLINE


@pytest.mark.parametrize("url", LOOPBACK_URLS[:-1])
def test_a_cloud_on_this_machine_needs_no_network(url: str) -> None:
    assert network_state(False, url) is Network.ONLINE
    assert network_state(False, url, metered=True) is Network.ONLINE


def test_metered_is_what_the_owner_says() -> None:
    here = network_state(False, "https://api.example.org")
    metered = network_state(False, "https://api.example.org", metered=True)
    assert (here, metered) in {
        (Network.ONLINE, Network.METERED),
        (Network.OFFLINE, Network.OFFLINE),
    }


def test_a_url_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigError):
        network_state(False, "nonsense")


@dataclass(frozen=True)
class Machine:
    name: str
    routable: bool
    up: tuple[str, ...] = ()
    addresses: dict[str, tuple[str, ...]] = field(default_factory=dict)


MACHINES = [
    Machine("nothing at all", False),
    Machine("loopback only", False, ("lo",), {"lo": ("127.0.0.1", "::1")}),
    Machine("cable in", True, ("lo", "eth0"), {"eth0": ("192.0.2.7", "02:00:00:00:00:01")}),
    Machine("cable out", False, ("lo",), {"eth0": ("192.0.2.7",)}),
    Machine("up without address", False, ("eth0",), {"eth0": ("02:00:00:00:00:01",)}),
    Machine("self-assigned", False, ("wlan0",), {"wlan0": ("169.254.3.4", "fe80::1%wlan0")}),
    Machine("IPv6 only", True, ("wlan0",), {"wlan0": ("fe80::1%wlan0", "2001:db8::7")}),
    Machine("unnamed", False, ("eth0",)),
]


@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.name)
def test_interfaces(machine: Machine) -> None:
    assert any_routable(machine.up, machine.addresses) is machine.routable


GUARDED = """
import sys, threading
seen = []
sys.addaudithook(lambda name, args: seen.append(name) if name.startswith("socket.") else None)
from skerry.edge.engines.base import Sampling
from skerry.edge.errors import CloudUnavailable
from skerry.edge.escalate import CloudOptions, CloudTier, network_state

assert network_state(True, "https://api.example.org") == "offline"
options = CloudOptions(base_url="https://api.example.org", model="m")
with CloudTier(options, offline=lambda: True) as tier:
    assert not tier.available()
    given = dict(sampling=Sampling(), max_tokens=8)
    preview = tier.preview([{"role": "user", "content": "hello"}], **given)
    try:
        tier.send(preview, deadline_s=1.0, cancel=threading.Event())
    except CloudUnavailable as error:
        assert "offline" in error.what, error.what
    else:
        raise SystemExit("it was sent")
    assert "offline" in tier.probe().problem
assert not seen, seen
import socket
socket.socket().close()
assert seen == ["socket.__new__"], seen
"""


def test_offline_no_socket_is_made() -> None:
    """In a process of its own: an audit hook cannot be taken away again."""
    subprocess.run([sys.executable, "-c", GUARDED], check=True, timeout=60)
