"""What a manifest may say, and that it has one form on disk."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.bundles import Bundle, Manifest, ManifestInvalid, codec, open_bundle, schema
from skerry.bundles.paths import unsafe
from tests.bundles.making import CONTENT, manifest_of

SCHEMA_FILE = Path(__file__).parents[2] / "docs" / "schemas" / "bundle.schema.json"
Change = Callable[[dict[str, Any]], object]


@dataclass(frozen=True)
class Case:
    name: str
    change: Change
    says: str


def _path(path: str) -> Change:
    return lambda m: m["files"][0].update(path=path)


HOSTILE = [
    Case("later version", lambda m: m.update(schema="skerry.bundle/3"), "schema"),
    Case("no version", lambda m: m.pop("schema"), "schema"),
    Case("unknown field", lambda m: m.update(run="rm"), "unknown field"),
    Case("absolute path", _path("/etc/passwd"), "absolute"),
    Case("path upwards", _path("parts/../../x"), "'..'"),
    Case("backslash", _path("parts\\..\\x"), "characters"),
    Case("drive", _path("c:x"), "characters"),
    Case("control character", _path("parts/a\x1b[2J"), "characters"),
    Case("line feed at the end", _path("parts/a\n"), "characters"),
    Case("device of Windows", _path("parts/con.txt"), "device"),
    Case("trailing dot", _path("parts/a."), "dot"),
    Case("decomposed letter", _path("parts/e\u0301"), "NFC"),
    Case("too deep", _path("/".join("a" * 17)), "deep"),
    Case("empty path", _path(""), "length"),
    Case("too long", _path("a" * 241), "length"),
    Case("the manifest itself", _path("bundle.json"), "one file"),
    Case("the manifest in capitals", _path("BUNDLE.json"), "one file"),
    Case("same path twice", lambda m: m["files"].insert(0, m["files"][0]), "one file"),
    Case("same path, other case", _path("variants/GGUF-q4_0/model.gguf"), "one file"),
    Case("file and folder", _path("variants/gguf-q4_0"), "a folder of"),
    Case("huge size", lambda m: m["files"][0].update(size=1 << 51), "int"),
    Case("negative size", lambda m: m["files"][0].update(size=-1), "int"),
    Case("size as text", lambda m: m["files"][0].update(size="1"), "int"),
    Case("digest of another kind", lambda m: m["files"][0].update(sha256="A" * 64), "regex"),
    Case("unknown role", lambda m: m["files"][0].update(role="script"), "Invalid enum"),
    Case("part among variants", lambda m: m["files"][1].update(role="policy"), "folder"),
    Case("variant without files", lambda m: m["variants"][0].update(files=[]), "length"),
    Case(
        "file of another variant",
        lambda m: m["variants"][0].update(files=m["variants"][1]["files"]),
        "no file of its folder",
    ),
    Case(
        "file that is not there",
        lambda m: m["variants"][0].update(files=["variants/gguf-q8_0/x"]),
        "no file of its folder",
    ),
    Case("variant of no model", lambda m: m["variants"][0].update(model="x"), "model"),
    Case("variant twice", lambda m: m["variants"].append(m["variants"][0]), "2 times"),
    Case("orphan file", lambda m: m["variants"].pop(), "no variant"),
    Case("unsorted files", lambda m: m["files"].reverse(), "sorted"),
    Case("deep evaluation", lambda m: m["variants"][0].update(evaluation=_nested(40)), "deep"),
    Case("inexact number", lambda m: m["variants"][0].update(facts={"n": 1 << 60}), "2\\*\\*53"),
    Case("no models", lambda m: m.update(models=[]), "length"),
]


def _nested(depth: int) -> dict[str, Any]:
    return {"a": _nested(depth - 1)} if depth else {}


def _plain(bundle: Bundle) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(codec.encode(bundle.manifest))
    return plain


def _written(plain: dict[str, Any]) -> bytes:
    return (json.dumps(plain, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode()


def test_what_is_written_is_read(bundle: Bundle) -> None:
    data = (bundle.folder / "bundle.json").read_bytes()
    assert codec.decode(data) == bundle.manifest
    assert codec.encode(bundle.manifest) == data
    assert codec.digest(bundle.manifest) == bundle.digest


def test_form_is_what_any_json_writer_can_make(bundle: Bundle) -> None:
    """Sorted, two spaces: others can write the same bytes."""
    assert _written(_plain(bundle)) == codec.encode(bundle.manifest)


@pytest.mark.parametrize("case", HOSTILE, ids=lambda case: case.name)
def test_hostile_manifest_is_refused(case: Case, bundle: Bundle) -> None:
    plain = _plain(bundle)
    case.change(plain)
    file = bundle.folder / "bundle.json"
    file.write_bytes(_written(plain))
    with pytest.raises(ManifestInvalid, match=case.says) as caught:
        open_bundle(bundle.folder)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (b'"kl_mean": 0.25', b'"kl_mean": NaN', "no manifest"),
        (b'"kl_mean": 0.25', b'"kl_mean": Infinity', "no manifest"),
        (b'"kl_mean": 0.25', b'"kl_mean": 1e999', "no manifest"),
        (b'"kl_mean": 0.25', b'"kl_mean": 1, "kl_mean": 0.25', "canonical"),
        (b'"name": "tiny"', b'"name": "\\ud800"', "no manifest"),
        (b'"name": "tiny"', b'"name": "\xff"', "no manifest"),
        (b"  ", b" ", "canonical"),
        (b"}\n", b"}", "canonical"),
        (b"}\n", b"}\n\x00", "no manifest"),
    ],
)
def test_bytes_that_programs_may_read_differently_are_refused(
    old: bytes, new: bytes, says: str, bundle: Bundle
) -> None:
    data = codec.encode(bundle.manifest)
    head, _, tail = data.rpartition(old) if old.endswith(b"\n") else data.partition(old)
    with pytest.raises(ManifestInvalid, match=says):
        codec.decode(head + new + tail)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"[" * 100_000,
        b'{"schema":' * 50_000,
        b"\xef\xbb\xbf{}",
        b"PK\3\4",
    ],
    ids=lambda data: repr(data[:8]),
)
def test_what_is_no_manifest_is_refused(data: bytes) -> None:
    with pytest.raises(ManifestInvalid):
        codec.decode(data)


def test_a_huge_manifest_is_not_read_to_its_end(bundle: Bundle) -> None:
    with (bundle.folder / "bundle.json").open("r+b") as file:
        file.truncate(1 << 40)  # a sparse file: a terabyte that takes no room
    with pytest.raises(ManifestInvalid, match="more than"):
        open_bundle(bundle.folder)


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_else(data: bytes) -> None:
    try:
        codec.decode(data)
    except ManifestInvalid:
        return
    raise AssertionError("random bytes were taken as a manifest")


@given(st.text(min_size=1, max_size=40))
def test_a_safe_path_stays_in_its_folder(path: str) -> None:
    if unsafe(path) is None:
        assert Path("/folder", path).is_relative_to("/folder")
        assert ".." not in Path(path).parts
        assert Path(path).as_posix() == path


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {1: 2}, b"x", {1}])
def test_evaluation_that_has_no_json_form_is_not_written(value: object, bundle: Bundle) -> None:
    first, *rest = bundle.manifest.variants
    odd = msgspec.structs.replace(first, evaluation={"x": [value]})
    with pytest.raises(ManifestInvalid, match="evaluation"):
        codec.encode(msgspec.structs.replace(bundle.manifest, variants=(odd, *rest)))


def test_the_written_schema_is_true(bundle: Bundle) -> None:
    assert SCHEMA_FILE.read_text() == schema.text(), "python -m skerry.bundles.schema > docs/…"
    plain = _plain(bundle)
    jsonschema.validate(plain, schema.schema())
    plain["files"][0]["sha256"] = "short"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(plain, schema.schema())


def test_a_manifest_knows_its_files(bundle: Bundle) -> None:
    manifest = bundle.manifest
    assert manifest.size == sum(len(data) for _, data in CONTENT.values())
    assert manifest.size_of(bundle.variant("onnx-int4")) == 6
    with pytest.raises(KeyError):
        manifest.file("../x")
    assert isinstance(manifest_of(manifest.files), Manifest)
