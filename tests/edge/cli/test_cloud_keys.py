"""`skerry cloud serve --config`, `skerry cloud keys` and `skerry cloud usage`."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx2
import pytest

from skerry.cloud.gateway.keys import KeyRing, digest
from skerry.cloud.gateway.load import load
from skerry.cloud.gateway.state import opened
from skerry.cloud.gateway.state.base import Use
from tests.edge.cli.conftest import check_contract

FILE = """format = "skerry.gateway/1"
[models.mid]
tier = "mid"
template = "chat-1"
replicas = ["http://127.0.0.1:1/v1"]
[tenants.clinic]
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "gateway.toml"
    path.write_text(FILE)
    return path


def test_a_key_is_shown_once_and_works_until_it_is_revoked(skerry, config: Path) -> None:
    place = ("--config", str(config), "--json")
    made = skerry("cloud", "keys", "add", "clinic", "--role", "operator", *place).json
    key = made["key"]
    database = config.with_name("gateway.db")
    assert key.encode() not in b"".join(one.read_bytes() for one in config.parent.iterdir())
    (listed,) = skerry("cloud", "keys", "list", *place).json["keys"]
    assert (listed["id"], listed["tenant"], listed["role"]) == (made["id"], "clinic", "operator")
    state = opened(str(database), config.parent)
    shown = {"authorization": f"Bearer {key}"}
    assert KeyRing(load(config), state.keys()).holder(shown).tenant == "clinic"
    assert state.keys()[0].digest == digest(key)
    assert skerry("cloud", "keys", "revoke", made["id"], *place).json["id"] == made["id"]
    assert state.keys()[0].revoked_at
    state.close()
    again = skerry("cloud", "keys", "revoke", made["id"], *place)
    assert again.code == 2
    assert again.json["error"]["code"] == "usage"
    assert "revoked" in skerry("cloud", "keys", "list", "--config", str(config)).out


def test_a_tenant_that_is_none_and_a_file_that_is_wrong(skerry, config: Path) -> None:
    done = skerry("cloud", "keys", "add", "nobody", "--config", str(config))
    assert done.code == 2
    assert "it has: clinic" in done.err
    config.write_text(FILE + "foo = 1\n")
    done = skerry("cloud", "keys", "list", "--config", str(config))
    assert done.code == 3
    assert "line 7: tenants.clinic.foo: there is no such key" in done.err


def test_a_key_of_servers_that_is_not_set(skerry, config: Path) -> None:
    config.write_text(FILE.replace('tier = "mid"', 'tier = "mid"\nkey_env = "NO_SUCH_KEY"'))
    done = skerry("cloud", "serve", "--config", str(config), "--port", "0")
    assert done.code == 3
    assert "models.mid.key_env: the variable NO_SUCH_KEY is not set" in done.err


def test_options_that_the_file_says_are_no_options(skerry, config: Path) -> None:
    done = skerry("cloud", "serve", "--config", str(config), "--port", "0", "--model", "smollm2")
    assert done.code == 2
    assert "--model is not read with --config" in done.err


def test_usage(skerry, config: Path) -> None:
    state = opened("gateway.db", config.parent)
    today = Use("2999-01-01", "clinic", "lookup", "mid", 2, 1_000, 50, 0, 0, 0, 0.5)
    state.add_usage([today, Use("2999-01-01", "other", "", "mid", 1, 2, 3)])
    state.close()
    place = ("cloud", "usage", "--config", str(config))
    said = skerry(*place, "--json").json["usage"]
    assert [one["tenant"] for one in said] == ["clinic", "other"]
    assert (said[0]["prompt_tokens"], said[0]["cost"]) == (1_000, 0.5)
    assert "1,000" in skerry(*place, "--tenant", "clinic").out
    assert skerry(*place, "--tenant", "nobody", "--json").json["usage"] == []


def test_a_gateway_serves_what_its_file_says(skerry, config: Path, environment) -> None:
    made = skerry("cloud", "keys", "add", "clinic", "--config", str(config), "--json").json
    command = (sys.executable, "-m", "skerry.edge.cli", "cloud", "serve", "--port", "0", "--json")
    process = subprocess.Popen(
        [*command, "--config", str(config)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )
    assert process.stdout is not None
    said = check_contract(json.loads(process.stdout.readline()))
    assert (said["models"], said["tenants"], said["split"]) == (["mid"], ["clinic"], [])
    shown = {"authorization": f"Bearer {made['key']}"}

    def models() -> list[str]:
        listed = httpx2.get(f"{said['url']}/v1/models", headers=shown).json()
        return [one["id"] for one in listed["data"]]

    assert models() == ["mid"]
    config.write_text(FILE.replace("models.mid", "models.new"))
    process.send_signal(signal.SIGHUP)
    end = time.monotonic() + 30
    while models() != ["new"]:
        assert time.monotonic() < end
        time.sleep(0.1)
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=60)
    said_again = f"WARNING skerry.gateway: {config} was read again\n"
    assert (process.returncode, errors) == (0, said_again)
