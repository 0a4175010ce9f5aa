"""A runtime runs every part of a bundle, says what came from where, and refuses misfits."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import pytest

from skerry.bundles import Bundle, Tokenizer
from skerry.bundles.gguf.keys import tokenizer_digest
from skerry.edge import Runtime
from skerry.edge.bundled.stamps import Stamps
from skerry.edge.encoder import read_manifest
from skerry.edge.engines.models import installed_default
from skerry.edge.errors import BundleRefused, EmbedderMismatch, EncoderError
from skerry.edge.policy.load import DEFAULTS
from skerry.edge.split.drafting import BUILT_IN
from skerry.guardrails.errors import GuardrailError
from skerry.guardrails.networks import INSTALLED
from tests.edge import bundling
from tests.edge.bundling import (
    DEFAULT_POLICY,
    ENCODER,
    GGUF,
    GROUNDED,
    INJECTION,
    NAMES,
    ROUTER,
    SAFETY,
    gguf_of,
    installed,
    make,
    resealed,
    router_of,
)

HANDBOOK = Path(__file__).parents[2] / "edge" / "demo" / "handbook"
QUESTION = "How often is the emergency trolley checked?"
DRAFT, OTHER_ENCODER = "parts/draft/draft.gguf", "parts/encoder/other/encoder.json"


@pytest.fixture(autouse=True)
def own_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home"))


def alarmed() -> bytes:
    """A safety classifier to which every sentence is a sign of danger."""
    return resealed(SAFETY, lambda said: said["levels"].update(dict.fromkeys(said["levels"], -99)))


def renamed_encoder() -> tuple[bytes, bytes]:
    """The encoder under another name, so another encoder; and a router of it."""
    manifest = resealed(ENCODER, lambda said: said.update(name="other"))
    named = read_manifest(installed(ENCODER).parent).id
    return manifest, router_of(f"other@{named.partition('@')[2]}")


def origins(runtime: Runtime) -> dict[str, str]:
    used = runtime.parts.bundle_used
    assert used is not None
    return {one.name: one.origin for one in used.parts}


def test_the_receipt_says_what_came_from_the_bundle(tmp_path: Path) -> None:
    bundle = make(tmp_path / "b")
    with Runtime(bundle=bundle.folder, offline=True) as runtime:
        runtime.index.add([HANDBOOK])
        used = runtime.ask(QUESTION).receipt.bundle
    assert used is not None
    told = {one.name: one for one in used.parts}
    assert {one.origin for name, one in told.items() if name != "open prompt"} == {"bundle"}
    assert told["open prompt"].origin == "installed"
    for name, path in (("encoder", ENCODER), ("router", ROUTER), ("safety", SAFETY)):
        assert told[name].digest == bundle.manifest.file(path).sha256
    assert told["grounded prompt"].digest == sha256(b"Answer from the sources.").hexdigest()


def test_what_it_does_not_carry_is_installed(tmp_path: Path) -> None:
    carried = [part.path for part in bundling._folders(bundling.Own())]
    bundle = make(tmp_path / "b", dict.fromkeys([*carried, GROUNDED, DEFAULT_POLICY]))
    with Runtime(bundle=bundle.folder) as runtime:
        assert set(origins(runtime).values()) == {"installed"}
        assert runtime.parts.networks is INSTALLED
    (tmp_path / "own.toml").write_text('version = "own"\n')
    with Runtime(bundle=bundle.folder, policy=tmp_path / "own.toml") as runtime:
        assert origins(runtime)["policy"] == "settings"


def test_its_texts_are_what_models_are_told(tmp_path: Path) -> None:
    bundle = make(tmp_path / "b")
    with Runtime(bundle=bundle.folder) as runtime:
        assert runtime.parts.prompts.grounded == "Answer from the sources."
        assert runtime.parts.prompts.open.startswith("You are")


def test_its_default_policy_is_below_others(tmp_path: Path) -> None:
    stricter = DEFAULTS.read_text().replace("[injection]\nscore = 0.8", "[injection]\nscore = 0.5")
    assert stricter != DEFAULTS.read_text()
    bundle = make(tmp_path / "b", {DEFAULT_POLICY: stricter.encode()})
    (tmp_path / "own.toml").write_text('version = "own"\n')
    with Runtime(bundle=bundle.folder, policy=tmp_path / "own.toml") as runtime:
        policy = runtime.parts.policy
    assert (policy.version, policy.injection.score) == ("own", 0.5)


def test_two_bundles_at_once_screen_by_their_own_networks(tmp_path: Path) -> None:
    quiet, loud = make(tmp_path / "quiet"), make(tmp_path / "loud", {SAFETY: alarmed()})
    with (
        Runtime(bundle=quiet.folder, offline=True) as first,
        Runtime(bundle=loud.folder, offline=True) as second,
    ):
        first.index.add([HANDBOOK])
        calm, alarm = first.ask(QUESTION), second.ask(QUESTION)
        again = first.ask(QUESTION)
    danger = [one for one in alarm.receipt.findings if one.rule == "network:safety"]
    assert danger
    assert not [one for one in calm.receipt.findings if one.rule == "network:safety"]
    assert again.text == calm.text != alarm.text


def test_the_same_networks_are_loaded_once(tmp_path: Path) -> None:
    with Runtime(bundle=make(tmp_path / "b").folder) as runtime:
        assert runtime.parts.networks is INSTALLED


def test_an_index_of_another_encoder_says_how_to_go_on(tmp_path: Path) -> None:
    manifest, router = renamed_encoder()
    bundle = make(tmp_path / "b", {ENCODER: manifest, ROUTER: router})
    with Runtime(offline=True) as plain:
        plain.index.add([HANDBOOK])
    with Runtime(bundle=bundle.folder, offline=True) as runtime:
        with pytest.raises(EmbedderMismatch, match="other@") as caught:
            runtime.ask(QUESTION)
        assert f"reembed --bundle {bundle.folder}" in caught.value.hint
        assert runtime.parts.encoder.id.startswith("other@")


@dataclass(frozen=True)
class Misfit:
    name: str
    changes: Callable[[], dict[str, bytes | Path | None]]
    says: str


MISFITS = [
    Misfit("a router of another encoder", lambda: {ROUTER: router_of("other@1")}, "trained on"),
    Misfit("another encoder", lambda: {ENCODER: renamed_encoder()[0]}, "trained on"),
    Misfit("another encoder, no router", lambda: {ENCODER: renamed_encoder()[0], ROUTER: None},
           "the installed router was trained on"),
    Misfit("two encoders", lambda: {OTHER_ENCODER: installed(ENCODER)}, "2 encoders"),
    Misfit("no router at all", lambda: {ROUTER: b"no"}, "router"),
    Misfit("heads without their table",
           lambda: {"parts/guardrails/wording/table.json": None,
                    "parts/guardrails/wording/table.npz": None,
                    "parts/guardrails/wording/card.md": None}, "belong together|without wording"),
    Misfit("a draft model of other tokens",
           lambda: {GGUF: gguf_of(["a", "b"]), DRAFT: gguf_of(["a", "c"])}, "other tokens"),
    Misfit("a draft model that is none", lambda: {DRAFT: b"GGUF"}, "cut off"),
]  # fmt: skip


@pytest.mark.parametrize("case", MISFITS, ids=lambda case: case.name)
def test_parts_that_do_not_fit_together_are_refused(case: Misfit, tmp_path: Path) -> None:
    bundle = make(tmp_path / "b", case.changes())
    with pytest.raises(BundleRefused, match=case.says) as caught:
        Runtime(bundle=bundle.folder)
    assert caught.value.hint


def test_a_tokenizer_that_is_not_the_models_is_refused(tmp_path: Path) -> None:
    model, whose = tmp_path / "m.gguf", tmp_path / "other.gguf"
    model.write_bytes(gguf_of(["a", "b"]))
    whose.write_bytes(gguf_of(["b", "a"]))
    same = Tokenizer(sha256=tokenizer_digest(model), vocabulary=2)
    other = Tokenizer(sha256=tokenizer_digest(whose), vocabulary=2)
    Runtime(bundle=make(tmp_path / "same", {GGUF: model}, tokenizer=same).folder).close()
    bundle = make(tmp_path / "other", {GGUF: model}, tokenizer=other)
    with pytest.raises(BundleRefused, match="tokenizer"):
        Runtime(bundle=bundle.folder)


def test_a_draft_model_of_the_same_tokens_is_taken(tmp_path: Path) -> None:
    bundle = make(tmp_path / "b", {GGUF: gguf_of(["a", "b"]), DRAFT: gguf_of(["a", "b"])})
    with Runtime(bundle=bundle.folder) as runtime:
        bundled = runtime.parts.bundled
    assert bundled is not None
    assert bundled.draft == bundle.folder / DRAFT


@pytest.mark.parametrize(
    "path",
    [
        "parts/encoder/minilm-l6-int8/model.onnx",
        ROUTER,
        "parts/guardrails/names/tokenizer.json",
        "parts/guardrails/grounding/model.onnx",
        "parts/guardrails/wording/table.npz",
        GROUNDED,
        DEFAULT_POLICY,
    ],
)
def test_a_changed_part_is_refused(path: str, tmp_path: Path) -> None:
    bundle = make(tmp_path / "b")
    flip(bundle.folder / path)
    with pytest.raises(BundleRefused, match="another digest"):
        Runtime(bundle=bundle.folder)


def flip(path: Path) -> None:
    """Changes one byte and nothing else."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def swap(bundle: Bundle, *, path: str, to: bytes) -> None:
    """Puts another file in the place of one, as whoever may write in the folder can."""
    aside = bundle.folder.with_name("aside")
    aside.write_bytes(to)
    aside.replace(bundle.folder / path)


