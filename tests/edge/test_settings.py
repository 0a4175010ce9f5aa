from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from skerry.device_profiles.kv import KvType
from skerry.edge.errors import ConfigError
from skerry.edge.settings import (
    MAX_CONFIG_BYTES,
    Misspelling,
    Settings,
    config_path,
    markdown_table,
    unknown_variables,
)
from skerry.edge.types import Consent, Sensitivity

DOC = Path(__file__).parents[2] / "docs" / "settings.md"


@pytest.fixture(autouse=True)
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty file of settings, and an environment without any."""
    for name in [name for name in os.environ if name.startswith("SKERRY_")]:
        monkeypatch.delenv(name)
    path = tmp_path / "config.toml"
    path.write_text("")
    monkeypatch.setenv("SKERRY_CONFIG", str(path))
    return path


def test_rank_of_sources(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert Settings().port == 8484
    config.write_text("port = 1\nhost = '::1'\n")
    assert (Settings().port, Settings().host) == (1, "::1")
    monkeypatch.setenv("SKERRY_PORT", "2")
    assert (Settings().port, Settings().host) == (2, "::1")
    assert Settings(port=3).port == 3


def test_empty_variable_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SKERRY_PORT", "")
    assert Settings().port == 8484


def test_values_of_every_kind(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config.write_text('labels = ["a", "b"]\nkv_type = "q8_0"\nsensitivity = "clinical"\n')
    monkeypatch.setenv("SKERRY_CONSENT", "granted")
    monkeypatch.setenv("SKERRY_OFFLINE", "true")
    monkeypatch.setenv("SKERRY_INDEX", "~/notes.sqlite")
    found = Settings()
    assert found.labels == {"a", "b"}
    assert found.kv_type is KvType.Q8_0
    assert found.sensitivity is Sensitivity.CLINICAL
    assert found.consent is Consent.GRANTED
    assert found.offline is True
    assert found.index == Path.home() / "notes.sqlite"


def test_a_user_without_a_home_folder(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere(*_: object) -> Path:
        raise RuntimeError("no home")

    for name in ("user_data_path", "user_config_path"):
        monkeypatch.setattr(f"skerry.edge.folders.{name}", nowhere)
    with pytest.raises(ConfigError, match="no home folder") as raised:
        Settings()
    assert "HOME" in raised.value.hint
    places = ("index", "state", "models_dir", "profiles_dir", "api_key_file", "appointments")
    places += ("screening_key_file",)
    assert Settings(**dict.fromkeys(places, config)).index == config


def test_a_home_folder_that_nobody_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SKERRY_STATE", "~nobody-at-all/state.sqlite")
    with pytest.raises(ConfigError, match="SKERRY_STATE: state: no home folder is known for"):
        Settings()
    monkeypatch.setenv("SKERRY_CONFIG", "~nobody-at-all/config.toml")
    with pytest.raises(ConfigError, match="no home folder is known for '~nobody-at-all'"):
        config_path()


@given(st.lists(st.text("abc-xyz09", min_size=1), max_size=4))
@settings(max_examples=20, deadline=None)
def test_labels_from_a_variable(labels: list[str]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SKERRY_LABELS", " , ".join(labels))
        assert Settings().labels == set(labels)


def test_secret_is_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SKERRY_CLOUD_API_KEY", "very-secret")
    found = Settings()
    assert found.cloud_api_key is not None
    assert found.cloud_api_key.get_secret_value() == "very-secret"
    assert "very-secret" not in f"{found!r} {found} {found.model_dump_json()}"
    with pytest.raises(ConfigError) as raised:
        Settings(cloud_api_key=["very-secret"])
    assert "very-secret" not in f"{raised.value} {raised.value.hint} {raised.value.__cause__}"


def test_frozen() -> None:
    with pytest.raises(ValidationError):
        Settings().port = 1  # type: ignore[misc]


def test_changes_are_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    before = Settings(port=1, cloud_api_key="k", labels="a,b")
    monkeypatch.setenv("SKERRY_HOST", "elsewhere")
    after = before.with_changes(port=2)
    assert after == before.model_copy(update={"port": 2})
    assert after.host == before.host
    with pytest.raises(ConfigError, match="no setting is called 'ofline'"):
        before.with_changes(ofline=True)


@dataclass(frozen=True)
class Wrong:
    """A source with a wrong value, and what the error must say."""

    says: tuple[str, ...]
    file: str = ""
    variable: str = ""
    argument: str = ""

    def arguments(self) -> dict[str, Any]:
        name, _, value = self.argument.partition("=")
        return {name: value} if name else {}


WRONG = [
    Wrong(("config.toml, line 3", "port", "not 'x'"), file="# a\nhost = 'h'\nport = 'x'\n"),
    Wrong(("config.toml, line 2", "'modle'", "did you mean 'model'?"), file="\nmodle = 'x'\n"),
    Wrong(("config.toml, line 1", "'zzz'", "docs/settings.md"), file="zzz = 1\n"),
    Wrong(("config.toml, line 2", "not TOML"), file="port = 1\nhost =\n"),
    Wrong(("config.toml, line 1", "labels"), file="labels = 3\n"),
    Wrong(("config.toml, line 1", "'cloud'"), file="[cloud]\nurl = 'x'\n"),
    Wrong(("variable SKERRY_PORT", "65535", "not '65536'"), variable="SKERRY_PORT=65536"),
    Wrong(("variable SKERRY_OFFLINE", "boolean"), variable="SKERRY_OFFLINE=maybe"),
    Wrong(("variable SKERRY_SENSITIVITY", "'clinical'"), variable="SKERRY_SENSITIVITY=secret"),
    Wrong(("variable SKERRY_KV_TYPE", "'q8_0'"), variable="SKERRY_KV_TYPE=q9"),
    Wrong(("variable SKERRY_SEED", "greater"), variable="SKERRY_SEED=-1"),
    Wrong(("variable SKERRY_TEMPERATURE",), variable="SKERRY_TEMPERATURE=nan"),
    Wrong(("argument: threads", "greater"), argument="threads=0"),
    Wrong(("argument: no setting", "did you mean 'offline'?"), argument="ofline=1"),
    Wrong(("cloud_url", "http or https"), variable="SKERRY_CLOUD_URL=file:///etc/passwd"),
    Wrong(("cloud_url", "c.example unencrypted"), argument="cloud_url=http://c.example"),
    Wrong(("config.toml, line 1", "cloud_url", "http or https"), file="cloud_url = 'c.example'\n"),
    Wrong(("cloud_url is given without cloud_model",), argument="cloud_url=https://x.example"),
    Wrong(
        ("argument: port", "not 'bad'"),
        file="port = 'worse'\n",
        variable="SKERRY_PORT=worst",
        argument="port=bad",
    ),
]


@pytest.mark.parametrize("case", WRONG, ids=lambda case: case.says[0])
def test_error_names_the_source(case: Wrong, config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config.write_text(case.file)
    if case.variable:
        monkeypatch.setenv(*case.variable.split("="))
    with pytest.raises(ConfigError) as raised:
        Settings(**case.arguments())
    said = f"{raised.value.what} | {raised.value.hint}"
    assert all(part in said for part in case.says), said
    assert raised.value.hint


def test_a_password_in_a_url_is_not_shown() -> None:
    with pytest.raises(ConfigError, match="password") as raised:
        Settings(cloud_url="https://me:hunter2@c.example", cloud_model="m")
    assert "hunter2" not in f"{raised.value.what}{raised.value.hint}"


@pytest.mark.parametrize("url", ["https://c.example", "http://127.0.0.1:8080/v1", ""])
def test_a_url_that_text_may_be_sent_to(url: str) -> None:
    assert Settings(cloud_url=url, cloud_model="m").cloud_url == url


def test_long_wrong_value_is_cut() -> None:
    with pytest.raises(ConfigError) as raised:
        Settings(port="9" * 100_000)
    assert len(raised.value.what) < 400


def test_named_file_must_exist(config: Path) -> None:
    config.unlink()
    with pytest.raises(ConfigError, match="does not exist"):
        Settings()


def test_default_file_need_not_exist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SKERRY_CONFIG")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "none"))
    assert config_path().name == "config.toml"
    assert Settings().port == 8484


@pytest.mark.parametrize(
    ("content", "says"),
    [(b"#" * (MAX_CONFIG_BYTES + 1), "KiB"), (b"port = 1\n# \xff\n", "line 2: not UTF-8")],
)
def test_file_that_is_no_text_of_settings(config: Path, content: bytes, says: str) -> None:
    config.write_bytes(content)
    with pytest.raises(ConfigError, match=says):
        Settings()


def test_folder_in_place_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SKERRY_CONFIG", str(tmp_path))
    with pytest.raises(ConfigError, match="cannot be read"):
        Settings()


def test_misspelt_variables() -> None:
    environ = {
        "SKERRY_MODL": "x",
        "SKERRY_THREAD": "2",
        "SKERRY_PORT": "1",
        "SKERRY_CONFIG": "c",
        "SKERRY_DATA": "d",
        "SKERRY_ASK_MAX_TOKENS": "9",
        "SKERRY_SOMETHING_ELSE": "x",
        "PATH": "/bin",
    }
    assert unknown_variables(environ) == [
        Misspelling("SKERRY_MODL", "SKERRY_MODEL"),
        Misspelling("SKERRY_THREAD", "SKERRY_THREADS"),
    ]


def test_every_setting_is_described() -> None:
    for name, field in Settings.model_fields.items():
        assert field.description, name
        assert field.description.endswith("."), name
        if name.endswith("_s"):
            assert field.description.startswith("Seconds"), name


def test_page_is_up_to_date() -> None:
    assert markdown_table() in DOC.read_text(), "put the output of -m skerry.edge.settings there"


def test_table_is_printed() -> None:
    command = [sys.executable, "-m", "skerry.edge.settings"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == markdown_table()


def test_importing_the_package_loads_no_settings() -> None:
    code = "import sys, skerry.edge; print('pydantic_settings' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout == "False\n"
