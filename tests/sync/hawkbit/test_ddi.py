"""Devices that speak hawkBit's DDI, as SWUpdate's and RAUC's updaters do."""

from __future__ import annotations

import hashlib
import io
import tarfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from skerry.sync.client import FolderSource
from skerry.sync.server.app import Server
from skerry.sync.server.roles import Role
from tests.sync.fleet import Fleet as Repository
from tests.sync.server.asking import FREE, World


@dataclass
class Controller:
    client: TestClient
    path: str
    auth: str

    def ask(self, method: str, path: str = "", body: Any = None, **headers: str) -> Any:
        url = path if path.startswith("http") else self.path + path
        sent = {"authorization": self.auth, **headers}
        return self.client.request(method, url, json=body, headers=sent)

    def poll(self) -> dict[str, Any]:
        answer = self.ask("GET")
        assert answer.status_code == 200, answer.text
        links: dict[str, Any] = answer.json()["_links"]
        return links

    def say(self, link: str, execution: str, finished: str) -> Any:
        status = {"execution": execution, "result": {"finished": finished}, "details": ["so"]}
        body = {"id": "1", "time": "20260101T000000", "status": status}
        return self.ask("POST", f"{link}/feedback", body)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository(tmp_path)
    made.publish("1")
    return made


@pytest.fixture
def world(place: str, repository: Repository) -> Iterator[World]:
    server = Server(place, every_s=0.02, poll_s=90, ddi=repository.public)
    with TestClient(server.app) as client:
        yield World(client, server)


def _controller(world: World, name: str = "swu-1", *, tenant: str = "clinic") -> Controller:
    ops = world.operator(tenant=tenant)
    made = ops.ask("POST", "ddi/tokens", {"device": name, "profile": "phone"})
    path = f"/{tenant}/controller/v1/{name}"
    return Controller(world.client, path, f"TargetToken {made['token']}")


def _until(holds: Callable[[], Any]) -> Any:
    for _ in range(300):
        if found := holds():
            return found
        time.sleep(0.02)
    raise AssertionError("it did not come to hold")


def _roll(world: World, repository: Repository, version: str, **given: Any) -> str:
    folder = repository.public / "targets" / "stable" / "tiny" / version
    (found,) = folder.glob("*.bundle.json")
    body = {
        "target": f"stable/tiny/{version}/bundle.json",
        "version": version,
        "digest": found.name.partition(".")[0],
    }
    ops = world.operator()
    one = ops.ask("POST", "rollouts", {**FREE, "previous": None, "version": body, **given})["id"]
    ops.ask("POST", f"rollouts/{one}/start")
    return str(one)


def _deployment(device: Controller) -> tuple[str, dict[str, Any]]:
    href = _until(lambda: device.poll().get("deploymentBase"))["href"]
    answer = device.ask("GET", href)
    assert answer.status_code == 200, answer.text
    return href, answer.json()


