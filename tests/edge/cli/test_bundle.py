"""`skerry bundle` and `skerry export`, as a person and as a program calls them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bundles.making import make
from tests.edge import bundling

QUESTION = "How often is the emergency trolley checked?"
HANDBOOK = Path(__file__).parents[3] / "edge" / "demo" / "handbook"


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return make(tmp_path / "sources", tmp_path / "bundle").folder


def test_a_sound_bundle(skerry, bundle: Path) -> None:
    done = skerry("bundle", "verify", str(bundle))
    assert done.code == 0, done.err
    assert "sound" in done.out
    found = skerry("bundle", "verify", str(bundle), "--json").json
    assert (found["ok"], found["files"], found["problems"]) == (True, 5, [])


def test_a_damaged_bundle(skerry, bundle: Path) -> None:
    (bundle / "variants/gguf-q8_0/model.gguf").write_bytes(b"GGUF" + b"9" * 8000)
    done = skerry("bundle", "verify", str(bundle))
    assert done.code == 4
    assert "variants/gguf-q8_0/model.gguf" in done.out
    assert "DAMAGED" in done.out
    as_json = skerry("bundle", "verify", str(bundle), "--json")
    assert (as_json.code, as_json.json["ok"]) == (4, False)


def test_what_is_in_a_bundle(skerry, bundle: Path) -> None:
    shown = skerry("bundle", "show", str(bundle))
    assert shown.code == 0, shown.err
    for words in ("tiny", "gguf-q8_0", "workstation", "policy.toml", "Apache-2.0", "hand 1"):
        assert words in shown.out
    assert skerry("bundle", "show", str(bundle), "--json").json["manifest"]["name"] == "tiny"


def test_what_changed(skerry, bundle: Path) -> None:
    same = skerry("bundle", "diff", str(bundle), str(bundle))
    assert same.out.strip() == "the same"
    other = make(bundle.parent / "s2", bundle.parent / "other").folder
    found = skerry("bundle", "diff", str(bundle), str(other), "--json").json
    assert (found["same"], found["new_bytes"]) == (True, 0)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("bundle", "verify", "/nowhere"), 4, "no bundle"),
        (("bundle", "show", ""), 2, "empty"),
        (("export", "plan", "nope"), 4, "smollm2"),
        (("export", "plan", "/nowhere.gguf"), 4, "nowhere"),
        (("export", "plan", "/"), 4, "no model"),
        (("export", "plan", "smollm2", "--profile", "toaster"), 3, "toaster"),
        (("export", "plan", "smollm2", "--format", "zip"), 2, "zip"),
        (("export", "plan", "smollm2", "--precision", "q9"), 2, "q9"),
        (("export", "build", "smollm2"), 2, "--out"),
        (("export", "build", "smollm2", "--out", "/nowhere/b", "--measure", "none",
          "--profile", "laptop", "--precision", "q9"), 2, "q9"),
        (("export", "build", "smollm2", "--out", "/nowhere/b", "--draft", "/no.gguf"), 4,
         "no.gguf"),
        (("export", "build", "smollm2", "--out", "/nowhere/b", "--adapter", "/no.gguf"), 4,
         "no.gguf"),
        (("export", "build", "smollm2", "--out", "/nowhere/b", "--router", "/no.npz"), 4, "no.npz"),
        (("ask", "x", "--bundle", "/nowhere"), 4, "no bundle"),
        (("index", "ls", "--bundle", "/nowhere"), 4, "no bundle"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)  # fmt: skip
def test_a_wrong_call(skerry, arguments: tuple[str, ...], code: int, words: str) -> None:
    done = skerry(*arguments)
    assert done.code == code, done.err
    assert words in done.err
    assert "Traceback" not in done.err


def test_a_manifest_cannot_act_on_the_terminal(skerry, tmp_path: Path) -> None:
    from msgspec.structs import replace

    from skerry.bundles import write_bundle
    from tests.bundles.making import CONTENT, files_below, manifest_of

    files, sources = files_below(tmp_path / "s", CONTENT)
    manifest = manifest_of(files)
    models = (replace(manifest.models[0], licence="\x1b[2Jfree"),)
    write_bundle(replace(manifest, models=models), sources, tmp_path / "b")
    assert "\x1b" not in skerry("bundle", "show", str(tmp_path / "b")).out


@pytest.mark.model
def test_the_default_model_is_planned(skerry) -> None:
    found = skerry("export", "plan", "smollm2", "--profiles", "all", "--json").json
    (variant,) = [one for one in found["variants"] if one["format"] == "gguf"]
    assert {fit["profile"] for fit in variant["fits"]} >= {"phone-mid", "workstation", "raspberry"}
    shown = skerry("export", "plan", "smollm2", "--profile", "phone-mid", "--candidates")
    assert "not gguf-" in shown.out


@pytest.mark.model
@pytest.mark.slow
def test_a_bundle_for_three_profiles_is_built_and_asked_offline(skerry, tmp_path: Path) -> None:
    """GGUF variants, the int8 ONNX encoder beside them, and an answer out of it."""
    out, index = tmp_path / "bundle", str(tmp_path / "index.sqlite")
    profiles = ("--profile", "phone-mid", "--profile", "workstation", "--profile", "raspberry")
    build = ("export", "build", "smollm2", *profiles, "--format", "gguf", "--precision", "q4_0",
             "--precision", "q8_0", "--measure", "none", "--out", str(out), "--json")  # fmt: skip
    first, second = skerry(*build).json, skerry(*build).json
    assert (first["made"], second["made"]) == (["gguf-q8_0", "gguf-q4_0"], [])
    assert second["unchanged"]
    assert all(len(one["profiles"]) == 3 for one in first["variants"])
    assert (out / "parts/encoder/minilm-l6-int8/model.onnx").is_file()
    assert skerry("bundle", "verify", str(out), "--json").json["ok"]
    assert skerry("index", "add", str(HANDBOOK), "--index", index).code == 0
    asked = ("ask", QUESTION, "--offline", "--bundle", str(out), "--index", index, "--json")
    reply = skerry(*asked).json
    assert "every day" in reply["answer"]
    assert reply["receipt"]["bundle"]["digest"] == first["digest"]
    assert reply["receipt"]["bundle"]["variant"] == "gguf-q8_0"
    with (out / "variants/gguf-q8_0/model.gguf").open("r+b") as file:
        file.seek(1_000_000)
        file.write(b"\0tampered\0")
    refused = skerry(*asked)
    assert refused.code == 4
    assert refused.json["error"]["code"] == "bundle_refused"


@pytest.mark.parametrize(
    ("path", "content", "says"),
    [
        ("parts/router/router/router.npz", b"no", "router"),
        ("parts/guardrails/names/model.onnx", b"no", "names/model.onnx"),
        ("parts/prompt/grounded.txt", b"\xff", "UTF-8"),
        ("parts/policy/policy.toml", b"a = " + b"[" * 9999, "nested"),
        ("parts/prompt/chat_template.jinja", b"{{", "template"),
        ("parts/adapter/x.gguf", b"GGUF", "x.gguf"),
    ],
)
def test_a_part_that_cannot_be_used_is_found(
    skerry, tmp_path: Path, path: str, content: bytes, says: str
) -> None:
    """Its digest is right: whoever made the bundle packed it so."""
    bundle = bundling.make(tmp_path / "b", {path: content}).folder
    done = skerry("bundle", "verify", str(bundle), "--json")
    assert done.code == 4
    assert says in done.json["problems"][0]["what"]


def test_what_came_from_where_is_shown(skerry, tmp_path: Path) -> None:
    unknown = "parts/guardrails/later/later.json"
    bundle = bundling.make(tmp_path / "b", {unknown: b"{}", bundling.GROUNDED: None})
    found = skerry("bundle", "show", str(bundle.folder), "--json").json
    parts = {one["name"]: one for one in found["parts"]}
    assert parts["grounded prompt"]["origin"] == "installed"
    manifest = bundle.manifest.file(bundling.ENCODER)
    assert parts["encoder"] == {"name": "encoder", "origin": "bundle", "digest": manifest.sha256}
    assert found["not_run"] == [unknown]
    shown = skerry("bundle", "show", str(bundle.folder)).out
    assert f"not run by this version: {unknown}" in shown
    assert manifest.sha256[:12] in shown
