"""Every store does the same; the one of buckets against a real S3 server on this machine."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from skerry.sync.client import open_source
from skerry.sync.errors import MissingExtra, StoreFault
from skerry.sync.repository import Layout, create, publish
from skerry.sync.repository.object_store import ObjectStore
from skerry.sync.repository.store import FolderStore, Store, open_store
from tests.sync.fleet import Fleet, secrets

BUCKET = "fleet"
_SERVER = """
import sys
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
print(server.get_host_and_port()[1], flush=True)
sys.stdin.read()
"""


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    """The URL of an S3 server."""
    pytest.importorskip("moto.server", reason="an S3 server to test with: pip install moto[server]")
    server = subprocess.Popen(
        [sys.executable, "-c", _SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert server.stdout is not None
    port = server.stdout.readline().strip()
    assert port, "the S3 server did not start"
    url = f"http://127.0.0.1:{port}"
    import boto3

    client = boto3.client("s3", endpoint_url=url, **_CREDENTIALS)
    client.create_bucket(Bucket=BUCKET)
    public = '{"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", '
    client.put_bucket_policy(
        Bucket=BUCKET, Policy=public + f'"Resource": "arn:aws:s3:::{BUCKET}/*"}}]}}'
    )
    yield url
    server.terminate()
    server.wait()


_CREDENTIALS: dict[str, str] = {
    "aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1",
}  # fmt: skip


def bucket(url: str, prefix: str) -> ObjectStore:
    return ObjectStore.at(
        f"s3://{BUCKET}/{prefix}",
        config={
            "aws_endpoint": url, "aws_access_key_id": "test",
            "aws_secret_access_key": "test", "aws_region": "us-east-1",
        },
        client_options={"allow_http": True},
    )  # fmt: skip


@pytest.fixture(params=["folder", "bucket"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    if request.param == "folder":
        return FolderStore(tmp_path / "public")
    return bucket(request.getfixturevalue("s3"), tmp_path.name)


def test_what_is_put_is_got(store: Store, tmp_path: Path) -> None:
    assert (store.get("a/x"), store.size("a/x"), store.names("a")) == (None, None, [])
    store.put("a/x", b"one")
    store.put("a/x", b"two")
    large = tmp_path / "large"
    large.write_bytes(b"0123456789" * 1_200_000)  # more than one part of an upload
    store.put_file("a/b/large", large)
    assert (store.get("a/x"), store.size("a/x")) == (b"two", 3)
    assert store.get("a/b/large") == large.read_bytes()
    assert store.names("a") == ["a/b/large", "a/x"]
    store.delete("a/x")
    store.delete("a/x")
    assert store.names("a") == ["a/b/large"]


def test_a_missing_file_is_not_put(store: Store, tmp_path: Path) -> None:
    with pytest.raises(StoreFault):
        store.put_file("a/x", tmp_path / "none")
    assert store.get("a/x") is None


def test_a_device_takes_updates_from_a_bucket(s3: str, tmp_path: Path) -> None:
    prefix = tmp_path.name
    repository = create(tmp_path / "repo-s3", Layout(), secrets, store=bucket(s3, prefix))
    fleet = Fleet(tmp_path / "x")
    publish(repository, fleet.bundle("1").folder, "stable", version="1")
    repository.sign("stable")
    repository.release()
    fleet.repo = tmp_path / "repo-s3"
    source = open_source(f"{s3}/{BUCKET}/{prefix}")
    from skerry.sync.client import Enrolment, enroll

    enrolment = Enrolment(
        device="d", source=f"{s3}/{BUCKET}/{prefix}", channel="stable", bundle="tiny", probation_s=0
    )
    assert enroll(fleet.folder / "device", enrolment, fleet.root).version == "1"
    assert fleet.apply(source=source) == "1"


def test_a_server_that_is_away() -> None:
    away = ObjectStore.at(
        "s3://nothing/x",
        config={
            "aws_endpoint": "http://127.0.0.1:9",
            "aws_access_key_id": "x",
            "aws_secret_access_key": "x",
        },
        client_options={"allow_http": True},
        retry_config={"max_retries": 0},
    )
    start = time.monotonic()
    with pytest.raises(StoreFault, match="error sending request") as raised:
        away.put("a", b"x")
    assert "\n" not in raised.value.what
    assert raised.value.retryable
    assert time.monotonic() - start < 30


def test_no_such_kind(tmp_path: Path) -> None:
    with pytest.raises(StoreFault, match="no store"):
        open_store("nope://x", tmp_path)
    assert isinstance(open_store("", tmp_path), FolderStore)
    assert isinstance(open_store(str(tmp_path), tmp_path), FolderStore)


def test_obstore_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "obstore.store", None)
    with pytest.raises(MissingExtra) as raised:
        ObjectStore.at("s3://b")
    assert raised.value.hint == "pip install 'skerry[s3]'"
