"""Export, load by a real runtime, compare with the source. Where the tools are, on small models."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from skerry.export.encoder.build import own_texts
from skerry.export.errors import OutputFailed
from skerry.export.exporter import Kind, Loaded, LoadedEncoder, LoadedLlm
from skerry.export.formats.parity import compare_encoder, compare_llm
from skerry.export.genai.measure import TEXTS
from tests.export.conformance.cases import EVERY_EXPORTER, EVERY_ROW, Row

pytestmark = pytest.mark.slow

Source = Callable[[Kind], Path]
Reference = Callable[[Kind], Loaded]
_KILLED = """
import os, signal, sys
from pathlib import Path
from skerry.export.formats.registry import find
from skerry.export.exporter import Kind
from skerry.device_profiles.profile import Format

def progress(what, done):
    if done > 0:
        os.kill(os.getpid(), signal.SIGKILL)

source, format_, kind, precision, out = sys.argv[1:]
exporter = find(Format(format_), Kind(kind))
exporter.export(Path(source), precision, Path(out), progress=progress)
"""


@EVERY_ROW
def test_parity(row: Row, real_source: Source, reference: Reference, tmp_path: Path) -> None:
    exporter = row.exporter_here()
    source = real_source(row.kind)
    told: list[float] = []
    out = tmp_path / "out"
    made = exporter.export(source, row.precision, out, progress=lambda _, done: told.append(done))
    assert told == sorted(told)
    assert told[-1] == 1.0
    assert (made.format, made.precision, made.folder) == (row.format, row.precision, out)
    assert made.files
    assert all((out / file).is_file() for file in made.files)
    assert [path.name for path in tmp_path.iterdir()] == ["out"], "something was left beside it"
    why_not = exporter.runs_here()
    if why_not is not None:
        pytest.skip(f"made, but it cannot run here: {why_not}")
    _compare(row, exporter.load(out), reference(row.kind))
    _damage(max((out / file for file in made.files), key=lambda file: file.stat().st_size))
    with pytest.raises(OutputFailed):
        exporter.load(out)


@EVERY_EXPORTER
def test_stopped_half_way(row: Row, real_source: Source, tmp_path: Path) -> None:
    exporter = row.exporter_here()

    def stop(_what: str, done: float) -> None:
        if done > 0:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        exporter.export(real_source(row.kind), row.precision, tmp_path / "out", progress=stop)
    assert not list(tmp_path.iterdir())


@EVERY_EXPORTER
def test_killed_half_way(row: Row, real_source: Source, tmp_path: Path) -> None:
    row.exporter_here()
    out = tmp_path / "out"
    given = (str(real_source(row.kind)), row.format, row.kind, row.precision, str(out))
    done = subprocess.run([sys.executable, "-c", _KILLED, *given], check=False, env=os.environ)
    assert done.returncode == -signal.SIGKILL
    assert not out.exists()
    assert not list(tmp_path.glob("[!.]*")), "a half-made folder is hidden"


def _compare(row: Row, export: Loaded, source: Loaded) -> None:
    if row.kind is Kind.LLM:
        assert isinstance(export, LoadedLlm)
        assert isinstance(source, LoadedLlm)
        cost = compare_llm(export, source, TEXTS.read_text("utf-8"), most=96)
        assert cost.kl_mean_nats <= row.worst
    else:
        assert isinstance(export, LoadedEncoder)
        assert isinstance(source, LoadedEncoder)
        encoder = compare_encoder(export, source, own_texts()[1::2])
        assert encoder.cosine_mean >= row.worst
        assert export.encode([]).shape[0] == 0
    export.close()


def _damage(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 0xFF
    file.write_bytes(content)
