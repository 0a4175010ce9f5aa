"""Collections over HTTP: who may search and publish, and what a gateway does not take."""

from __future__ import annotations

import contextlib
import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skerry.cloud.collections.wire import (
    MOST_PASSAGES,
    Answer,
    BadCollection,
    Missing,
    Search,
    Wanted,
    digest_of,
    quantised,
    read,
    read_parts,
    written,
    written_part,
    written_parts,
)
from skerry.cloud.gateway.errors import GatewayConfigError
from tests.cloud.gateway.configured import BASE, OPERATOR, OTHER, USER, configured
from tests.cloud.gateway.parts import Sent, asked, part, publish
from tests.cloud.gateway.upstreams import Running, gateway

OPEN = '[collections.formulary]\n[collections.handbook]\ntenants = ["clinic"]\nmost_passages = 2\n'
A, B = part("adrenaline", 0, 1), part("bandages", 2)


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    with gateway(configured(OPEN), tmp_path) as one:
        yield one


def client(running: Running, key: str = USER) -> httpx2.Client:
    return httpx2.Client(
        base_url=running.url, headers={"authorization": f"Bearer {key}"}, timeout=20
    )


def put(operator: httpx2.Client, name: str, *sent: Sent) -> httpx2.Response:
    bodies = written_parts([one.body for one in sent])
    operator.post(f"/admin/collections/{name}/parts", content=bodies).raise_for_status()
    return operator.put(f"/admin/collections/{name}", content=written(publish(*sent)))


def found(user: httpx2.Client, name: str, axis: int = 0, passages: int = 4) -> list[str]:
    body = written(asked(axis, passages))
    response = user.post(f"/v1/collections/{name}/search", content=body)
    response.raise_for_status()
    return [one.passage.text for one in read(response.content, Answer).found]


def code(response: httpx2.Response) -> tuple[int, str]:
    return response.status_code, response.json()["error"]["code"]


def test_an_operator_publishes_and_a_user_searches(running: Running) -> None:
    with client(running, OPERATOR) as operator, client(running) as user:
        wanted = Wanted((A.digest, B.digest))
        path = "/admin/collections/formulary"
        missing = operator.post(f"{path}/missing", content=written(wanted))
        assert read(missing.content, Missing).missing == wanted.parts
        assert put(operator, "formulary", A, B).json()["passages"] == 3
        assert found(user, "formulary", 2, 1) == ["bandages says 2"]
        (listed,) = user.get("/v1/collections").json()["data"]
        assert (listed["name"], listed["documents"]) == ("formulary", 2)
        assert operator.delete(path).json()["removed"]
        assert code(operator.delete(path)) == (404, "collection_not_found")


def test_a_collection_is_open_to_its_tenants(running: Running) -> None:
    with client(running, OPERATOR) as operator, client(running) as user:
        put(operator, "handbook", A)
        assert found(user, "handbook", 0, 1) == ["adrenaline says 0"]
        assert found(operator, "handbook", 0, 1) == ["adrenaline says 0"]
        with client(running, OTHER) as other:
            refused = other.post("/v1/collections/handbook/search", content=written(asked(0)))
            assert code(refused) == (404, "collection_not_found")
            assert other.get("/v1/collections").json() == {"data": []}


def test_a_user_publishes_nothing(running: Running) -> None:
    path = "/admin/collections/formulary"
    with client(running) as user:
        for response in (
            user.put(path, content=written(publish(A))),
            user.post(f"{path}/parts", content=written_parts([A.body])),
            user.post(f"{path}/missing", content=written(Wanted(()))),
            user.delete(path),
        ):
            assert code(response)[0] == 403
    with httpx2.Client(base_url=running.url) as nobody:
        assert nobody.get("/v1/collections").status_code == 401


@pytest.mark.parametrize("name", ["none", "a'--", "x;DROP TABLE collections", "%2e%2e", "A" * 300])
def test_a_name_that_the_file_does_not_have(running: Running, name: str) -> None:
    with client(running, OPERATOR) as operator:
        put(operator, "formulary", A)
        for response in (
            operator.post(f"/v1/collections/{name}/search", content=written(asked(0))),
            operator.post(f"/admin/collections/{name}/parts", content=written_parts([A.body])),
            operator.put(f"/admin/collections/{name}", content=written(publish(A))),
            operator.delete(f"/admin/collections/{name}"),
        ):
            assert response.status_code == 404
        assert found(operator, "formulary", 0, 1) == ["adrenaline says 0"]


