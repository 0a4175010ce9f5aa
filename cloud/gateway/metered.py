"""Keeps count of the frames of one generation while they pass."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import msgspec

from skerry.cloud.channel import Telling
from skerry.cloud.hints.frames import (
    CloudFrame,
    DeviceFrame,
    Done,
    Fault,
    Open,
    Opened,
    Said,
    Tokens,
)

_FAULTS = {"busy": 503, "engine_failed": 500}


@dataclass(slots=True)
class MeteredChannel:
    """A channel whose first frame may have been read before: `opening`. `name` is what the device
    is told of the model. `status` is as of HTTP, 0 while nothing has ended."""

    channel: Telling
    name: str
    opening: Open | None = None
    prompt: int = 0
    tokens: int = 0
    passes: int = 0
    drafted: int = 0
    accepted: int = 0
    first_s: float | None = None
    status: int = 0
    since: float = field(default_factory=time.monotonic)

    async def receive(self) -> DeviceFrame:
        if self.opening is not None:
            frame, self.opening = self.opening, None
            return frame
        return await self.channel.receive()

    async def send(self, frame: CloudFrame) -> None:
        match frame:
            case Opened():
                self.prompt = frame.position
                frame = msgspec.structs.replace(frame, model=self.name)
            case Tokens() | Said():
                self.first_s = self.first_s or time.monotonic() - self.since
                self.tokens += len(frame.tokens)
                self.passes += 1
                self.accepted += frame.drafted if isinstance(frame, Tokens) else 0
            case Done():
                self.drafted, self.status = frame.drafted, 200
            case Fault():
                self.status = _FAULTS.get(frame.code, 400)
        await self.channel.send(frame)