def test_from_poll_to_a_bundle_that_runs(
    world: World, repository: Repository, tmp_path: Path
) -> None:
    device = _controller(world)
    answer = device.ask("GET").json()
    assert answer["config"]["polling"]["sleep"] == "00:01:30"
    assert set(answer["_links"]) == {"configData"}
    assert device.ask("PUT", "/configData", {"data": {"profile": "laptop"}}).status_code == 200
    one = _roll(world, repository, "1")
    href, found = _deployment(device)
    assert found["id"] == href.rpartition("/")[2]
    (chunk,) = found["deployment"]["chunks"]
    (artifact,) = chunk["artifacts"]
    assert (chunk["name"], chunk["version"], artifact["filename"]) == ("tiny", "1", "tiny-1.tar")
    link = artifact["_links"]["download-http"]["href"]
    content = device.ask("GET", link).content
    assert len(content) == artifact["size"]
    assert hashlib.sha1(content).hexdigest() == artifact["hashes"]["sha1"]
    md5 = device.ask("GET", artifact["_links"]["md5sum-http"]["href"]).text
    assert md5.split() == [artifact["hashes"]["md5"], "tiny-1.tar"]

    half = len(content) // 2
    first = device.ask("GET", link, range=f"bytes=0-{half - 1}")
    rest = device.ask("GET", link, range=f"bytes={half}-")
    assert (first.status_code, rest.status_code) == (206, 206)
    assert rest.headers["content-range"] == f"bytes {half}-{len(content) - 1}/{len(content)}"
    assert first.content + rest.content == content
    assert device.ask("GET", link, range="bytes=-10").content == content[-10:]
    assert device.ask("GET", link, range=f"bytes={len(content)}-").status_code == 416

    for execution in ("download", "downloaded", "proceeding"):
        assert device.say(href, execution, "none").status_code == 200
    with tarfile.open(fileobj=io.BytesIO(content)) as tar:
        tar.extractall(tmp_path / "stick", filter="data")
    repository.enrol("ward", source=str(tmp_path / "stick"))
    assert repository.apply("ward", source=FolderSource(tmp_path / "stick")) == "1"
    assert device.say(href, "closed", "success").status_code == 200
    assert device.say(href, "closed", "success").status_code == 200  # twice
    _until(lambda: world.operator().ask("GET", f"rollouts/{one}")["state"] == "FINISHED")
    assert world.operator().ask("GET", f"rollouts/{one}")["succeeded"] == 1
    assert set(device.poll()) == {"configData"}
    kept = world.operator().ask("GET", "devices/swu-1")
    assert (kept["version"], kept["profile"]) == ("1", "laptop")


def test_a_failure_counts_and_is_not_offered_again(world: World, repository: Repository) -> None:
    device, one = _controller(world), _roll(world, repository, "1")
    href, _ = _deployment(device)
    device.say(href, "closed", "failure")
    _until(lambda: world.operator().ask("GET", f"rollouts/{one}")["failed"] == 1)
    assert "deploymentBase" not in device.poll()
    targets = world.operator().ask("GET", f"rollouts/{one}/targets")["targets"]
    assert (targets[0]["state"], targets[0]["what"]) == ("ERROR", "so")


def test_a_halted_rollout_is_cancelled_and_undone(world: World, repository: Repository) -> None:
    taken, midway = _controller(world, "a"), _controller(world, "b")
    first = _roll(world, repository, "1")
    for device in (taken, midway):
        device.say(_deployment(device)[0], "closed", "success")
    _until(lambda: world.operator().ask("GET", f"rollouts/{first}")["state"] == "FINISHED")
    repository.publish("2")
    one = _roll(world, repository, "2")
    href, _ = _deployment(taken)
    taken.say(href, "closed", "success")
    stopped, found = _deployment(midway)
    world.operator().ask("POST", f"rollouts/{one}/halt", {})
    cancel = _until(lambda: midway.poll().get("cancelAction"))["href"]
    assert midway.ask("GET", cancel).json()["cancelAction"]["stopId"] == found["id"]
    assert "deploymentBase" not in midway.poll()
    midway.say(cancel, "closed", "success")
    _until(lambda: "cancelAction" not in midway.poll())
    assert stopped
    back = _deployment(taken)[1]["deployment"]["chunks"][0]
    assert back["version"] == "1"


def test_an_artifact_stays_the_same_after_the_metadata_was_signed_anew(
    world: World, repository: Repository
) -> None:
    device = _controller(world)
    _roll(world, repository, "1")
    artifact = _deployment(device)[1]["deployment"]["chunks"][0]["artifacts"][0]
    before = device.ask("GET", artifact["_links"]["download"]["href"]).content
    repository.publish("2")
    assert device.ask("GET", artifact["_links"]["download"]["href"]).content == before
    fresh = _until(lambda: _newer(device, artifact["hashes"]["sha1"]))
    assert fresh["size"] >= artifact["size"]


