from __future__ import annotations

import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
import trustme

from skerry.edge.errors import CloudRefused, CloudUnavailable
from skerry.edge.escalate import CloudTier
from tests.edge.escalate.conftest import GOOD, ScriptedServer, ask, fail, hang, say, text_of

Serve = Callable[..., ScriptedServer]
Make = Callable[..., CloudTier]


@pytest.fixture
def bundle(authority: trustme.CA, tmp_path: Path) -> Path:
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return path


def test_a_private_authority(
    serve: Serve, make_tier: Make, server_context: ssl.SSLContext, bundle: Path
) -> None:
    server = serve(fail(503), say(GOOD), context=server_context)
    assert text_of(ask(make_tier(server.url, ca_bundle=bundle))) == "Every morning."


def test_cancelling_closes_tls_at_once(
    serve: Serve, make_tier: Make, server_context: ssl.SSLContext, bundle: Path
) -> None:
    server = serve(hang(GOOD[:-20]), context=server_context)
    with ask(make_tier(server.url, ca_bundle=bundle)) as stream:
        assert next(stream).text == "Every "
    connection = server.requests[0]
    assert connection.wait_for_close() < 2


def test_an_unknown_authority_is_refused_before_anything_is_sent(
    serve: Serve, make_tier: Make, server_context: ssl.SSLContext
) -> None:
    server = serve(say(GOOD), context=server_context)
    stream = ask(make_tier(server.url))
    with pytest.raises(CloudRefused, match="could not prove who it is") as caught:
        text_of(stream)
    assert "ca_bundle" in caught.value.hint
    assert (stream.egress.bytes_sent, stream.egress.attempts) == (0, 1)


def test_another_hosts_certificate_is_refused(
    serve: Serve, make_tier: Make, authority: trustme.CA, bundle: Path
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("other.example.org").configure_cert(context)
    server = serve(say(GOOD), context=context)
    with pytest.raises(CloudRefused, match="could not prove who it is"):
        text_of(ask(make_tier(server.url, ca_bundle=bundle)))


def test_loopback_without_verification(
    serve: Serve, make_tier: Make, server_context: ssl.SSLContext
) -> None:
    server = serve(say(GOOD), context=server_context)
    assert text_of(ask(make_tier(server.url, verify_tls=False))) == "Every morning."


def test_a_server_that_speaks_no_tls(serve: Serve, make_tier: Make) -> None:
    server = serve(say(b"220 mail ready\r\n"))
    stream = ask(make_tier(server.url.replace("http:", "https:")))
    with pytest.raises(CloudUnavailable, match="no connection to"):
        text_of(stream)
    assert stream.egress.bytes_sent == 0


def test_a_server_that_stalls_in_the_handshake(serve: Serve, make_tier: Make) -> None:
    server = serve(hang())
    tier = make_tier(server.url.replace("http:", "https:"), connect_s=0.2, max_retries=0)
    with pytest.raises(CloudUnavailable, match=r"no connection to .* within 0\.2 s"):
        text_of(ask(tier))
