"""A build is resumed, repeated for nothing, and never leaves what looks whole and is not."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from skerry.bundles import BundleExists, Role, open_bundle, verify_bundle
from skerry.device_profiles import Format
from skerry.export.building import Cache, Measuring, Part, build, prompt_parts
from skerry.export.errors import MissingExtra, OutputFailed, SourceRefused, Unsupported
from tests.export.building.copying import Copying, order, subject_at

Q8 = "variants/gguf-q8_0/model.gguf"


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


def test_a_bundle_with_all_that_a_device_needs(tmp_path: Path, cache: Cache) -> None:
    source = tmp_path / "source"
    parts = [
        Part(Role.POLICY, "policy.toml", b"x"),
        *prompt_parts(subject_at(source), {"open.txt": "Be brief."}),
    ]
    built = build([order(source, Copying())], tmp_path / "out", cache=cache, parts=parts)
    manifest = built.bundle.manifest
    assert verify_bundle(tmp_path / "out").ok
    assert (built.made, built.reused, built.unchanged) == (("gguf-q8_0", "gguf-q4_0"), (), False)
    assert manifest.name == "small-model"
    assert built.bundle.path(Q8).read_bytes() == b"weightsq8_0"
    (model,) = manifest.models
    assert (model.licence, model.source.name, model.shape.parameters) == ("mit", "source", 2000)
    first = manifest.variants[0]
    assert [one.profile for one in first.suits] == ["workstation", "phone-mid"]
    assert all(one.why for one in first.suits)
    assert (first.notes, first.facts["bits"]) == (("a note",), 4.5)
    assert first.made_by[0].tool == "skerry"
    assert {one.name for one in manifest.tools} >= {"skerry", "llama-cpp-python"}
    assert sorted(file.path for file in manifest.files if file.role is not Role.VARIANT) == [
        "parts/policy/policy.toml",
        "parts/prompt/chat_template.jinja",
        "parts/prompt/open.txt",
    ]


def test_a_second_build_does_nothing(tmp_path: Path, cache: Cache) -> None:
    exporter, told = Copying(), []
    first = build([order(tmp_path / "s", exporter)], tmp_path / "out", cache=cache)
    times = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*")}
    second = build(
        [order(tmp_path / "s", exporter)], tmp_path / "out", cache=cache,
        progress=lambda what, done: told.append((what, done)),
    )  # fmt: skip
    assert exporter.exported == ["q8_0", "q4_0"]
    assert second.unchanged
    assert second.bundle.digest == first.bundle.digest
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*")} == times
    assert all(0 <= done <= 1 for _, done in told)


def test_same_inputs_make_the_same_bytes_elsewhere(tmp_path: Path) -> None:
    """Other folders, another cache."""
    digests = []
    for one in ("a", "b"):
        (tmp_path / one).mkdir()
        wanted = order(tmp_path / one / "s", Copying())
        cache = Cache(tmp_path / one / "cache")
        digests.append(build([wanted], tmp_path / one / "out", cache=cache).bundle.digest)
    assert digests[0] == digests[1]


@pytest.mark.parametrize("change", ["source", "tool"])
def test_what_is_made_from_something_else_is_made_anew(
    change: str, tmp_path: Path, cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    exporter = Copying()
    build([order(tmp_path / "s", exporter)], tmp_path / "out", cache=cache)
    if change == "source":
        (tmp_path / "s" / "model.safetensors").write_bytes(b"others!")
    else:
        monkeypatch.setattr("skerry.export.building.bundling.exporting_code", lambda: "other")
    again = build([order(tmp_path / "s", exporter)], tmp_path / "o2", cache=cache)
    assert again.made == ("gguf-q8_0", "gguf-q4_0")
    assert len(exporter.exported) == 4


def test_stopped_half_way_it_goes_on(tmp_path: Path, cache: Cache) -> None:
    def stop(precision: str) -> None:
        if precision == "q4_0":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build([order(tmp_path / "s", Copying(before=stop))], tmp_path / "out", cache=cache)
    assert not (tmp_path / "out").exists()
    exporter = Copying()
    built = build([order(tmp_path / "s", exporter)], tmp_path / "out", cache=cache)
    assert exporter.exported == ["q4_0"]
    assert (built.made, built.reused) == (("gguf-q4_0",), ("gguf-q8_0",))


_KILLED = """
import os, signal, sys
from pathlib import Path
from skerry.export.building import Cache, build
from tests.export.building.copying import Copying, order
folder = Path(sys.argv[1])
def die(precision):
    if precision == "q4_0":
        os.kill(os.getpid(), signal.SIGKILL)
