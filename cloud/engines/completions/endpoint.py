"""Requests to the target's server: bounded in time and size, and counted."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx2
import msgspec

from skerry.cloud.engines.completions.answers import (
    Choice,
    Served,
    read_choices,
    read_models,
    read_text,
    read_tokens,
)
from skerry.cloud.engines.completions.faults import large_fault, status_fault, translated
from skerry.cloud.engines.completions.options import EndpointOptions
from skerry.cloud.errors import TargetError

_MOST_BYTES = 16 << 20


@dataclass(slots=True)
class Traffic:
    """Requests that were answered, and the bytes of their bodies."""

    requests: int = 0
    sent: int = 0
    received: int = 0


class Endpoint:
    """A server of the completions API. For one event loop at a time."""

    def __init__(self, options: EndpointOptions) -> None:
        self.options = options
        self.traffic = Traffic()
        self._client: httpx2.AsyncClient | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False

    async def complete(self, prompts: list[list[int]], fields: Mapping[str, Any]) -> list[Choice]:
        """[prompts]: the token that follows each of them.

        Raises:
            Busy: the server has no room now.
            TargetError: it failed, or answered something else.
        """
        body = {"model": self.options.model, "prompt": prompts, **fields}
        data = await self._post(f"{self.options.url}/completions", body)
        return read_choices(data, len(prompts))

    async def models(self) -> list[Served]:
        """Raises TargetError."""
        return read_models(await self._request("GET", f"{self.options.url}/models", b""))

    async def tokenized(self, text: str) -> list[int] | None:
        """The ids of `text` in the server's vocabulary; None where it does not tell."""
        body = {
            "model": self.options.model,
            "prompt": text,
            "add_special_tokens": False,
            "content": text,
            "add_special": False,
        }
        try:
            return read_tokens(await self._post(f"{self.options.server}/tokenize", body))
        except TargetError:
            return None

    async def rendered(self, messages: list[dict[str, str]], *, apart: bool) -> list[int]:
        """The ids of the prompt that the server's chat template makes of `messages`; `apart`: the
        server makes its text first.

        Raises:
            Busy: the server has no room now.
            TargetError: it failed, or answered something else.
        """
        server, model = self.options.server, self.options.model
        if not apart:
            chat = {"model": model, "messages": messages, "add_generation_prompt": True}
            return read_tokens(await self._post(f"{server}/tokenize", chat))
        text = read_text(await self._post(f"{server}/apply-template", {"messages": messages}))
        body = {"content": text, "add_special": True, "parse_special": True}
        return read_tokens(await self._post(f"{server}/tokenize", body))

    async def detokenized(self, tokens: Sequence[int]) -> str:
        """The text of `tokens`. Raises as `rendered`."""
        body = {"model": self.options.model, "tokens": tokens}
        return read_text(await self._post(f"{self.options.server}/detokenize", body))

    async def close(self) -> None:
        """Requests that run fail. May be called twice."""
        self._closed = True
        await self._drop()

    async def _drop(self) -> None:
        client, self._client = self._client, None
        if client is not None and self._loop is asyncio.get_running_loop():
            await client.aclose()

    async def _post(self, url: str, body: Mapping[str, Any]) -> bytes:
        return await self._request("POST", url, msgspec.json.encode(body))

    async def _request(self, method: str, url: str, body: bytes) -> bytes:
        status, data = await self.exchange(method, url, body)
        if status != 200:
            raise status_fault(self.options, status, data)
        return data

    async def exchange(
        self, method: str, url: str, body: bytes = b"", media_type: str = "application/json"
    ) -> tuple[int, bytes]:
        """The status and the body of an answer, whatever it is.

        Raises:
            TargetError: there is none in time, or it is too large.
        """
        if self._closed:
            raise TargetError("the engine is closed")
        client, headers = self._opened(), {"content-type": media_type}
        with translated(self.options):
            async with (
                asyncio.timeout(self.options.deadline_s),
                client.stream(method, url, content=body, headers=headers) as response,
            ):
                data = await self._read(response)
        self.traffic.requests += 1
        self.traffic.sent += len(body)
        self.traffic.received += len(data)
        return response.status_code, data

    async def _read(self, response: httpx2.Response) -> bytes:
        data = bytearray()
        async for part in response.aiter_bytes():
            data += part
            if len(data) > _MOST_BYTES:
                raise large_fault(self.options, _MOST_BYTES)
        return bytes(data)

    def _opened(self) -> httpx2.AsyncClient:
        """A client of the running loop: connections of another are of no use in it."""
        loop = asyncio.get_running_loop()
        if self._client is None or self._loop is not loop:
            self._client, self._loop = _client(self.options), loop
        return self._client


def _client(options: EndpointOptions) -> httpx2.AsyncClient:
    """A client that follows nothing and takes nothing from the environment."""
    headers = {"authorization": f"Bearer {options.api_key}"} if options.api_key else {}
    return httpx2.AsyncClient(
        headers=headers,
        timeout=httpx2.Timeout(None, connect=options.connect_s),
        limits=httpx2.Limits(max_connections=None, max_keepalive_connections=64),
        trust_env=False,
        follow_redirects=False,
    )