def test_a_network_that_is_swapped_after_it_was_compared_is_not_loaded(tmp_path: Path) -> None:
    """The other manifest is sealed, and has the digests of the files beside it."""
    bundle = make(tmp_path / "b", {SAFETY: alarmed()})
    with Runtime(bundle=bundle.folder, offline=True) as runtime:
        assert runtime.parts.networks is not INSTALLED
        for path in (NAMES, INJECTION):
            swap(bundle, path=path, to=resealed(path, lambda said: said.update(name="x")))
        with pytest.raises(GuardrailError, match="not the bundle's") as caught:
            runtime.parts.networks.names()
        assert "bundle" in caught.value.hint
        with pytest.raises(GuardrailError, match="not the bundle's"):
            runtime.ask(QUESTION)  # what cannot be screened does not pass


def test_an_encoder_or_text_that_is_swapped_after_it_was_compared_is_not_used(
    tmp_path: Path,
) -> None:
    bundle = make(tmp_path / "b")
    with Runtime(bundle=bundle.folder, offline=True) as runtime:
        swap(bundle, path=ENCODER, to=resealed(ENCODER, lambda said: said.update(max_tokens=9)))
        swap(bundle, path=GROUNDED, to=b"Say what you like.")
        swap(bundle, path=DEFAULT_POLICY, to=DEFAULTS.read_bytes() + b"\n")
        with pytest.raises(EncoderError, match="not the bundle's"):
            runtime.ask(QUESTION)
        with pytest.raises(BundleRefused, match="was changed"):
            _ = runtime.parts.prompts
        with pytest.raises(BundleRefused, match="was changed"):
            _ = runtime.parts.policy


