"""A draft model with fewer tokens than its target: its maps, and what is wrong with them."""

from __future__ import annotations

import base64
import zlib

import numpy as np
import pytest

from skerry.bundles.gguf.draft_tokens import DraftTokens, all_of, draft_tokens
from skerry.bundles.gguf.errors import GgufInvalid

SAID = np.array([0, 2, 3, 7], np.int32)
READ_AS = np.array([0, 1, 1, 2, 3, 0, 2, 3], np.int32)
MAPS = DraftTokens(SAID, READ_AS, b"\x01\x02")


def packed(ids: list[int]) -> str:
    return base64.b64encode(zlib.compress(np.array(ids, "<i4").tobytes())).decode()


def test_they_are_read_back_from_the_files_facts() -> None:
    made = draft_tokens({"general.name": "x", **MAPS.facts()}, 4)
    assert made is not None
    assert made.said.tolist() == SAID.tolist()
    assert made.read_as.tolist() == READ_AS.tolist()
    assert made.vocabulary == MAPS.vocabulary


def test_a_model_without_maps_has_all_tokens_of_its_target() -> None:
    assert draft_tokens({"general.name": "x"}, 4) is None
    every = all_of(3, b"v")
    assert every.read_as.take([0, 2]).tolist() == [0, 2]
    assert every.widened(np.array([3, 1, 2], np.float32)).tolist() == [3, 1, 2]


def test_what_it_never_says_has_no_odds() -> None:
    row = MAPS.widened(np.array([1, 5, 3, 2], np.float32))
    assert row.argmax() == 2
    assert [one for one in range(8) if np.isneginf(row[one])] == [1, 4, 5, 6]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("said", "no base64!"),
        ("said", base64.b64encode(b"not deflated").decode()),
        ("said", MAPS.facts()["skerry.draft.said"][:8]),
        ("said", packed([0, 2, 3])),
        ("said", packed([0, 3, 2, 7])),
        ("said", packed([-1, 2, 3, 7])),
        ("said", packed([0, 2, 3, 8])),
        ("said", base64.b64encode(zlib.compress(bytes(2**23))).decode()),
        ("read_as", packed([0, 1, 1, 2, 3, 0, 2, 4])),
        ("read_as", packed([0, 1, 1, 2, 3, 0, -2, 3])),
        ("read_as", packed([0, 1, 1, 1, 3, 0, 2, 3])),
        ("read_as", packed([])),
        ("read_as", 7),
        ("read_as", None),
        ("vocabulary", "no hex"),
        ("vocabulary", None),
    ],
)
def test_damaged_maps_are_refused(key: str, value: object) -> None:
    facts: dict[str, object] = {**MAPS.facts(), f"skerry.draft.{key}": value}
    if value is None:
        del facts[f"skerry.draft.{key}"]
    with pytest.raises(GgufInvalid, match="token maps"):
        draft_tokens(facts, 4)