build([order(folder / "s", Copying(before=die))], folder / "out", cache=Cache(folder / "cache"))
"""


def test_killed_half_way_it_goes_on(tmp_path: Path, cache: Cache) -> None:
    done = subprocess.run([sys.executable, "-c", _KILLED, tmp_path], check=False)
    assert done.returncode == -signal.SIGKILL
    assert not (tmp_path / "out").exists()
    exporter = Copying()
    assert build([order(tmp_path / "s", exporter)], tmp_path / "out", cache=cache).reused
    assert exporter.exported == ["q4_0"]
    assert not list((tmp_path / "cache").glob(".*"))


@pytest.mark.parametrize("damage", ["changed", "cut off", "gone", "record"])
def test_a_damaged_cache_is_not_believed(damage: str, tmp_path: Path, cache: Cache) -> None:
    build([order(tmp_path / "s", Copying())], tmp_path / "out", cache=cache)
    for file in (tmp_path / "cache").rglob("model.gguf"):
        if damage == "changed":
            file.write_bytes(b"X" + file.read_bytes()[1:])
        elif damage == "cut off":
            os.truncate(file, 3)
        elif damage == "gone":
            file.unlink()
        else:
            (file.parents[1] / "made.json").write_text("{")
    exporter = Copying()
    assert build([order(tmp_path / "s", exporter)], tmp_path / "out", cache=cache).unchanged
    assert exporter.exported == ["q8_0", "q4_0"]


def test_a_tampered_bundle_is_not_called_unchanged(tmp_path: Path, cache: Cache) -> None:
    build([order(tmp_path / "s", Copying())], tmp_path / "out", cache=cache)
    (tmp_path / "out" / Q8).write_bytes(b"weightsQ8_0")
    with pytest.raises(BundleExists, match="already"):
        build([order(tmp_path / "s", Copying())], tmp_path / "out", cache=cache)
    mended = build([order(tmp_path / "s", Copying())], tmp_path / "out", cache=cache, replace=True)
    assert verify_bundle(mended.bundle.folder).ok


def test_a_failing_export_leaves_nothing(tmp_path: Path, cache: Cache) -> None:
    def fail(precision: str) -> None:
        raise OutputFailed("the disk is full", hint="free some space")

    with pytest.raises(OutputFailed):
        build([order(tmp_path / "s", Copying(before=fail))], tmp_path / "out", cache=cache)
    assert not (tmp_path / "out").exists()
    assert list((tmp_path / "cache").iterdir()) == []


def test_no_room_is_told_before_the_export(
    tmp_path: Path, cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr("skerry.export.building.cache.shutil.disk_usage", lambda _: full)
    exporter = Copying()
    with pytest.raises(OutputFailed, match="free"):
        build([order(tmp_path / "s", exporter)], tmp_path / "out", cache=cache)
    assert not exporter.exported


def test_what_was_asked_for_and_cannot_be_made_is_an_error(tmp_path: Path, cache: Cache) -> None:
    def cannot(precision: str) -> None:
        raise Unsupported("no such architecture", hint="another one")

    with pytest.raises(Unsupported, match="architecture"):
        build([order(tmp_path / "s", Copying(before=cannot))], tmp_path / "out", cache=cache)


def test_what_nobody_asked_for_is_left_out_and_told(tmp_path: Path, cache: Cache) -> None:
    def cannot(precision: str) -> None:
        raise Unsupported("no such architecture", hint="another one")

    able, unable = Copying(), Copying(format=Format.ONNX, before=cannot)
    wanted = order(tmp_path / "s", able, unable, precisions=())
    built = build([wanted], tmp_path / "out", cache=cache)
    assert [one.format for one in built.bundle.manifest.variants] == [Format.GGUF]
    assert any(one.why == "no such architecture" for one in built.left_out)


def test_a_missing_tool_is_told_with_its_line(tmp_path: Path, cache: Cache) -> None:
    from skerry.export.building import Order
    from skerry.export.planning import Wishes, make_plan

    plan = order(tmp_path / "s", Copying()).plan
    lacking = (Copying(format=Format.ONNX, lacks="pip install onnx"),)
    asked = make_plan(plan.subject, plan.profiles, lacking, Wishes(frozenset({Format.ONNX})))
    with pytest.raises(MissingExtra) as caught:
        build([Order(asked, lacking)], tmp_path / "out", cache=cache)
    assert caught.value.hint == "pip install onnx"


def test_nothing_to_make_is_an_error(tmp_path: Path, cache: Cache) -> None:
    nothing = order(tmp_path / "s", profiles=("workstation",), precisions=())
    with pytest.raises(Unsupported, match="nothing would be made"):
        build([nothing], tmp_path / "out", cache=cache)


def test_each_variant_is_measured_once(tmp_path: Path, cache: Cache) -> None:
    seen: list[str] = []

    def measure(made: Any, source: Path, exporter: Any, *, progress: Any) -> dict[str, Any]:
        progress("measuring", 0.5)
        seen.append(made.precision)
        assert (made.folder / made.files[0]).is_file()
        return {"kl_mean": 0.1, "tokens": (1, 2)}

    for identity, out in (("v1", "a"), ("v1", "b"), ("v2", "c")):
        measuring = Measuring(measure, identity)
        built = build(
            [order(tmp_path / "s", Copying())], tmp_path / out, cache=cache, measuring=measuring
        )
        assert built.bundle.manifest.variants[0].evaluation == {"kl_mean": 0.1, "tokens": [1, 2]}
    assert seen == ["q8_0", "q4_0"] * 2
    assert open_bundle(tmp_path / "a").digest == open_bundle(tmp_path / "b").digest


def test_a_source_that_cannot_be_read(tmp_path: Path, cache: Cache) -> None:
    wanted = order(tmp_path / "s", Copying())
    shutil.rmtree(tmp_path / "s")
    with pytest.raises(SourceRefused):
        build([wanted], tmp_path / "out", cache=cache)


def test_the_manifest_has_no_place_of_this_machine(tmp_path: Path, cache: Cache) -> None:
    build([order(tmp_path / "s", Copying())], tmp_path / "out", cache=cache)
    assert str(tmp_path) not in json.dumps((tmp_path / "out" / "bundle.json").read_text())