def test_a_model_that_is_swapped_is_seen(tmp_path: Path) -> None:
    bundle = make(tmp_path / "b")
    with Runtime(bundle=bundle.folder) as runtime:
        bundled = runtime.parts.bundled
        assert bundled is not None
        bundled.check_unchanged()
        swap(bundle, path=GGUF, to=b"GGUX")
        with pytest.raises(BundleRefused, match="while the bundle was in use"):
            bundled.check_unchanged()


def test_stamps_see_what_sets_the_time_back(tmp_path: Path) -> None:
    import os

    file = tmp_path / "f"
    file.write_bytes(b"one")
    was = file.stat()
    stamps = Stamps.of([file])
    assert stamps.changed() is None
    file.write_bytes(b"two")
    os.utime(file, ns=(was.st_atime_ns, was.st_mtime_ns))
    assert stamps.changed() == file
    file.unlink()
    assert stamps.changed() == file


def test_a_bundle_that_is_removed_while_it_runs(tmp_path: Path) -> None:
    """What is loaded goes on; what is not says what is missing, and nothing passes unchecked."""
    bundle = make(tmp_path / "b")
    with Runtime(bundle=bundle.folder, offline=True) as runtime:
        runtime.index.add([HANDBOOK])
        first = runtime.ask(QUESTION)
        shutil.rmtree(bundle.folder)
        assert runtime.ask(QUESTION).text == first.text
    with pytest.raises(BundleRefused, match="no bundle"):
        Runtime(bundle=bundle.folder)


@pytest.mark.parametrize("form", ["relative", "home", "link"])
def test_other_ways_to_name_its_folder(
    form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = make(tmp_path / "b")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "link").symlink_to("b")
    with Runtime(bundle={"relative": "b", "home": "~/b", "link": "link"}[form]) as runtime:
        monkeypatch.chdir("/")
        bundled = runtime.parts.bundled
        assert bundled is not None
        assert bundled.model == bundle.folder / GGUF
        assert runtime.parts.router


@pytest.mark.model
def test_the_model_is_loaded_with_the_bundles_template_and_no_swapped_file(tmp_path: Path) -> None:
    default = installed_default()
    assert default is not None
    template = b"{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}!"
    parts = {GGUF: default.path, "parts/prompt/chat_template.jinja": template, DRAFT: BUILT_IN}
    bundle = make(tmp_path / "b", parts)
    with (
        Runtime(bundle=bundle.folder, context_tokens=512) as runtime,
        runtime.parts.engine() as engine,
    ):
        assert engine.render([{"role": "user", "content": "hi"}]) == "<user>hi!"
    with Runtime(bundle=bundle.folder, context_tokens=512) as runtime:
        swap(bundle, path=GGUF, to=default.path.read_bytes())
        with pytest.raises(BundleRefused, match="in use"), runtime.parts.engine():
            pass