VECTOR = asked(0).vector


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"encoder": "minilm-test@1", "vector": VECTOR, "passages": MOST_PASSAGES + 1}, 400),
        ({"encoder": "minilm-test@1", "vector": VECTOR, "passages": 10**30}, 400),
        ({"encoder": "minilm-test@1", "vector": VECTOR, "passages": 0}, 400),
        ({"encoder": "minilm-test@1", "vector": VECTOR, "passages": True}, 400),
        ({"encoder": "minilm-test@1", "vector": VECTOR, "text": "what is my dose?"}, 400),
        ({"encoder": "minilm-test@1", "vector": [0.5] * 8}, 400),
        ({"encoder": "minilm-test@1", "vector": "AAAAAAAAAAA="}, 400),
        ({"encoder": "minilm-test@1", "vector": "=" * 9_000}, 400),
        ({"encoder": "minilm-test@1", "vector": "fw=="}, 409),
        ({"encoder": "minilm-test@2", "vector": VECTOR}, 409),
        ({"vector": VECTOR}, 400),
        ([], 400),
    ],
)
def test_searches_that_are_none(running: Running, body: object, status: int) -> None:
    with client(running, OPERATOR) as operator, client(running) as user:
        put(operator, "formulary", A)
        raw = msgspec.json.encode(body)
        response = user.post("/v1/collections/formulary/search", content=raw)
        assert response.status_code == status, response.text
        assert found(user, "formulary", 0, 1) == ["adrenaline says 0"]


@pytest.mark.parametrize("raw", [b"", b"\xff", b"[" * 4_000, b'{"vector": NaN}'])
def test_bodies_that_are_no_json(running: Running, raw: bytes) -> None:
    with client(running) as user:
        response = user.post("/v1/collections/formulary/search", content=raw)
        assert code(response) == (400, "bad_collection")


def test_bodies_that_are_too_large(running: Running) -> None:
    with client(running, OPERATOR) as operator:
        much = b"x" * (32 << 10)
        response = operator.post("/v1/collections/formulary/search", content=much)
        assert code(response) == (413, "request_too_large")
        much = b"x" * (5 << 20)
        path = "/admin/collections/formulary/parts"
        assert code(operator.post(path, content=much)) == (413, "request_too_large")
        assert running.parts.gate.room.free == 256 << 20


def _changed(**changes: object) -> bytes:
    fields = msgspec.to_builtins(A.part, builtin_types=(bytes,))
    return msgspec.msgpack.encode({**fields, **changes})


@pytest.mark.parametrize(
    "body",
    [
        _changed(vectors=A.part.vectors[:-1]),
        _changed(vectors=bytes(16)),
        _changed(dimensions=4),
        _changed(dimensions=10**6),
        _changed(document={"title": "t", "source": "s", "version": "", "valid_from": float("nan")}),
        _changed(document={"title": "t", "source": "s", "version": "", "valid_from": 1e999}),
        _changed(passages=[]),
        _changed(passages=[{"text": "x" * 20_000}, {"text": "y"}]),
        _changed(orders="ignore all"),
        b"",
        b"\xc1",
    ],
)
def test_parts_that_are_none(running: Running, body: bytes) -> None:
    with client(running, OPERATOR) as operator:
        path = "/admin/collections/formulary"
        both = written_parts([B.body, body])
        assert code(operator.post(f"{path}/parts", content=both)) == (400, "bad_collection")
        wanted = written(Wanted((B.digest, digest_of(body))))
        missing = operator.post(f"{path}/missing", content=wanted)
        assert read(missing.content, Missing).missing == (B.digest, digest_of(body))


@pytest.mark.parametrize("body", [b"", b"\xc1", msgspec.msgpack.encode({"parts": []}), A.body])
def test_bodies_that_carry_no_parts(running: Running, body: bytes) -> None:
    with client(running, OPERATOR) as operator:
        path = "/admin/collections/formulary/parts"
        assert code(operator.post(path, content=body)) == (400, "bad_collection")


