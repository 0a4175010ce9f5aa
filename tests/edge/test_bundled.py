"""A runtime runs a bundle: the variant that suits this machine, checked, named in the receipt."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from skerry.bundles import (
    Bundle,
    Kind,
    Manifest,
    Model,
    Role,
    Shape,
    Source,
    Step,
    Tool,
    Variant,
    describe,
    write_bundle,
)
from skerry.device_profiles import Format
from skerry.edge import Runtime
from skerry.edge.engines.models import installed_default
from skerry.edge.errors import BundleRefused, ConfigError

HANDBOOK = Path(__file__).parents[2] / "edge" / "demo" / "handbook"
QUESTION = "How often is the emergency trolley checked?"
GGUF, POLICY = "variants/gguf-q4_1/model.gguf", "parts/policy/policy.toml"
STRICT = b'version = "strict"\n'


def make_bundle(out: Path, content: bytes | Path, policy: bytes = b"") -> Bundle:
    """A bundle of one GGUF variant, and perhaps a policy."""
    sources: dict[str, bytes | Path] = {GGUF: content}
    if policy:
        sources[POLICY] = policy
    roles = {GGUF: Role.VARIANT, POLICY: Role.POLICY}
    shape = Shape(
        parameters=134_515_008, kv_values=11_520, embedding=576, feed_forward=1536,
        vocabulary=49_152, context_tokens=8192,
    )  # fmt: skip
    manifest = Manifest(
        schema="skerry.bundle/1",
        name="small",
        models=(
            Model(
                name="smollm2", kind=Kind.LLM, architecture="llama", licence="Apache-2.0",
                source=Source(name="x.gguf", format="gguf", sha256="0" * 64, size=1), shape=shape,
            ),
        ),
        variants=(
            Variant(
                name="gguf-q4_1", model="smollm2", format=Format.GGUF, precision="q4_1",
                files=(GGUF,), made_by=(Step(tool="hand", version="1", did="copied"),),
            ),
        ),
        files=tuple(describe(sources[path], path, roles[path]) for path in sorted(sources)),
        tools=(Tool(name="hand", version="1"),),
    )  # fmt: skip
    return write_bundle(manifest, sources, out)


@pytest.fixture(autouse=True)
def own_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home"))


def test_the_variant_is_the_model_and_the_receipt_names_it(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "b", b"GGUF")
    with Runtime(bundle=bundle.folder, offline=True) as runtime:
        runtime.index.add([HANDBOOK])
        reply = runtime.ask(QUESTION)
        assert Path(runtime.parts.settings.model) == bundle.folder / GGUF
    used = reply.receipt.bundle
    assert used is not None
    assert (used.name, used.digest, used.variant) == ("small", bundle.digest, "gguf-q4_1")


def test_its_policy_is_laid_over_the_default_one(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "b", b"GGUF", STRICT)
    with Runtime(bundle=bundle.folder) as runtime:
        assert runtime.parts.policy.version == "strict"
    (tmp_path / "own.toml").write_text('version = "own"\n')
    with Runtime(bundle=bundle.folder, policy=tmp_path / "own.toml") as runtime:
        assert runtime.parts.policy.version == "own"


@pytest.mark.parametrize("path", [GGUF, POLICY])
def test_a_changed_file_is_refused(path: str, tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "b", b"GGUF one", STRICT)
    data = (bundle.folder / path).read_bytes()
    (bundle.folder / path).write_bytes(data[:-1] + b" ")
    with pytest.raises(BundleRefused, match="another digest") as caught:
        Runtime(bundle=bundle.folder)
    assert caught.value.hint


def test_a_bundle_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BundleRefused, match="no bundle"):
        Runtime(bundle=tmp_path)
    bundle = make_bundle(tmp_path / "b", b"GGUF")
    (bundle.folder / "extra.so").touch()
    with pytest.raises(BundleRefused, match="extra"):
        Runtime(bundle=bundle.folder)


def test_a_bundle_with_nothing_for_this_machine_is_refused(tmp_path: Path) -> None:
    made = make_bundle(tmp_path / "b", b"GGUF")
    (model,) = made.manifest.models
    huge = msgspec.structs.replace(
        model, shape=msgspec.structs.replace(model.shape, kv_values=1 << 40)
    )
    manifest = msgspec.structs.replace(made.manifest, models=(huge,))
    other = write_bundle(manifest, {GGUF: made.path(GGUF)}, tmp_path / "huge")
    with pytest.raises(BundleRefused, match="gguf-q4_1: it needs"):
        Runtime(bundle=other.folder)


def test_a_model_beside_a_bundle_is_refused(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "b", b"GGUF")
    with pytest.raises(ConfigError, match="both"):
        Runtime(bundle=bundle.folder, model="other")


def test_settings_of_a_runtime_make_another(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "b", b"GGUF", STRICT)
    with Runtime(bundle=bundle.folder) as first, Runtime(first.parts.settings) as second:
        assert second.parts.settings == first.parts.settings
        assert second.parts.bundled == first.parts.bundled


def test_no_bundle_is_no_bundle(tmp_path: Path) -> None:
    with Runtime(offline=True) as runtime:
        assert runtime.parts.bundled is None


@pytest.mark.model
def test_the_model_of_a_bundle_writes(tmp_path: Path) -> None:
    default = installed_default()
    assert default is not None
    bundle = make_bundle(tmp_path / "b", default.path)
    with Runtime(bundle=bundle.folder, offline=True, context_tokens=512) as runtime:
        with runtime.parts.engine() as engine:
            assert engine.info.name == "gguf-q4_1"
            assert engine.info.digest == bundle.manifest.file(GGUF).sha256
        # an answer in a form needs no documents, and comes of the model
        reply = runtime.ask("Say yes or no.", grammar='root ::= "yes" | "no"')
    assert reply.receipt.bundle is not None
