"""Plain streaming and drafts compared, over real sockets with a simulated target."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from skerry.cloud.hints.choice import Sampling as Choices
from skerry.cloud.simulate.conditions import Conditions, Fault, FaultKind
from skerry.cloud.simulate.link import linked
from skerry.edge.device import device_state
from skerry.edge.engines.base import Message, Sampling
from skerry.edge.errors import CloudRefused, CloudUnavailable
from skerry.edge.escalate.options import Secret
from skerry.edge.split.bench import Comparison, Summary, compare, round_trip_ms
from skerry.edge.split.drafting import Drafting
from skerry.edge.split.lookup import PromptLookup
from skerry.edge.split.options import SplitOptions
from skerry.edge.split.tier import SplitTier
from tests.cloud.serving import KEY, served
from tests.cloud.simulated import VOCABULARY, SimulatedVerifier, alone
from tests.cloud.talking import TalkingVerifier

PROMPT = (3, 1, 4, 1, 5)
SAMPLING = Sampling(temperature=1.0, seed=8)
MESSAGES: list[Message] = [{"role": "user", "content": "anything"}]


class Letters:
    """Tells tokens as an engine does: a letter each."""

    def prompt_tokens(self, messages: Sequence[Message]) -> list[int]:
        return list(PROMPT)

    def piece(self, token: int) -> bytes:
        return bytes([ord("a") + token])

    def vocabulary_digest(self) -> bytes:
        return VOCABULARY

    @property
    def info(self) -> SimpleNamespace:
        """No room to go on alone."""
        return SimpleNamespace(context_tokens=0)


@pytest.fixture(scope="module")
def verifier() -> SimulatedVerifier:
    return SimulatedVerifier()


@pytest.fixture(scope="module")
def url(verifier: SimulatedVerifier) -> Iterator[str]:
    with served(verifier) as url:
        yield url


def tier(url: str, drafters: Any = PromptLookup, key: str = KEY) -> SplitTier:
    options = SplitOptions(base_url=url, api_key=Secret(key))
    return SplitTier(options, lambda: nullcontext(Letters()), lambda _: drafters())  # type: ignore[arg-type, return-value]


def test_both_say_what_the_target_says(url: str, verifier: SimulatedVerifier) -> None:
    verifier.opened.clear()
    found = compare(tier(url), MESSAGES, SAMPLING, max_tokens=30, deadline_s=20)
    said = alone(PROMPT, Choices(temperature=1.0, seed=8), 30)
    assert found.same
    assert found.plain.text == "".join(chr(ord("a") + token) for token in said)
    assert found.plain.report.passes == found.plain.report.tokens == len(said)
    assert found.plain.report.drafted == 0
    assert found.split.report.passes <= len(said)
    assert found.split.data > 0
    warm, plain, split = verifier.opened
    assert len(warm.looked) == 1
    assert len(plain.looked) == len(said)
    assert len(split.looked) == found.split.report.passes


def test_a_summary_is_of_the_sums(url: str) -> None:
    found = compare(tier(url), MESSAGES, SAMPLING, max_tokens=30, deadline_s=20)
    both = Summary.of([found, Comparison(found.split, found.plain)])
    assert both.speedup == pytest.approx(1)
    assert both.same == 1
    tokens = found.split.report.tokens
    passes = found.split.report.passes + found.plain.report.passes
    assert both.passes_per_token == pytest.approx(passes / (2 * tokens))
    assert Summary.of([Comparison(found.plain, found.plain)]).acceptance is None


def test_what_the_device_said_alone_is_not_compared(url: str) -> None:
    gone = Fault(kind=FaultKind.FLAP, after_bytes=350)
    with (
        linked(url, None, [gone]) as far,
        # a reset may take with it what was not read yet
        pytest.raises(CloudUnavailable, match=r"nothing to compare|closed the connection"),
    ):
        compare(tier(far), MESSAGES, SAMPLING, max_tokens=100, deadline_s=3)


def test_what_is_streamed_for_its_other_tokens_is_not_compared() -> None:
    verifier = TalkingVerifier()
    with served(verifier) as url, pytest.raises(CloudRefused, match="other tokens") as refused:
        compare(tier(url), MESSAGES, SAMPLING, max_tokens=30, deadline_s=20)
    assert "nothing to compare" in refused.value.what
    (asked,) = verifier.opened
    assert len(asked.looked) == 1, "no more than it takes to find out"


def test_a_draft_model_is_not_asked_where_nothing_is_drafted() -> None:
    drafting = Drafting(Path("none.gguf"), threads=1, state=device_state, wanted=True)
    plain = tier("http://127.0.0.1:9").preview(MESSAGES, sampling=SAMPLING, max_tokens=9)
    plain = replace(plain, opening=msgspec.structs.replace(plain.opening, vocabulary=b""))
    assert isinstance(drafting(plain), PromptLookup)


def test_the_round_trip_is_measured_by_pings(url: str) -> None:
    with linked(url, Conditions(delay_ms=20)) as far:
        assert round_trip_ms(SplitOptions(base_url=far, api_key=Secret(KEY))) >= 39


def test_a_key_that_is_wrong_or_nobody_there_is_a_clear_error(url: str) -> None:
    with pytest.raises(CloudRefused, match="serves no split inference") as refused:
        round_trip_ms(SplitOptions(base_url=url, api_key=Secret("wrong")))
    assert "split_api_key" in refused.value.hint
    with pytest.raises(CloudUnavailable, match="cannot be reached"):
        round_trip_ms(SplitOptions(base_url="http://127.0.0.1:9"))


def test_a_cloud_that_answers_no_ping_is_not_waited_for_without_end() -> None:
    from websockets.sync.server import serve

    from skerry.cloud.hints.frames import SUBPROTOCOL

    with serve(lambda one: one.recv(), "127.0.0.1", 0, subprotocols=[SUBPROTOCOL]) as server:  # type: ignore[list-item]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        port = server.socket.getsockname()[1]
        slow = Conditions(delay_ms=120)
        with (
            linked(f"http://127.0.0.1:{port}", slow) as far,
            pytest.raises(CloudUnavailable, match="cannot be reached"),
        ):
            round_trip_ms(SplitOptions(base_url=far, connect_s=0.05))
        server.shutdown()