def test_an_upload_that_is_cut_off_leaves_nothing(running: Running) -> None:
    address = urlsplit(running.url)
    body = written_parts([A.body])
    head = (
        "POST /admin/collections/formulary/parts HTTP/1.1\r\nhost: x\r\n"
        f"authorization: Bearer {OPERATOR}\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    with socket.create_connection((address.hostname, address.port), 10) as half:
        half.sendall(head.encode() + body[: len(body) // 2])
    with client(running, OPERATOR) as operator:
        wanted = written(Wanted((A.digest,)))
        missing = operator.post("/admin/collections/formulary/missing", content=wanted)
        assert read(missing.content, Missing).missing == (A.digest,)
        early = operator.put("/admin/collections/formulary", content=written(publish(A)))
        assert code(early) == (409, "unknown_parts")
        assert operator.get("/v1/collections").json() == {"data": []}
        put(operator, "formulary", A)
        put(operator, "formulary", A)
        assert found(operator, "formulary", 0, 9) == ["adrenaline says 0", "adrenaline says 1"]


def test_more_passages_than_the_file_allows(running: Running) -> None:
    with client(running, OPERATOR) as operator:
        assert put(operator, "handbook", A).status_code == 200
        assert code(put(operator, "handbook", A, B)) == (413, "too_many_passages")
        assert found(operator, "handbook", 2, 9) == ["adrenaline says 0", "adrenaline says 1"]


def test_searches_count_for_the_rate_and_in_metrics(tmp_path: Path) -> None:
    config = configured(OPEN)
    rules = config.tenants["clinic"].model_copy(update={"requests_per_minute": 1, "burst": 1})
    slow = config.model_copy(update={"tenants": {**config.tenants, "clinic": rules}})
    with (
        gateway(slow, tmp_path) as running,
        client(running, OPERATOR) as operator,
        client(running) as user,
    ):
        put(operator, "formulary", A)
        assert found(user, "formulary", 0, 1) == ["adrenaline says 0"]
        refused = user.post("/v1/collections/formulary/search", content=written(asked(0)))
        assert code(refused) == (429, "rate_limit_exceeded")
        counted = operator.get("/metrics").text
        assert 'route="/v1/collections",status="200",tenant="clinic"' in counted


def test_a_gateway_may_have_collections_and_no_model(tmp_path: Path) -> None:
    base = BASE[: BASE.index("[models.mid]")] + BASE[BASE.index("[tenants.clinic]") :]
    with (
        gateway(configured(OPEN, base=base), tmp_path) as running,
        client(running, OPERATOR) as operator,
        client(running) as user,
    ):
        put(operator, "formulary", A)
        assert found(user, "formulary", 0, 1) == ["adrenaline says 0"]
        asked_of_a_model = user.post("/v1/chat/completions", json={"messages": []})
        assert code(asked_of_a_model) == (404, "model_not_found")
        assert user.get("/v1/models").json()["data"] == []
        assert user.get("/health").status_code == 200
    with pytest.raises(GatewayConfigError, match="give models or collections"):
        configured(base=base)


def test_a_file_with_a_tenant_that_is_none() -> None:
    with pytest.raises(GatewayConfigError, match=r"line \d+: collections\.x\.tenants: there is no"):
        configured('[collections.x]\ntenants = ["nobody"]\n')
    with pytest.raises(GatewayConfigError, match="collections"):
        configured('[collections."a\'b"]\n')


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_a_vector_that_is_no_number_is_not_sent(wrong: float) -> None:
    vectors = np.ones((2, 4), np.float32)
    vectors[1, 2] = wrong
    with pytest.raises(BadCollection):
        quantised(vectors)
    with pytest.raises(BadCollection):
        quantised(np.zeros((1, 4), np.float32))


def test_codes_keep_the_direction() -> None:
    vectors = np.random.default_rng(5).normal(size=(50, 384)).astype(np.float32)
    codes = quantised(vectors).astype(np.float32)
    cosines = np.vecdot(codes, vectors)
    cosines /= np.linalg.norm(codes, axis=1) * np.linalg.norm(vectors, axis=1)
    assert cosines.min() > 0.999


def test_the_same_part_has_the_same_digest() -> None:
    assert digest_of(written_part(A.part)) == A.digest


def test_gateways_that_share_a_state_follow_each_other(tmp_path: Path) -> None:
    config = configured(OPEN)
    with (
        gateway(config, tmp_path) as one,
        gateway(config, tmp_path) as two,
        client(one, OPERATOR) as operator,
        client(two) as user,
    ):
        put(operator, "formulary", A)
        assert found(user, "formulary", 0, 9) == ["adrenaline says 0", "adrenaline says 1"]
        put(operator, "formulary", B)
        patience = time.monotonic() + 20
        while found(user, "formulary", 0, 9) != ["bandages says 2"]:
            assert time.monotonic() < patience
            time.sleep(0.1)


@given(st.binary(max_size=400))
@settings(max_examples=200, deadline=None)
def test_whatever_comes_is_read_or_refused(body: bytes) -> None:
    for reader in (lambda raw: read(raw, Answer), lambda raw: read(raw, Search), read_parts):
        with contextlib.suppress(BadCollection):
            reader(body)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=12,
)


@given(st.fixed_dictionaries({"collection": JSON, "encoder": JSON, "digest": JSON, "found": JSON}))
@settings(max_examples=200, deadline=None)
def test_answers_of_another_shape_are_refused(answer: dict[str, object]) -> None:
    answer["found"] = [answer["found"]]
    with pytest.raises(BadCollection):
        read(json.dumps(answer).encode(), Answer)
