"""Devices with the client that ships, before servers in processes of their own."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from skerry.sync.client import Health
from skerry.sync.errors import SourceFault, Unhealthy
from skerry.sync.offers import DeviceFacts, Offer, Report, Stage
from skerry.sync.server.offers_client import HttpOffers, NotAdmitted, enrol
from skerry.sync.server.operator_client import FleetUnreachable, OperatorClient
from tests.sync.fleet import Fleet as Repository
from tests.sync.server.asking import FREE, NEW, OLD, VERSION
from tests.sync.server.conftest import empty
from tests.sync.server.running import operator, served


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """One state for the tests of this module; each has a tenant of its own."""
    return empty(request, tmp_path_factory.mktemp("fleet"))


@pytest.fixture(scope="module")
def url(place: str) -> Iterator[str]:
    with served(place) as url:
        yield url


@pytest.fixture
def tenant() -> str:
    return uuid.uuid4().hex


@pytest.fixture
def ops(place: str, url: str, tenant: str) -> Iterator[OperatorClient]:
    client = operator(place, url, tenant=tenant)
    yield client
    client.close()


def _until(holds: Callable[[], Any]) -> Any:
    for _ in range(300):
        if found := holds():
            return found
        time.sleep(0.05)
    raise AssertionError("it did not come to hold")


def _joined(ops: OperatorClient, url: str, name: str, **given: Any) -> HttpOffers:
    token = ops.ask("POST", "tokens", body={})["tokens"][0]["token"]
    key = Ed25519PrivateKey.generate()
    return HttpOffers(url, enrol(url, token, name, key, profile="phone").device, key, **given)


def _facts(offers: HttpOffers, digest: str = OLD) -> DeviceFacts:
    return DeviceFacts(device=offers._device, profile="phone", digest=digest)


def _started(ops: OperatorClient, **given: Any) -> str:
    one = ops.ask("POST", "rollouts", body={"version": VERSION, **FREE, **given})["id"]
    ops.ask("POST", "rollouts", one, "start")
    return str(one)


def test_an_offer_comes_and_reports_go(url: str, ops: OperatorClient) -> None:
    offers = _joined(ops, url, "a")
    assert offers.next(_facts(offers)) is None
    assert offers.poll_after_s == 900.0
    one = _started(ops)
    offer = _until(lambda: offers.next(_facts(offers)))
    assert offer.digest == NEW
    offers.report(Report(offer=offer.id, digest=NEW, stage=Stage.CONFIRMED))
    _until(lambda: ops.ask("GET", "rollouts", one)["state"] == "FINISHED")


def test_a_wrong_clock_is_set_by_the_server(url: str, ops: OperatorClient) -> None:
    offers = _joined(ops, url, "a", clock=lambda: time.time() - 86_400 * 400)
    assert offers.next(_facts(offers)) is None
    assert offers._link.ahead_s == pytest.approx(86_400 * 400, abs=10)


def test_shadows_go_elsewhere(url: str, ops: OperatorClient) -> None:
    seen: list[Offer] = []
    offers = _joined(ops, url, "a", shadow=seen.append)
    _started(ops, mode="shadow")
    _until(lambda: offers.next(_facts(offers)) or seen)
    assert seen[0].mode == "shadow"


def test_a_report_that_can_never_be_taken_is_dropped(url: str, ops: OperatorClient) -> None:
    offers = _joined(ops, url, "a")
    offers.report(Report(offer="latest", digest=NEW, stage=Stage.CONFIRMED))


def test_who_is_revoked_or_unknown(url: str, ops: OperatorClient) -> None:
    offers = _joined(ops, url, "a")
    ops.ask("DELETE", "devices", "a")

    def refused() -> bool:
        try:
            offers.next(_facts(offers))
        except NotAdmitted as error:
            return "revoked" in error.what
        return False

    _until(refused)
    with pytest.raises(NotAdmitted, match="revoked"):
        offers.report(Report(offer="x:1", digest=NEW, stage=Stage.CONFIRMED))
    with pytest.raises(NotAdmitted, match="token"):
        enrol(url, "skt-no", "b", Ed25519PrivateKey.generate())


def test_several_servers_are_one_fleet(
    place: str, url: str, ops: OperatorClient, tenant: str
) -> None:
    with served(place) as other:
        here = _joined(ops, url, "a")
        there = HttpOffers(other, here._device, here._link.key)
        second = operator(place, other, tenant=tenant)
        one = _started(second)
        offer = _until(lambda: here.next(_facts(here)))
        assert _until(lambda: there.next(_facts(there))) == offer
        there.report(Report(offer=offer.id, digest=NEW, stage=Stage.FAILED))
        assert here.next(_facts(here)) is None
        here.report(Report(offer=offer.id, digest=NEW, stage=Stage.FAILED))
        _until(lambda: ops.ask("GET", "rollouts", one)["failed"] == 1)
        time.sleep(1)
        assert ops.ask("GET", "rollouts", one)["failed"] == 1
        second.close()


def test_nobody_answers() -> None:
    key = Ed25519PrivateKey.generate()
    offers = HttpOffers("http://127.0.0.1:1", "d", key)
    with pytest.raises(SourceFault, match="cannot be asked"):
        offers.next(DeviceFacts(device="d"))
    with pytest.raises(FleetUnreachable):
        OperatorClient("http://127.0.0.1:1", "k").ask("GET", "me")
    for url in ("no url", "http://", "ftp://x"):
        with pytest.raises(SourceFault):
            HttpOffers(url, "d", key).next(DeviceFacts(device="d"))


ANSWERS = {
    "no JSON": httpx2.Response(200, content=b"<html>"),
    "another shape": httpx2.Response(200, json={"offer": {"id": 1}}),
    "no field": httpx2.Response(200, json={}),
    "an error": httpx2.Response(500, content=b"\xff"),
    "an odd error": httpx2.Response(503, json={"error": ["x"]}),
    "a redirect": httpx2.Response(302, headers={"location": "http://elsewhere"}),
}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_answers_that_are_none(answer: httpx2.Response) -> None:
    http = httpx2.Client(transport=httpx2.MockTransport(lambda _: answer))
    key = Ed25519PrivateKey.generate()
    with pytest.raises(SourceFault):
        HttpOffers("http://x", "d", key, client=http).next(DeviceFacts(device="d"))
    if answer.status_code != 200:
        with pytest.raises(FleetUnreachable):
            OperatorClient("http://x", "k", client=http).ask("GET", "me")


def test_a_real_device_takes_a_version_and_goes_back(
    tmp_path: Path, url: str, ops: OperatorClient
) -> None:
    """Repository, device client and server together: 1, then a bad 2 that is halted, then 3."""
    repository = Repository(tmp_path)
    repository.publish("1")
    token = ops.ask("POST", "tokens", body={})["tokens"][0]["token"]
    key = Ed25519PrivateKey.generate()
    device = enrol(url, token, "ward-1", key, profile="phone").device
    repository.enrol("ward-1", device=device, server=url)
    offers = HttpOffers(url, device, key)

    def roll(version: str) -> str:
        done = repository.publish(version) if version != "1" else None
        target = f"stable/tiny/{version}/bundle.json"
        digest = done.digest if done else _digest(repository, target)
        body = {**FREE, "version": {"target": target, "version": version, "digest": digest}}
        one = ops.ask("POST", "rollouts", body={**body, "previous": None, "probation_s": 0})["id"]
        ops.ask("POST", "rollouts", one, "start")
        _until(lambda: ops.ask("GET", "rollouts", one)["state"] == "RUNNING")
        return str(one)

    def apply(**means: Any) -> str:
        return repository.apply("ward-1", offers=offers, **means)

    first = roll("1")
    assert _until(lambda: apply()) == "1"
    _until(lambda: ops.ask("GET", "rollouts", first)["state"] == "FINISHED")
    second = roll("2")
    with pytest.raises(Unhealthy):
        _until(lambda: apply(health=lambda _: Health(False, 0.0, "mute")) == "2")
    _until(lambda: ops.ask("GET", "rollouts", second)["failed"] == 1)
    ops.ask("POST", "rollouts", second, "halt", body={"why": "mute"})
    assert apply() == "1"
    third = roll("3")
    _until(lambda: apply() == "3")
    _until(lambda: ops.ask("GET", "rollouts", third)["state"] == "FINISHED")
    ops.ask("POST", "rollouts", third, "halt", body={})
    _until(lambda: apply() == "1")


def _digest(repository: Repository, target: str) -> str:
    name = target.rpartition("/")[0]
    (found,) = (repository.public / "targets" / name).glob("*.bundle.json")
    return found.name.partition(".")[0]
