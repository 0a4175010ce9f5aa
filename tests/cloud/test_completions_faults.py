"""What can go wrong with a target behind the completions API, and what is said of it."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest

from skerry.cloud.engines.completions.options import EndpointOptions
from skerry.cloud.engines.completions.verifier import CompletionsVerifier
from skerry.cloud.errors import Busy, CloudTierError, RequestError, TargetError
from skerry.cloud.hints.choice import Sampling
from skerry.cloud.hints.frames import VERSION, Choosing, Done, Fault, Open, Opened, Reason
from skerry.cloud.hints.tree import Tree, chain
from skerry.cloud.service import Service
from tests.cloud.fake_completions import MODEL, Fake, faked, tokenizer_json
from tests.cloud.simulated import END, ListChannel

PROMPT = [5, 6, 7]


def _connected(url: str, tokenizer: Path | None = None, **options: Any) -> CompletionsVerifier:
    return CompletionsVerifier.connect(EndpointOptions(url=url, **options), tokenizer)


def _fault(fake: Fake, **options: Any) -> CloudTierError:
    with faked(fake) as url, pytest.raises(CloudTierError) as caught:
        _connected(url, **options)
    return caught.value


def _look_fault(fake: Fake, change: dict[str, Any], **options: Any) -> CloudTierError:
    """What is logged of a pass once the server has changed."""

    async def looked(verifier: CompletionsVerifier) -> None:
        target = await verifier.open(PROMPT, Sampling())
        vars(fake).update(change)
        await target.look(Tree())

    with faked(fake) as url:
        verifier = _connected(url, **options)
        with pytest.raises(CloudTierError) as caught:
            asyncio.run(looked(verifier))
        fake.hold.set()
    assert url not in str(caught.value)
    cause = caught.value.__cause__
    assert isinstance(cause, CloudTierError)
    assert type(caught.value) is (Busy if isinstance(cause, Busy) else TargetError)
    return cause


def test_nobody_is_there() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{bound.getsockname()[1]}"
        with pytest.raises(TargetError, match="no connection") as caught:
            _connected(url)
    assert "start it" in caught.value.hint


@pytest.mark.parametrize(
    "url",
    ["", "127.0.0.1:80", "ftp://a", "http://", "http://a:b@c", "http://a?b", "http://a:99999"],
)
def test_what_is_no_address(url: str) -> None:
    with pytest.raises(TargetError, match="URL") as caught:
        EndpointOptions(url=url)
    assert "a:b" not in str(caught.value)


def test_the_root_of_the_api() -> None:
    assert EndpointOptions(url="http://a:1").url == "http://a:1/v1"
    assert EndpointOptions(url="http://a:1/v1/").url == "http://a:1/v1"
    assert EndpointOptions(url="http://a/x/v1").server == "http://a/x"


def test_a_key_is_needed() -> None:
    fault = _fault(Fake(key="secret"))
    assert "401" in fault.what
    assert "--target-key-file" in fault.hint
    with faked(Fake(key="secret")) as url:
        assert _connected(url, api_key="secret").facts.model == MODEL


def test_a_key_is_never_shown() -> None:
    fault = _fault(
        Fake(broken=(403, b'{"error": {"message": "no hidden here"}}')), api_key="hidden"
    )
    assert "hidden" not in str(fault)
    assert "no *** here" in fault.what
    assert "hidden" not in repr(EndpointOptions(url="http://a", api_key="hidden"))


def test_a_model_that_is_not_there() -> None:
    fault = _fault(Fake(), model="other")
    assert "no model 'other'" in fault.what
    assert MODEL in fault.hint


@pytest.mark.parametrize("status", [400, 422, 500])
def test_prompts_of_ids_are_not_taken(status: int) -> None:
    fault = _fault(Fake(refusal=(status, b'{"detail": "prompt: a string is wanted"}')))
    assert "a string is wanted" in fault.what
    assert "token ids" in fault.hint


def test_ids_are_not_told() -> None:
    assert "does not tell the ids" in _fault(Fake(ids=False)).what


@pytest.mark.parametrize(
    "answer",
    [b"", b'{"choices": [{"index": 0, "logp', b"<html>", b"[]", b'{"choices": []}', b"\xff\xfe"],
    ids=str,
)
def test_an_answer_that_is_none(answer: bytes) -> None:
    fault = _look_fault(Fake(), {"broken": (200, answer)})
    assert isinstance(fault, TargetError)
    assert fault.hint


def test_a_connection_that_breaks_in_mid_answer() -> None:
    fault = _look_fault(Fake(), {"cut": True})
    assert isinstance(fault, TargetError)
    assert "broke" in fault.what


@pytest.mark.parametrize(("status", "kind"), [(429, Busy), (503, Busy), (500, TargetError)])
def test_a_server_that_fails(status: int, kind: type[CloudTierError]) -> None:
    fault = _look_fault(Fake(), {"broken": (status, b"no")})
    assert isinstance(fault, kind)
    assert str(status) in fault.what


def test_the_device_does_not_learn_where_the_server_is(caplog: pytest.LogCaptureFixture) -> None:
    """Its address and its words are for the operator, in the log."""
    opening = Open(VERSION, "", b"", tuple(PROMPT), max_tokens=4)
    channel, fake = ListChannel([opening]), Fake()
    with faked(fake) as url:
        service = Service(_connected(url))
        fake.broken = (500, b"secret words")
        asyncio.run(service.serve(channel))
    fault = channel.sent[-1]
    assert isinstance(fault, Fault)
    assert (fault.code, fault.what) == ("engine_failed", "the target's server failed")
    assert f"{url}/v1 answered 500: secret words" in caplog.text


def test_a_redirect_is_not_followed() -> None:
    assert "redirect" in _fault(Fake(broken=(307, b""))).hint


def test_a_server_that_does_not_answer() -> None:
    fault = _look_fault(Fake(), {"slow": True}, deadline_s=0.2)
    assert "within 0.2 s" in fault.what


def test_closing_ends_what_runs() -> None:
    fake = Fake()

    async def closed(url: str, verifier: CompletionsVerifier) -> None:
        target = await verifier.open(PROMPT, Sampling())
        fake.slow = True
        look = asyncio.ensure_future(target.look(Tree()))
        await asyncio.to_thread(fake.held.wait)
        await verifier.close()
        await _raises_closed(look)
        await _raises_closed(target.look(Tree()))

    with faked(fake) as url:
        verifier = _connected(url)
        try:
            asyncio.run(closed(url, verifier))
        finally:
            fake.hold.set()


async def _raises_closed(look: Coroutine[Any, Any, Any] | asyncio.Future[Any]) -> None:
    with pytest.raises(TargetError, match="closed"):
        await look


def test_a_tokenizer_of_another_model(tmp_path: Path) -> None:
    with faked(Fake(sample=(3, 1))) as url, pytest.raises(TargetError, match="other tokens"):
        _connected(url, tokenizer_json(tmp_path))


def test_a_file_that_is_no_tokenizer(tmp_path: Path) -> None:
    path = tmp_path / "tokenizer.json"
    with pytest.raises(TargetError, match="there is no tokenizer"):
        _connected("http://127.0.0.1:9", path)
    path.write_text("{")
    with pytest.raises(TargetError, match="is no tokenizer"):
        _connected("http://127.0.0.1:9", path)
    tokenizer_json(tmp_path)
    path.with_name("config.json").write_text("{")
    with pytest.raises(TargetError, match=r"config\.json is no JSON"):
        _connected("http://127.0.0.1:9", path)
    gguf = tmp_path / "a.gguf"
    gguf.write_text("no")
    with pytest.raises(TargetError, match=r"a\.gguf"):
        _connected("http://127.0.0.1:9", gguf)


def test_a_context_that_is_full(tmp_path: Path) -> None:
    async def filled(verifier: CompletionsVerifier) -> int:
        target = await verifier.open(PROMPT, Sampling())
        count = 0
        while count < 12 - len(PROMPT):
            count += len((await target.look(chain([9, 9, 9, 9]))).tokens)
        with pytest.raises(RequestError, match="full"):
            await target.look(Tree())
        return count

    fake = Fake(context=12)
    with faked(fake) as url:
        count = asyncio.run(filled(_connected(url, tokenizer_json(tmp_path))))
    assert len(PROMPT) + count == 12
    longest = max(len(prompt) for asked in fake.asked for prompt in asked["prompt"])
    assert longest < 12


def test_without_a_tokenizer_it_streams_and_says_why() -> None:
    """It ends where the server says that the answer ends."""
    hot = Choosing(temperature=10.0)
    opening = Open(VERSION, "", b"d" * 32, tuple(PROMPT), choosing=hot, max_tokens=400)
    channel = ListChannel([opening])
    with faked(Fake(talks=False)) as url:
        asyncio.run(Service(_connected(url)).serve(channel))
    opened, done = channel.sent[0], channel.sent[-1]
    assert isinstance(opened, Opened)
    assert isinstance(done, Done)
    assert (opened.drafts, "--tokenizer" in opened.why) == (0, True)
    said = [token for frame in channel.sent[1:-1] for token in frame.tokens]
    assert done.reason is Reason.STOP
    assert said.index(END) == len(said) - 1


def test_a_server_without_seeds_still_takes_right_drafts(tmp_path: Path) -> None:
    """What it draws is drawn once for each prefix: the draft is compared with it, never adapted."""

    async def looked(verifier: CompletionsVerifier) -> bool:
        target = await verifier.open(PROMPT, Sampling(temperature=1.0, seed=1))
        result = await target.look(Tree(tuple(range(1, 9)), (-1,) * 8))
        return result.drafted == len(result.tokens) - 1

    with faked(Fake(seeded=False)) as url:
        assert asyncio.run(looked(_connected(url, tokenizer_json(tmp_path))))


def test_penalties_are_additions_to_logits(tmp_path: Path) -> None:
    sampling = Sampling(frequency_penalty=60.0, presence_penalty=0.5)

    async def looked(verifier: CompletionsVerifier) -> None:
        target = await verifier.open([*PROMPT, 9, 9, 8], sampling, generated=3)
        await target.look(chain([4]))

    fake = Fake(owner="llamacpp")
    with faked(fake) as url:
        asyncio.run(looked(_connected(url, tokenizer_json(tmp_path))))
    biases = {json.dumps(one["logit_bias"]) for one in fake.asked[-2:]}
    assert biases == {
        "[[8, -60.5], [9, -100.0]]",
        "[[4, -60.5], [8, -60.5], [9, -100.0]]",
    }
