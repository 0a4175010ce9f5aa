"""Keys on a PKCS#11 token: a real one in software, where SoftHSM is installed."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from skerry.sync.errors import KeyFault
from skerry.sync.repository import Layout, create, publish
from skerry.sync.repository.keys import import_token
from tests.sync.fleet import Fleet

PIN, LABEL = "123456", "fleet"


@pytest.fixture
def token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URI of an EC key on a token of its own."""
    pkcs11 = pytest.importorskip("pkcs11", reason="pip install 'securesystemslib[hsm]'")
    prefix = Path(os.environ.get("SKERRY_SOFTHSM", "/usr"))
    library, tool = prefix / "lib/softhsm/libsofthsm2.so", prefix / "bin/softhsm2-util"
    if not library.is_file() or not tool.is_file():
        pytest.skip("SoftHSM is not installed; SKERRY_SOFTHSM may name where: /usr")
    (tmp_path / "tokens").mkdir()
    (tmp_path / "softhsm2.conf").write_text(f"directories.tokendir = {tmp_path / 'tokens'}\n")
    monkeypatch.setenv("SOFTHSM2_CONF", str(tmp_path / "softhsm2.conf"))
    monkeypatch.setenv("PYKCS11LIB", str(library))
    subprocess.run(
        [tool, "--module", library, "--init-token", "--free", "--label", LABEL, "--pin", PIN,
         "--so-pin", PIN],
        check=True, capture_output=True,
    )  # fmt: skip
    from pkcs11.util.ec import encode_named_curve_parameters

    made = pkcs11.lib(str(library)).get_token(token_label=LABEL)
    with made.open(rw=True, user_pin=PIN) as session:
        curve = {pkcs11.Attribute.EC_PARAMS: encode_named_curve_parameters("secp256r1")}
        parameters = session.create_domain_parameters(pkcs11.KeyType.EC, curve, local=True)
        parameters.generate_keypair(store=True, id=bytes([2]), label="root")
    return f"hsm:2?label={LABEL}"


def secrets(name: str) -> str:
    return PIN if name == "pin" else "a long passphrase"


def test_a_root_on_a_token(token: str, tmp_path: Path) -> None:
    layout = Layout(tokens={"root": (token,), "stable": (token,)})
    repository = create(tmp_path / "repo", layout, secrets)
    fleet = Fleet(tmp_path / "fleet")
    publish(repository, fleet.bundle("1").folder, "stable", version="1")
    assert repository.sign("stable") == 1
    repository.release()
    assert not list((tmp_path / "repo/keys").glob("root*"))
    fleet.repo = tmp_path / "repo"
    fleet.enrol("device")
    assert fleet.apply() == "1"


def test_no_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYKCS11LIB", "/nowhere/libtoken.so")
    with pytest.raises(KeyFault, match="cannot be read from its token") as raised:
        import_token("hsm:2?label=none", secrets)
    assert "PYKCS11LIB" in raised.value.hint
