from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skerry.device_profiles import (
    Cpu,
    Kind,
    KvType,
    Memory,
    Profile,
    ProfileInvalid,
    ProfileNotFound,
    find_profile,
    load_profiles,
    parse_profile,
    read_profile,
)
from skerry.device_profiles.profile import MAX_PROFILE_BYTES

ROOM = Path(__file__).parents[2] / "device_profiles"
PAGE = Path(__file__).parents[2] / "docs" / "device-profiles.md"
NAMES = {
    "apple-silicon",
    "budget-phone",
    "laptop",
    "phone-flagship",
    "phone-mid",
    "raspberry",
    "workstation",
}
LAPTOP = (ROOM / "laptop.toml").read_text()


def test_built_in_profiles() -> None:
    profiles = load_profiles()
    assert {profile.name for profile in profiles} >= NAMES
    assert {profile.kind for profile in profiles} == set(Kind)


@pytest.mark.parametrize("profile", load_profiles(), ids=lambda profile: profile.name)
def test_built_in_profile_makes_sense(profile: Profile) -> None:
    assert profile.memory.runtime_mb < 0.75 * profile.memory.total_mb
    assert 0.2 < profile.memory.decode_gb_s / profile.memory.bandwidth_gb_s < 0.9
    assert profile.threads <= profile.cpu.performance_cores


@pytest.mark.parametrize("path", sorted(ROOM.glob("*.toml")), ids=lambda path: path.stem)
def test_every_file_names_its_basis(path: Path) -> None:
    assert path.read_text().startswith("# Basis: ")


@pytest.mark.parametrize("profile", load_profiles(), ids=lambda profile: profile.name)
def test_page_describes_profile(profile: Profile) -> None:
    assert f"`{profile.name}`" in PAGE.read_text()


@pytest.mark.parametrize("part", [Profile, Memory, Cpu])
def test_page_describes_every_key(part: type) -> None:
    for field in fields(part):
        assert f"`{field.name}`" in PAGE.read_text(), field.name


@dataclass(frozen=True)
class Wrong:
    """A change of a good profile, the line where the error must point, and what it must say."""

    old: str
    new: str
    line: int
    says: str


def _line(text: str) -> int:
    return LAPTOP[: LAPTOP.index(text)].count("\n") + 1


WRONG = [
    Wrong("threads = 8", 'threads = "8"', _line("threads = 8"), "threads: "),
    Wrong("threads = 8", "threads = 0", _line("threads = 8"), "threads: "),
    Wrong("threads = 8", "threads = 8.5", _line("threads = 8"), "threads: "),
    Wrong("threads = 8", "threads = true", _line("threads = 8"), "threads: "),
    Wrong("threads = 8", "thread = 8", _line("threads = 8"), "no such key"),
    Wrong("threads = 8", "", 1, "threads: is missing"),
    Wrong("threads = 8", "threads = 9", 1, "more than the cores"),
    Wrong('kv_type = "f16"', 'kv_type = "f12"', _line("kv_type"), "kv_type: "),
    Wrong('"onnx"', '"oonx"', _line("formats"), "formats: "),
    Wrong("total_mb = 16384", "total_mb = -1", _line("total_mb"), "memory.total_mb: "),
    Wrong("total_mb = 16384", "total_mb = 10", _line("[memory]"), "more than total_mb"),
    Wrong("decode_gb_s = 47.4", "decode_gb_s = nan", _line("decode_gb_s"), "memory.decode_gb_s"),
    Wrong("decode_gb_s = 47.4", "decode_gb_s = inf", _line("decode_gb_s"), "memory.decode_gb_s"),
    Wrong("decode_gb_s = 47.4", "decode_gb_s = 999", _line("[memory]"), "more than bandwidth"),
    Wrong("[memory]", "[memory", _line("[memory]"), "not TOML"),
    Wrong('name = "laptop"', 'name = "../x"', _line("name ="), "name: "),
    Wrong('name = "laptop"', 'name = "laptop"\nname = "x"', _line("name =") + 1, "not TOML"),
]


@pytest.mark.parametrize("case", WRONG, ids=lambda case: case.new or "missing key")
def test_error_names_file_line_and_key(case: Wrong) -> None:
    assert case.old in LAPTOP
    with pytest.raises(ProfileInvalid) as raised:
        parse_profile(LAPTOP.replace(case.old, case.new, 1), "mine.toml")
    assert raised.value.what.startswith(f"mine.toml, line {case.line}: "), raised.value.what
    assert case.says in raised.value.what
    assert raised.value.hint
    assert (raised.value.retryable, raised.value.exit_code) == (False, 3)


@given(st.text(max_size=200))
@settings(max_examples=100, deadline=None)
def test_any_text_is_refused_cleanly(text: str) -> None:
    with pytest.raises(ProfileInvalid, match=r"x\.toml, line \d+"):
        parse_profile(text, "x.toml")


@given(st.integers(0, len(LAPTOP)))
@settings(max_examples=50, deadline=None)
def test_file_cut_anywhere_is_whole_or_refused(cut: int) -> None:
    try:
        profile = parse_profile(LAPTOP[:cut], "x.toml")
    except ProfileInvalid:
        return
    assert profile.name == "laptop"


def _write(folder: Path, name: str, text: str = LAPTOP) -> Path:
    path = folder / f"{name}.toml"
    path.write_text(text.replace('name = "laptop"', f'name = "{name}"'))
    return path


def test_own_profiles_are_added_and_replace(tmp_path: Path) -> None:
    _write(tmp_path, "cart")
    _write(tmp_path, "laptop", LAPTOP.replace("threads = 8", "threads = 2"))
    profiles = load_profiles(tmp_path)
    assert len(profiles) == len(load_profiles()) + 1
    assert find_profile("cart", profiles).kv_type is KvType.F16
    assert find_profile("laptop", profiles).threads == 2
    assert find_profile("laptop", load_profiles()).threads == 8


def test_folder_without_profiles(tmp_path: Path) -> None:
    assert load_profiles(tmp_path / "none") == load_profiles(tmp_path) == load_profiles()


def test_unknown_name_lists_the_known() -> None:
    with pytest.raises(ProfileNotFound) as raised:
        find_profile("toaster", load_profiles())
    assert "raspberry" in raised.value.hint


def test_name_must_be_that_of_the_file(tmp_path: Path) -> None:
    path = _write(tmp_path, "cart").rename(tmp_path / "other.toml")
    with pytest.raises(ProfileInvalid, match="'cart'"):
        read_profile(path)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"#" * (MAX_PROFILE_BYTES + 1), "KiB"),
        (b"# a\n# \xff", "line 2: not UTF-8"),
        (b"", "line 1"),
    ],
)
def test_file_that_is_no_profile(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "x.toml"
    path.write_bytes(content)
    with pytest.raises(ProfileInvalid, match=says):
        read_profile(path)


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ProfileNotFound, match="No such file"):
        read_profile(tmp_path / "none.toml")


def test_windows_line_ends(tmp_path: Path) -> None:
    path = tmp_path / "laptop.toml"
    path.write_bytes(LAPTOP.replace("\n", "\r\n").encode())
    assert read_profile(path) == find_profile("laptop", load_profiles())
