"""The engines that a file names."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from skerry.cloud.errors import TargetError
from skerry.cloud.gateway.config import Gateway
from skerry.cloud.gateway.engines import services
from tests.cloud.gateway.configured import BASE, configured


def _own(path: str, more: str = "") -> Gateway:
    own = f'[models.own]\ntier = "large"\ntemplate = "b"\npath = "{path}"\ncontext_tokens = 128\n'
    return configured(own + more)


def test_a_model_beside_the_file(smollm2: Path) -> None:
    made = services(_own(smollm2.name, "places = 2\n"), smollm2.parent, threads=1)
    facts = made["own"].verifier.facts
    assert (list(made), facts.context_tokens, facts.drafts > 0) == (["own"], 128, True)
    asyncio.run(made["own"].verifier.close())


def test_engines_that_cannot_be_used_are_errors(tmp_path: Path, smollm2: Path) -> None:
    with pytest.raises(TargetError, match=r"none\.gguf"):
        services(_own("none.gguf"), tmp_path)
    nobody = BASE.replace('tier = "mid"', f'tier = "mid"\ntokenizer = "{smollm2}"')
    with pytest.raises(TargetError, match=r"127\.0\.0\.1:1"):
        services(configured(base=nobody), tmp_path)


def test_models_that_only_pass_through_need_none(tmp_path: Path) -> None:
    assert services(configured(), tmp_path) == {}
