"""A generation in text: the device does not know the target's tokens, and is told what they say."""

from __future__ import annotations

from skerry.cloud.channel import Channel
from skerry.cloud.engines.base import Spelling
from skerry.cloud.hints.frames import CloudFrame, DeviceFrame, Said, Tokens


class TextChannel:
    """See `skerry.cloud.channel.Channel`. Tokens that are sent go with their text."""

    def __init__(self, channel: Channel, spelling: Spelling) -> None:
        self._channel, self._spelling = channel, spelling

    async def receive(self) -> DeviceFrame:
        return await self._channel.receive()

    async def send(self, frame: CloudFrame) -> None:
        if isinstance(frame, Tokens):
            text = await self._spelling.feed(frame.tokens)
            frame = Said(frame.position, frame.tokens, text, frame.pass_us)
        await self._channel.send(frame)
