"""HTTP servers of bad faith: no more of an answer is read, or kept, than is asked for."""

from __future__ import annotations

import gzip
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest

from skerry.edge.errors import CloudError, CloudRefused
from skerry.edge.split.link import SocketLink
from skerry.edge.split.options import SplitOptions
from tests.edge.split.test_client import Mute, Scripted, generation

Act = Callable[[socket.socket], None]
BOUND_S = 20.0
HEAD = b"HTTP/1.1 %d Odd\r\nTransfer-Encoding: chunked\r\n%s\r\n"


@contextmanager
def answering(act: Act) -> Iterator[str]:
    """A server that reads the head of one request, and then does as it likes."""
    with socket.create_server(("127.0.0.1", 0)) as bound:

        def serve() -> None:
            with suppress(OSError):
                one, _ = bound.accept()
                with one:
                    one.settimeout(BOUND_S)
                    one.recv(65_536)
                    act(one)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"
        bound.close()
        thread.join(BOUND_S)
        assert not thread.is_alive(), "it is still read from"


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def endless(status: int, part: bytes, sent: list[int]) -> Act:
    def act(one: socket.socket) -> None:
        one.sendall(HEAD % (status, b""))
        while True:
            one.sendall(chunk(part))
            sent.append(len(part))

    return act


@pytest.mark.parametrize("status", [401, 404, 500])
def test_of_a_refusal_without_end_only_its_beginning_is_read(status: int) -> None:
    """It would else be read in the background for ever, into memory."""
    sent = list[int]()
    refused = pytest.raises(CloudError, match=f"answered {status}")
    with answering(endless(status, b"a" * 100_000, sent)) as url, refused:
        list(generation(url, Mute(), transport="http"))
    assert sum(sent) < 50_000_000


def test_frames_without_end_are_not_read_ahead_of() -> None:
    sent = list[int]()
    opened = b"\x00\x00\x00\x02\x91\x63" * 10_000
    with answering(endless(200, opened, sent)) as url, pytest.raises(CloudError):
        list(generation(url, Mute(), transport="http"))
    assert sum(sent) < 50_000_000


@pytest.mark.parametrize("status", [200, 500])
def test_a_compressed_answer_is_refused_unread(status: int) -> None:
    bomb = gzip.compress(b"\0" * 10_000_000)

    def act(one: socket.socket) -> None:
        one.sendall(HEAD % (status, b"Content-Encoding: gzip\r\n") + chunk(bomb))

    with answering(act) as url, pytest.raises(CloudRefused, match="compressed"):
        list(generation(url, Mute(), transport="http"))


def test_a_refusal_that_drips_is_left_in_time() -> None:
    def act(one: socket.socket) -> None:
        one.sendall(HEAD % (500, b""))
        while True:
            one.sendall(chunk(b"a"))
            time.sleep(0.05)

    began = time.monotonic()
    with answering(act) as url, pytest.raises(CloudError):
        list(generation(url, Mute(), transport="http", deadline_s=0.5))
    assert time.monotonic() - began < BOUND_S / 2


@pytest.mark.parametrize("left_s", [0.2, 60.0], ids=["its time is over", "it is closed"])
def test_a_connection_on_which_nothing_moves_is_left(left_s: float) -> None:
    """Whoever asks whether one is there, and does not read the answers, has the library wait with
    its lock held; that waits for no deadline, nor does whoever closes it then."""
    with Scripted([]) as url:
        held = SocketLink(SplitOptions(base_url=url), {}, left_s)
        stuck = threading.Thread(target=_stuck, args=(held,), daemon=True)
        closing = threading.Thread(target=held.close, daemon=True)
        stuck.start()
        if left_s > BOUND_S:
            closing.start()
        stuck.join(BOUND_S)
        assert not stuck.is_alive()
        held.close()


def _stuck(link: SocketLink) -> None:
    connection = link._connection
    with connection.protocol_mutex:
        connection.socket.recv(1)
