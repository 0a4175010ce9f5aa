"""The arithmetic of divergences, the held text, and what is kept of a source."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from skerry.export.errors import OutputFailed, SourceRefused
from skerry.export.exporter import Kind, Logits
from skerry.export.measure import source_cache
from skerry.export.measure.divergence import BLOCK_ROWS, compare, log_softmax, summed
from skerry.export.measure.encoding import encoding
from skerry.export.measure.errors import MeasureFailed
from skerry.export.measure.held_text import WINDOW_TOKENS, Stretch, held_texts, stretches
from skerry.export.measure.source_model import load_source, source_digest

ROOT = Path(__file__).parents[3]
ROWS = BLOCK_ROWS * 2 + 5


class Guesses:
    """A model whose scores are drawn once: by the number of tokens."""

    def tokenize(self, text: str) -> list[int]:
        return [ord(one) % 50 for one in text]

    def logits(self, ids: Sequence[int]) -> Logits:
        drawn = np.random.default_rng(len(ids)).normal(0, 3, (len(ids), 50))
        return drawn.astype(np.float32)

    def close(self) -> None:
        pass


def _drawn(seed: int, shape: tuple[int, int] = (ROWS, 40)) -> Logits:
    return np.random.default_rng(seed).normal(0, 2, shape).astype(np.float32)


def test_divergence_is_that_of_the_definition() -> None:
    source, variant = _drawn(1), _drawn(2)
    stretch = Stretch("drawn", tuple(np.random.default_rng(3).integers(0, 40, ROWS).tolist()))
    found = summed([compare(stretch, source, variant)])
    p = np.exp(source) / np.exp(source).sum(1, keepdims=True)
    q = np.exp(variant) / np.exp(variant).sum(1, keepdims=True)
    kl = (p * np.log(p / q)).sum(1)
    following = np.log(q)[np.arange(ROWS - 1), list(stretch.ids[1:])]
    assert found.kl_mean == pytest.approx(kl.mean(), rel=1e-5)
    assert found.kl_p99 == pytest.approx(np.quantile(kl, 0.99), rel=1e-5)
    assert found.perplexity == pytest.approx(np.exp(-following.mean()), rel=1e-5)
    assert found.top1_agreement == pytest.approx((p.argmax(1) == q.argmax(1)).mean())
    assert found.windows[0].tokens == found.tokens == ROWS


def test_the_same_scores_do_not_diverge_whatever_is_added_to_a_row() -> None:
    source = _drawn(1)
    found = compare(Stretch("same", (0,) * ROWS), source, source + 7)
    assert np.abs(found.kl).max() < 1e-9
    assert found.same_top.all()


def test_a_padded_vocabulary_is_cut() -> None:
    source = _drawn(1)
    padded = np.concatenate([source, np.full((ROWS, 8), -9, np.float32)], axis=1)
    assert np.abs(compare(Stretch("padded", (0,) * ROWS), source, padded).kl).max() < 1e-9


def test_scores_that_are_no_numbers_are_an_error() -> None:
    with pytest.raises(MeasureFailed, match="not numbers"):
        log_softmax(np.full((2, 3), np.nan, np.float32))


def test_held_text_is_cut_into_windows() -> None:
    found = stretches(Guesses().tokenize)
    assert {one.text for one in found} == set(held_texts())
    assert all(32 <= len(one.ids) <= WINDOW_TOKENS for one in found)


def test_no_held_text_is_trained_or_calibrated_on() -> None:
    words = " ".join(" ".join(held_texts().values()).split()).lower().split()
    held = {" ".join(words[start : start + 8]) for start in range(len(words) - 7)}
    folders = [ROOT / "export", ROOT / "guardrails", ROOT / "edge"]
    for path in (one for folder in folders for one in folder.rglob("*.txt")):
        if "measure" in path.parts:
            continue
        others = re.sub(r"\s+", " ", path.read_text("utf-8", errors="replace")).lower().split()
        shared = {" ".join(others[start : start + 8]) for start in range(len(others) - 7)} & held
        assert not shared, path


def test_scores_are_kept_and_read_back(tmp_path: Path) -> None:
    folder = source_cache.place(tmp_path, "digest", Kind.LLM)
    assert source_cache.read_scores(folder) is None
    model = Guesses()
    source_cache.write_scores(folder, model)
    scores = source_cache.read_scores(folder)
    assert scores is not None
    parts = [
        compare(one, rows, model.logits(one.ids))
        for one, rows in zip(scores.stretches, scores.rows(), strict=True)
    ]
    assert summed(parts).kl_mean < 1e-6
    assert list(folder.parent.iterdir()) == [folder]


def test_scores_that_were_cut_off_do_not_count(tmp_path: Path) -> None:
    source_cache.write_scores(tmp_path / "kept", Guesses())
    with (tmp_path / "kept" / "scores.f16").open("r+b") as file:
        file.truncate(100)
    assert source_cache.read_scores(tmp_path / "kept") is None


def test_a_source_that_fails_leaves_nothing(tmp_path: Path) -> None:
    class Broken(Guesses):
        def logits(self, ids: Sequence[int]) -> Logits:
            raise OSError(28, "No space left on device")

    with pytest.raises(OutputFailed, match="No space left"):
        source_cache.write_scores(tmp_path / "kept", Broken())
    assert not list(tmp_path.iterdir())


def test_only_the_last_sources_are_kept(tmp_path: Path) -> None:
    for number in range(5):
        folder = source_cache.place(tmp_path, f"{number}", Kind.ENCODER)
        source_cache.write_vectors(folder, np.eye(3, dtype=np.float32))
    source_cache.forget_old(tmp_path, kept=2)
    assert len(list((tmp_path / "source").iterdir())) == 2


def test_sources_are_told_apart_by_their_bytes(tmp_path: Path) -> None:
    one, other = tmp_path / "a.gguf", tmp_path / "b.gguf"
    one.write_bytes(b"GGUF1")
    other.write_bytes(b"GGUF2")
    assert source_digest(one) != source_digest(other)


@pytest.mark.parametrize("name", ["missing", "model.bin"])
def test_what_is_no_source_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "model.bin").write_bytes(b"pickle")
    with pytest.raises(SourceRefused):
        load_source(tmp_path / name, Kind.LLM)
    with pytest.raises(SourceRefused):
        source_digest(tmp_path / name)


def test_vectors_are_compared_text_by_text() -> None:
    drawn = np.random.default_rng(1).normal(size=(60, 16)).astype(np.float32)
    drawn /= np.linalg.norm(drawn, axis=1, keepdims=True)
    same = encoding(drawn, drawn)
    assert (same.nn_agreement, same.top10_overlap) == (1.0, 1.0)
    assert same.cosine_p1 == pytest.approx(1.0)
    turned = encoding(np.roll(drawn, 1, axis=0), drawn)
    assert turned.cosine_p1 < turned.cosine_mean < 0.5
    with pytest.raises(MeasureFailed, match="not numbers"):
        encoding(np.full_like(drawn, np.nan), drawn)
    with pytest.raises(MeasureFailed, match="vectors are"):
        encoding(drawn[:, :8], drawn)