def _newer(device: Controller, sha1: str) -> Any:
    href = device.poll().get("deploymentBase")
    if href is None:
        return None
    answer = device.ask("GET", href["href"])
    if answer.status_code != 200:
        return None
    artifact = answer.json()["deployment"]["chunks"][0]["artifacts"][0]
    return artifact if artifact["hashes"]["sha1"] != sha1 else None


def test_a_gateway_enrols_devices_in_its_tenant_only(world: World, repository: Repository) -> None:
    world.operator().ask("POST", "ddi/tokens", {}, status=403)
    made = world.operator(Role.ADMIN).ask("POST", "ddi/tokens", {"group": "ward"})
    auth = f"GatewayToken {made['token']}"
    new = Controller(world.client, "/clinic/controller/v1/behind-1", auth)
    assert new.ask("GET").status_code == 200
    assert world.operator().ask("GET", "devices/behind-1")["group"] == "ward"
    assert Controller(world.client, "/other/controller/v1/x", auth).ask("GET").status_code == 401
    odd = Controller(world.client, "/clinic/controller/v1/a%20b", auth)
    assert odd.ask("GET").status_code == 400


def test_tokens_of_others(world: World, repository: Repository) -> None:
    mine, theirs = _controller(world, "a"), _controller(world, "b")
    other = _controller(world, "a", tenant="other")
    _roll(world, repository, "1")
    href, found = _deployment(theirs)
    for auth in (theirs.auth, other.auth, "TargetToken x", "TargetToken ", "", "Bearer x",
                 mine.auth.replace("Target", "Gateway")):  # fmt: skip
        assert Controller(world.client, mine.path, auth).ask("GET").status_code == 401
    assert mine.ask("GET", href).status_code == 401  # the path is that of the other
    own = href.replace("/b/", "/a/")
    assert mine.ask("GET", own).status_code == 404
    assert mine.say(own, "closed", "success").status_code == 404
    link = found["deployment"]["chunks"][0]["artifacts"][0]["_links"]["download"]["href"]
    crossed = link.replace("/clinic/", "/other/").replace("/b/", "/a/")
    assert other.ask("GET", crossed).status_code == 404


def test_a_device_that_signs_cannot_be_taken_over(world: World, repository: Repository) -> None:
    signing = world.device("ward-1")
    world.operator().ask("POST", "ddi/tokens", {"device": "ward-1"}, status=409)
    made = world.operator(Role.ADMIN).ask("POST", "ddi/tokens", {})
    gateway = Controller(
        world.client, "/clinic/controller/v1/ward-1", f"GatewayToken {made['token']}"
    )
    assert gateway.ask("GET").status_code == 403
    assert signing.checkin() is None


@pytest.mark.parametrize(
    "body",
    [None, [], {}, {"status": 1}, {"status": {"execution": "x", "result": {"finished": "none"}}}],
)
def test_feedback_that_is_none(world: World, repository: Repository, body: Any) -> None:
    device = _controller(world)
    _roll(world, repository, "1")
    href, _ = _deployment(device)
    assert device.ask("POST", f"{href}/feedback", body).status_code == 400
    assert device.ask("PUT", "/configData", body).status_code == 400
    assert device.ask("GET", "/softwaremodules/x/artifacts/y").status_code == 404


def test_a_version_that_is_not_in_the_repository_is_not_offered(
    world: World, repository: Repository
) -> None:
    device = _controller(world)
    missing = {"target": "stable/tiny/9/bundle.json", "version": "9", "digest": "9" * 64}
    ops = world.operator()
    one = ops.ask("POST", "rollouts", {**FREE, "previous": None, "version": missing})["id"]
    ops.ask("POST", f"rollouts/{one}/start")
    _until(lambda: ops.ask("GET", f"rollouts/{one}")["state"] == "RUNNING")
    for _ in range(5):
        assert set(device.poll()) == {"configData"}
    assert ops.ask("GET", f"rollouts/{one}")["offered"] == 0
