"""A real vLLM server asked in text: with the plugin, as it comes, and without a tokenizer."""

# ruff: noqa: F811  fixtures of another module are arguments here

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from skerry.cloud.engines.base import Verifier
from skerry.cloud.engines.completions.options import EndpointOptions
from skerry.cloud.engines.completions.verifier import CompletionsVerifier
from skerry.cloud.errors import RequestError
from skerry.cloud.hints.frames import Message
from tests.cloud.test_vllm_conformance import (  # noqa: F401  fixtures
    model,
    plugin_verifier,
    stock,
    stock_verifier,
    with_plugin,
)
from tests.cloud.text_conformance import ASKED, TextConformance, answered, ids, prompt_of, text
from tests.cloud.vllm_server import PYTHON, WHY_NOT

pytestmark = [
    pytest.mark.vllm,
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(not PYTHON, reason=WHY_NOT),
]


class TestPlugin(TextConformance):
    @pytest.fixture
    def verifier(self, plugin_verifier: Verifier) -> Verifier:
        return plugin_verifier


class TestStock(TextConformance):
    @pytest.fixture
    def verifier(self, stock_verifier: Verifier) -> Verifier:
        return stock_verifier

    def test_a_role_that_the_template_refuses_is_a_refusal(self, verifier: Verifier) -> None:
        with pytest.raises(RequestError, match="chat template"):
            asyncio.run(prompt_of(verifier, (Message("user", "REFUSE"),)))


class TestWithoutATokenizer(TextConformance):
    @pytest.fixture
    def verifier(self, stock: str) -> Iterator[Verifier]:
        made = CompletionsVerifier.connect(EndpointOptions(url=stock), None)
        yield made
        asyncio.run(made.close())

    def test_it_spells_as_the_tokenizer_does(
        self, verifier: Verifier, stock_verifier: Verifier, model: Path
    ) -> None:
        said, same = (asyncio.run(answered(one, ASKED)) for one in (verifier, stock_verifier))
        assert ids(said) == ids(same)
        assert text(said) == text(same)
