"""What is read is what the manifest says; everything else is refused, and said."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from skerry.bundles import (
    Bundle,
    BundleDamaged,
    BundleNotFound,
    ManifestInvalid,
    NoVariant,
    Role,
    compare,
    open_bundle,
    read_bundle,
    verify_bundle,
)
from skerry.device_profiles import Format, find_profile, load_profiles
from tests.bundles.making import CONTENT, make

PROFILES = load_profiles()
Q8 = "variants/gguf-q8_0/model.gguf"


@dataclass(frozen=True)
class Damage:
    name: str
    do: Callable[[Path], object]
    path: str
    says: str


def _link(path: Path) -> None:
    outside = path.parents[3] / "outside"
    outside.write_bytes(path.read_bytes())
    path.unlink()
    path.symlink_to(outside)


def _folder_link(folder: Path) -> None:
    folder.rename(folder.parents[1] / "moved")
    folder.symlink_to(folder.parents[1] / "moved")


DAMAGE = [
    Damage("missing", lambda b: (b / Q8).unlink(), Q8, "missing"),
    Damage("cut off", lambda b: os.truncate(b / Q8, 10), Q8, "10 bytes"),
    Damage("longer", lambda b: (b / Q8).open("ab").write(b"x"), Q8, "8005 bytes"),
    Damage("link to the same", lambda b: _link(b / Q8), Q8, "no plain file"),
    Damage("folder in its place", lambda b: ((b / Q8).unlink(), (b / Q8).mkdir()), Q8, "plain"),
    Damage("pipe", lambda b: ((b / Q8).unlink(), os.mkfifo(b / Q8)), Q8, "plain"),
    Damage(
        "extra",
        lambda b: (b / "variants/onnx-int4/x.so").touch(),
        "variants/onnx-int4/x.so",
        "not in the manifest",
    ),
    Damage("extra link", lambda b: (b / "etc").symlink_to("/etc"), "etc", "link"),
]


@pytest.mark.parametrize("damage", DAMAGE, ids=lambda one: one.name)
def test_damage_is_refused_and_told(damage: Damage, bundle: Bundle) -> None:
    damage.do(bundle.folder)
    with pytest.raises(BundleDamaged, match=damage.says):
        open_bundle(bundle.folder)
    found = verify_bundle(bundle.folder)
    assert [(one.path, damage.says in one.what) for one in found.problems] == [(damage.path, True)]


def test_a_folder_that_became_a_link_is_refused(bundle: Bundle) -> None:
    _folder_link(bundle.folder / "variants" / "onnx-int4")
    with pytest.raises(BundleDamaged, match="link"):
        open_bundle(bundle.folder)


def test_content_of_the_same_size_is_found_by_its_digest(bundle: Bundle) -> None:
    data = bytearray((bundle.folder / Q8).read_bytes())
    data[100] ^= 1
    (bundle.folder / Q8).write_bytes(data)
    assert open_bundle(bundle.folder)
    found = verify_bundle(bundle.folder)
    assert [one.path for one in found.problems] == [Q8]
    assert "SHA-256" in found.problems[0].what


def test_verification_of_a_sound_bundle(bundle: Bundle) -> None:
    told: list[int] = []
    found = verify_bundle(bundle.folder, told.append)
    assert found.ok
    assert found.files == len(CONTENT)
    assert found.bytes_read == sum(told) == bundle.manifest.size
    assert found.digest == bundle.digest


def test_no_bundle_there(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path, tmp_path / "nothing", tmp_path / "file"):
        with pytest.raises(BundleNotFound) as caught:
            open_bundle(path)
        assert caught.value.hint


def test_a_manifest_that_is_a_link_is_not_followed(bundle: Bundle) -> None:
    file = bundle.folder / "bundle.json"
    file.rename(bundle.folder.parent / "elsewhere.json")
    file.symlink_to(bundle.folder.parent / "elsewhere.json")
    with pytest.raises(ManifestInvalid):
        open_bundle(bundle.folder)


def test_a_pointer_to_a_bundle_is_a_bundle(bundle: Bundle, tmp_path: Path) -> None:
    (tmp_path / "current").symlink_to(bundle.folder)
    assert open_bundle(tmp_path / "current").folder == bundle.folder


@pytest.mark.parametrize(
    ("profile", "formats", "variant", "why"),
    [
        ("workstation", tuple(Format), "gguf-q8_0", "made for the profile workstation"),
        ("phone-mid", tuple(Format), "gguf-q4_0", "made for the profile phone-mid"),
        ("laptop", tuple(Format), "gguf-q8_0", "not made for the profile laptop, but it fits"),
        ("workstation", (Format.ONNX,), "onnx-int4", "but it fits"),
    ],
)
def test_a_device_takes_what_was_made_for_it_else_what_fits(
    profile: str, formats: tuple[Format, ...], variant: str, why: str, bundle: Bundle
) -> None:
    choice = bundle.variant_for(find_profile(profile, PROFILES), formats=formats)
    assert choice.variant.name == variant
    assert why in choice.why[0]


def test_a_device_without_memory_or_format_gets_nothing(bundle: Bundle) -> None:
    workstation = find_profile("workstation", PROFILES)
    tiny = replace(workstation, memory=replace(workstation.memory, runtime_mb=1))
    with pytest.raises(NoVariant, match="gguf-q8_0: it needs"):
        bundle.variant_for(tiny)
    with pytest.raises(NoVariant, match="nothing here runs gguf"):
        bundle.variant_for(workstation, formats=())


def test_what_an_engine_is_given(bundle: Bundle) -> None:
    assert bundle.entry(bundle.variant("gguf-q8_0")) == bundle.folder / Q8
    assert bundle.entry(bundle.variant("onnx-int4")) == bundle.folder / "variants/onnx-int4"
    assert [path.name for path in bundle.of_role(Role.POLICY)] == ["policy.toml"]
    with pytest.raises(NoVariant, match="no variant"):
        bundle.variant("gguf-q2_k")


def test_bundles_are_compared(bundle: Bundle, tmp_path: Path) -> None:
    assert compare(bundle.manifest, bundle.manifest).same
    changed = {path: one for path, one in CONTENT.items() if "q4_0" not in path}
    changed[Q8] = (Role.VARIANT, b"GGUF new")
    files = make(tmp_path / "other", tmp_path / "unused").manifest
    after = make_without_q4(tmp_path, changed)
    found = compare(files, after.manifest)
    assert [(one.path, one.before, one.after) for one in found.files] == [
        ("variants/gguf-q4_0/model.gguf", 4004, None),
        (Q8, 8004, 8),
    ]
    assert found.new_bytes == 8
    assert [(one.name, one.after) for one in found.variants] == [("gguf-q4_0", None)]
    assert [one.key for one in found.values] == ["order"]


def make_without_q4(tmp_path: Path, content: dict[str, tuple[Role, bytes]]) -> Bundle:
    from msgspec.structs import replace as changed

    from skerry.bundles import write_bundle
    from tests.bundles.making import files_below, manifest_of, variant

    files, sources = files_below(tmp_path / "less", content)
    variants = (
        variant("gguf-q8_0", content, "workstation"),
        variant("onnx-int4", content),
    )
    manifest = changed(manifest_of(files), variants=variants)
    return write_bundle(manifest, sources, tmp_path / "after")


def test_changed_values_have_their_place(bundle: Bundle) -> None:
    from msgspec.structs import replace as changed

    first, *rest = bundle.manifest.variants
    better = changed(first, evaluation={"kl_mean": 0.125}, precision="q8")
    found = compare(bundle.manifest, changed(bundle.manifest, variants=(better, *rest)))
    (variant,) = found.variants
    assert {one.key: (one.before, one.after) for one in variant.values} == {
        "evaluation.kl_mean": (0.25, 0.125),
        "precision": ("q8_0", "q8"),
    }
    assert not found.files
    assert found.new_bytes == 0


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_not_waited_for(bundle: Bundle) -> None:
    file = bundle.folder / "bundle.json"
    file.unlink()
    os.mkfifo(file)
    with pytest.raises(ManifestInvalid, match="plain file"):
        read_bundle(bundle.folder)


def test_a_loop_of_links_is_no_bundle(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(BundleNotFound, match="loop"):
        read_bundle(tmp_path / "loop")


def test_an_extra_folder_is_not_looked_into(bundle: Bundle) -> None:
    """However deep it is: a thousand folders in each other are one complaint."""
    deep = os.open(bundle.folder, os.O_RDONLY)
    for _ in range(1500):
        os.mkdir("d", dir_fd=deep)
        inner = os.open("d", os.O_RDONLY, dir_fd=deep)
        os.close(deep)
        deep = inner
    os.close(deep)
    found = verify_bundle(bundle.folder)
    assert [(one.path, one.what) for one in found.problems] == [
        ("d", "it is a folder, and not in the manifest")
    ]
    with pytest.raises(BundleDamaged, match="folder"):
        open_bundle(bundle.folder)
    subprocess.run(["rm", "-rf", str(bundle.folder / "d")], check=True)
