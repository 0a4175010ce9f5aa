"""The folder of a variant: whole or not there, and checked when it is opened."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from skerry.device_profiles.profile import Format
from skerry.export.errors import OutputFailed, Unsupported
from skerry.export.exporter import Kind
from skerry.export.formats.folder import MANIFEST, making, open_made, write_manifest

FACTS = {
    "format": "onnx", "kind": "llm", "precision": "int4", "notes": ["a note"], "facts": {"a": 1},
}  # fmt: skip


@pytest.fixture
def made(tmp_path: Path) -> Path:
    out = tmp_path / "out"
    with making(out) as work:
        model = work / "model"
        (model / "deep").mkdir(parents=True)
        (model / "deep" / "weights").write_bytes(b"12345")
        write_manifest(model, FACTS)
    return out


def test_what_was_made_is_opened(made: Path) -> None:
    found = open_made(made, Format.ONNX, Kind.LLM)
    assert found.files == (Path(MANIFEST), Path("deep/weights"))
    assert (found.precision, found.notes, found.facts) == ("int4", ("a note",), {"a": 1})
    assert [path.name for path in made.parent.iterdir()] == ["out"]


def test_another_format_is_named(made: Path) -> None:
    with pytest.raises(Unsupported, match=r"onnx \(llm\), not coreml \(encoder\)"):
        open_made(made, Format.COREML, Kind.ENCODER)


def change(text: str) -> Callable[[Path], object]:
    return lambda folder: (folder / MANIFEST).write_text(text)


def rewrite(**changed: object) -> Callable[[Path], object]:
    def apply(folder: Path) -> None:
        document = json.loads((folder / MANIFEST).read_text())
        (folder / MANIFEST).write_text(json.dumps({**document, **changed}))

    return apply


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: (folder / "deep/weights").write_bytes(b"12346"),
        lambda folder: (folder / "deep/weights").write_bytes(b"1234"),
        lambda folder: (folder / "deep/weights").unlink(),
        lambda folder: (folder / MANIFEST).unlink(),
        change(""),
        change("[]"),
        change("[" * 100_000),
        change("{}"),
        rewrite(files=[]),
        rewrite(files={"deep": {}}),
        rewrite(files={"../../outside": {}}),
        rewrite(files={"/etc/passwd": {}}),
    ],
)
def test_damage_is_found(damage: Callable[[Path], object], made: Path) -> None:
    damage(made)
    with pytest.raises(OutputFailed):
        open_made(made, Format.ONNX, Kind.LLM)


def test_a_failure_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), making(tmp_path / "out") as work:  # noqa: PT012
        (work / "model").mkdir()
        raise ZeroDivisionError
    assert not list(tmp_path.iterdir())


def test_a_full_disk_is_said(tmp_path: Path) -> None:
    with pytest.raises(OutputFailed, match="No space left") as caught, making(tmp_path / "out"):
        Path("/dev/full").write_bytes(b"x")
    assert caught.value.hint


def test_a_kill_leaves_nothing_with_the_name(tmp_path: Path) -> None:
    script = (
        "import os, signal, sys; from pathlib import Path\n"
        "from skerry.export.formats.folder import making\n"
        "with making(Path(sys.argv[1])) as work:\n"
        "    (work / 'model').mkdir(); (work / 'model' / 'half').write_text('half')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    out = tmp_path / "out"
    done = subprocess.run([sys.executable, "-c", script, str(out)], check=False, env=os.environ)
    assert done.returncode == -signal.SIGKILL
    assert not out.exists()


def test_no_place(tmp_path: Path) -> None:
    with pytest.raises(OutputFailed, match="there is no folder"), making(tmp_path / "a" / "b"):
        pass
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    with pytest.raises(OutputFailed, match="exists"), making(tmp_path / "link"):
        pass
