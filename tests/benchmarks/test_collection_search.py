"""The benchmark of cloud collections reports what it says it does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks import collection_search
from skerry.cloud.collections.nearest import Searcher
from skerry.cloud.collections.wire import search_of
from skerry.cloud.gateway.state import opened


def test_what_is_published_is_found(tmp_path: Path) -> None:
    vectors = np.random.default_rng(3).standard_normal((600, 384)).astype(np.float32)
    state = opened("bench.db", tmp_path)
    collection_search.publish(state.collections, vectors)
    searcher = Searcher(state.collections)
    for row in (0, 300, 599):
        asked = search_of(collection_search.ENCODER, vectors[row], 1)
        (found,) = searcher.search(collection_search.NAME, asked).found
        assert found.passage.text == str(row)
    state.close()


@pytest.mark.slow
def test_the_figures() -> None:
    pytest.importorskip("faiss")
    from benchmarks.contract import Options

    figures = collection_search.run(Options(quick=True))
    assert tuple(figures) == collection_search.KEYS
    assert figures["recall_at_10"].value > 0.98
