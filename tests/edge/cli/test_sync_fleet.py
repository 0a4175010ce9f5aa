"""`skerry sync serve | operators | devices | rollout`, as operators use them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from rich.console import Console

from skerry.edge.cli.sync_rollout import drawn
from skerry.sync.offers import DeviceFacts, Report, Stage
from skerry.sync.server.offers_client import HttpOffers, enrol
from tests.edge.cli.conftest import Skerry, check_contract
from tests.sync.server.running import served

DIGEST = "2" * 64
TARGET = ("--target", "stable/clinic/2/bundle.json", "--digest", DIGEST)
PLAN = """gates = ["evaluation"]
[limits]
soak_s = 0
[[stages]]
name = "all"
"""


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tmp_path_factory.mktemp("fleet") / "fleet.db")


@pytest.fixture(scope="module")
def url(state: str) -> Iterator[str]:
    with served(state) as url:
        yield url


def _as(skerry: Skerry, state: str, url: str, person: str, role: str) -> dict[str, str]:
    made = skerry("sync", "operators", "add", person, "--role", role, "--state", state, "--json")
    return {"SKERRY_FLEET_KEY": made.json["key"], "SKERRY_FLEET_URL": url}


def test_from_a_token_to_a_rollout_that_is_done(
    skerry: Skerry, state: str, url: str, tmp_path: Path
) -> None:
    ada = _as(skerry, state, url, "ada", "operator")
    bo = _as(skerry, state, url, "bo", "approver")
    token = skerry("sync", "devices", "token", "--tag", "canary", "--json", env=ada).json
    key = Ed25519PrivateKey.generate()
    device = enrol(url, token["tokens"][0]["token"], "ward-1", key, profile="phone").device
    (listed,) = skerry("sync", "devices", "list", "--json", env=ada).json["devices"]
    assert (listed["id"], listed["tags"]) == (device, ["canary"])
    changed = skerry("sync", "devices", "set", "ward-1", "--group", "ward", "--json", env=ada)
    assert changed.json["device"]["group"] == "ward"

    plan = tmp_path / "plan.toml"
    plan.write_text(PLAN)
    ask = ("sync", "rollout")
    done = skerry(*ask, "plan", *TARGET, "--plan", str(plan), "--id", "two", "--json", env=ada)
    assert done.json["rollout"]["state"] == "CREATING"
    skerry(*ask, "gate", "two", "evaluation", "--passed", "--json", env=ada)
    own = skerry(*ask, "approve", "two", env=ada)
    assert own.code == 2
    assert "right to approve" in own.err
    assert skerry(*ask, "approve", "two", "--json", env=bo).json["rollout"]["state"] == "READY"
    skerry(*ask, "start", "two", "--json", env=ada)

    offers = HttpOffers(url, device, key)
    offer = None
    while offer is None:
        offer = offers.next(DeviceFacts(device=device, profile="phone"))
    offers.report(Report(offer=offer.id, digest=DIGEST, stage=Stage.CONFIRMED))
    lines = skerry(*ask, "status", "two", "--watch", "--json", env=ada).out.splitlines()
    last = check_contract(json.loads(lines[-1]))["rollout"]
    assert (last["state"], last["succeeded"]) == ("FINISHED", 1)
    assert "FINISHED" in skerry(*ask, "status", "two", env=ada).out
    listed = skerry(*ask, "list", "--json", env=ada).json["rollouts"]
    assert [one["id"] for one in listed] == ["two"]
    counts = skerry("sync", "devices", "counts", "--json", env=ada).json["counts"]
    assert counts[0]["devices"] == 1

    screen = Console(width=100, record=True, file=(tmp_path / "screen").open("w"))
    screen.print(drawn(last))
    text = screen.export_text()
    assert "FINISHED" in text
    assert "late joiners" in text
    halted = skerry(*ask, "halt", "two", "--why", "a call", "--json", env=bo).json["rollout"]
    assert (halted["state"], halted["why"]) == ("STOPPED", "halted by bo: a call")
    assert skerry("sync", "devices", "revoke", "ward-1", "--json", env=ada).json["id"] == device


def test_keys_are_listed_and_revoked(skerry: Skerry, state: str, url: str) -> None:
    cy = _as(skerry, state, url, "cy", "viewer")
    place = ("--state", state, "--json")
    (kept,) = [
        one for one in skerry("sync", "operators", "list", *place).json["keys"]
        if one["person"] == "cy"
    ]  # fmt: skip
    assert skerry("sync", "devices", "list", env=cy).code == 0
    skerry("sync", "operators", "revoke", kept["id"], *place)
    refused = skerry("sync", "devices", "list", env=cy)
    assert refused.code == 2
    assert "not good" in refused.err
    assert skerry("sync", "operators", "revoke", kept["id"], *place).code == 2


def test_what_is_missing_or_wrong_is_said(skerry: Skerry, state: str, url: str, tmp_path) -> None:
    assert "SKERRY_FLEET_KEY" in skerry("sync", "devices", "list").err
    dd = _as(skerry, state, url, "dd", "operator")
    nowhere = skerry("sync", "devices", "list", "--url", "http://127.0.0.1:1", env=dd)
    assert nowhere.code == 6
    bad = skerry("sync", "rollout", "plan", "--target", "x", "--digest", DIGEST, env=dd)
    assert bad.code == 2
    assert skerry("sync", "rollout", "status", "none", env=dd).code == 2
    file = tmp_path / "bad.toml"
    file.write_text("stages = [")
    plan = skerry("sync", "rollout", "plan", *TARGET, "--plan", str(file), env=dd)
    assert plan.code == 2
    assert "cannot be read" in plan.err
    assert skerry("sync", "operators", "add", "a b", "--state", state).code == 2
    gone = skerry("sync", "operators", "list", "--state", str(tmp_path / "no" / "fleet.db"))
    assert gone.code == 5
