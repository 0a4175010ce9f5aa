"""The frames of the hint protocol: MessagePack arrays, each with its kind first.

`docs/hint-protocol.md` describes them byte by byte. Frames are checked when they are read: what
passes `read_device_frame` or `read_cloud_frame` is within its bounds, whoever sent it.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Annotated, Any, Literal, Self, TypeAlias

import msgspec
from msgspec import Meta, Struct

from skerry.cloud.errors import CloudTierError, ProtocolError, VersionError
from skerry.cloud.hints.choice import Sampling
from skerry.cloud.hints.ids import packed_ids, unpacked_ids
from skerry.cloud.hints.trace import Trace
from skerry.cloud.hints.tree import ROOT, Tree, chain

VERSION = 2
SUBPROTOCOL = "skerry.hints.v2"
MOST_BYTES = 1 << 20
"""Of one frame; a prompt of 128,000 tokens fits."""
MOST_DRAFTED = 64
"""Tokens of one `Draft`."""
MOST_TOKENS = 1 << 17
MOST_PATIENCE_MS = 10_000
MOST_MESSAGES = 256
_MOST_TEXT = 4_096
_MOST_STOPS = 64

Id: TypeAlias = Annotated[int, Meta(ge=0, lt=1 << 31)]
Count: TypeAlias = Annotated[int, Meta(ge=0, le=MOST_TOKENS)]
Text: TypeAlias = Annotated[str, Meta(max_length=_MOST_TEXT)]
Finite: TypeAlias = Annotated[float, Meta(ge=-1e6, le=1e6)]
Milliseconds: TypeAlias = Annotated[int, Meta(ge=0, le=MOST_PATIENCE_MS)]
Share: TypeAlias = Annotated[float, Meta(ge=0, le=1)]
Digest: TypeAlias = Annotated[bytes, Meta(max_length=32)]
Role: TypeAlias = Literal["system", "user", "assistant"]


class Mode(IntEnum):
    """`LATENCY`: the cloud never waits. `THRIFT`: it waits for hints, up to the patience."""

    LATENCY = 0
    THRIFT = 1


class Reason(IntEnum):
    """Why a generation ended."""

    STOP = 0
    LENGTH = 1
    CANCELLED = 2


class Choosing(Struct, array_like=True, frozen=True):
    """`skerry.cloud.hints.choice.Sampling` on the wire."""

    temperature: Annotated[float, Meta(ge=0, le=100)] = 0.0
    top_k: Count = 0
    top_p: Annotated[float, Meta(gt=0, le=1)] = 1.0
    min_p: Share = 0.0
    repetition_penalty: Annotated[float, Meta(gt=0, le=100)] = 1.0
    frequency_penalty: Finite = 0.0
    presence_penalty: Finite = 0.0
    seed: Annotated[int, Meta(ge=0, le=(1 << 63) - 1)] = 0

    def sampling(self) -> Sampling:
        return Sampling(**{name: getattr(self, name) for name in self.__struct_fields__})


class Message(Struct, array_like=True, frozen=True):
    """What somebody said in a chat."""

    role: Role
    content: str


class Open(Struct, array_like=True, frozen=True, tag=1):
    """Device: starts a generation, in tokens or, where `messages` are given, in text.

    In tokens: the sequence is the first `kept` tokens that the cloud holds of `session`, and then
    `tokens`. `generated` of its last tokens were generated before (a generation that goes on after
    its connection broke); the rest is the prompt. `vocabulary` is the digest of the device's
    vocabulary, empty for a device that does not draft.

    In text: the target's own chat template makes the prompt of the `messages`. `tokens`, all of
    them `generated` before, are the target's own, of the `vocabulary` that it told then.
    """

    version: int
    model: Text
    vocabulary: Digest
    tokens: Annotated[tuple[Id, ...], Meta(max_length=MOST_TOKENS)]
    choosing: Choosing = Choosing()
    mode: Mode = Mode.LATENCY
    patience_ms: Milliseconds = 0
    max_tokens: Annotated[int, Meta(ge=1, le=MOST_TOKENS)] = 256
    ends: Annotated[tuple[Id, ...], Meta(max_length=_MOST_STOPS)] = ()
    session: Text = ""
    kept: Count = 0
    generated: Count = 0
    messages: Annotated[tuple[Message, ...], Meta(max_length=MOST_MESSAGES)] = ()


class Draft(Struct, array_like=True, frozen=True, tag=2):
    """Device: drafted tokens from a `position` of the generation on; 0 is its first token. Without
    any it has no idea for that position, and need not be waited for.

    They are for a sequence whose token before `position` has the trace `after`: the cloud may have
    corrected that one meanwhile, and then they are for nothing.
    """

    position: Count
    tokens: Annotated[tuple[Id, ...], Meta(max_length=MOST_DRAFTED)]
    after: Trace

    def tree(self) -> Tree:
        return chain(self.tokens)


class Drafts(Struct, array_like=True, frozen=True, tag=5):
    """Device: the same as a tree: for each token, `parents` [tokens] says how many places before
    it its parent stands, 0 for none."""

    position: Count
    tokens: Annotated[tuple[Id, ...], Meta(min_length=1, max_length=MOST_DRAFTED)]
    after: Trace
    parents: Annotated[tuple[Count, ...], Meta(min_length=1, max_length=MOST_DRAFTED)]

    def tree(self) -> Tree:
        """Raises ProtocolError: the parents do not make a tree."""
        if len(self.parents) != len(self.tokens):
            raise ProtocolError("a draft has not as many parents as tokens")
        back = list(enumerate(self.parents))
        parents = tuple(i - steps if steps else ROOT for i, steps in back)
        pairs = set(zip(parents, self.tokens, strict=True))
        if any(steps > i for i, steps in back) or len(pairs) < len(parents):
            raise ProtocolError("the parents of a draft do not make a tree")
        return Tree(self.tokens, parents)


class Cancel(Struct, array_like=True, frozen=True, tag=3):
    """Device: wants no more."""


class Wait(Struct, array_like=True, frozen=True, tag=4):
    """Device: from now on wait so long for hints before each pass; 0: not at all."""

    patience_ms: Milliseconds


class Opened(Struct, array_like=True, frozen=True, tag=17):
    """Cloud: the generation begins at the absolute `position`, from which drafts and tokens count.

    `drafts` says how many tokens of a hint are looked at together; 0 is that none are, and `why`.
    `cached` tokens were held already. `vocabulary` is the digest of the target's tokens, told
    to who asks in text, and empty where it does not know them.
    """

    version: int
    model: Text
    position: Count
    drafts: Count
    why: Text = ""
    cached: Count = 0
    vocabulary: Digest = b""


class Tokens(Struct, array_like=True, frozen=True, tag=18):
    """Cloud: what one forward pass gave, from a `position` of the generation on.

    The first `drafted` tokens were in a hint. `pass_us` is what the pass took, in microseconds; 0:
    about what the last one took that was told.
    """

    position: Count
    tokens: Annotated[tuple[Id, ...], Meta(min_length=1, max_length=MOST_DRAFTED + 1)]
    drafted: Count = 0
    pass_us: Annotated[int, Meta(ge=0)] = 0


class Said(Struct, array_like=True, frozen=True, tag=21):
    """Cloud: what one forward pass gave, of a generation in text: `text` is what the target's own
    `tokens` add, with no character but whole ones. `pass_us` is as of `Tokens`."""

    position: Count
    tokens: Annotated[tuple[Id, ...], Meta(min_length=1, max_length=MOST_DRAFTED + 1)]
    text: Text
    pass_us: Annotated[int, Meta(ge=0)] = 0


class Done(Struct, array_like=True, frozen=True, tag=19):
    """Cloud: the generation has ended.

    `passes` forward passes after the prompt; `drafted` tokens were looked at, `accepted` taken.
    """

    reason: Reason
    passes: Count
    drafted: Annotated[int, Meta(ge=0)]
    accepted: Count
    prompt_tokens: Count
    tokens: Count


class Fault(Struct, array_like=True, frozen=True, tag=20):
    """Cloud: the generation cannot go on. `code` is for programs. `instead` names the field of
    `Open` with which the same may be asked; empty: there is none."""

    code: Text
    what: Text
    hint: Text = ""
    instead: Text = ""

    @classmethod
    def of(cls, error: CloudTierError) -> Self:
        return cls(error.code, error.what, error.hint, error.instead)


DeviceFrame: TypeAlias = Open | Draft | Drafts | Cancel | Wait
CloudFrame: TypeAlias = Opened | Tokens | Said | Done | Fault

_IDS_AT = 2
"""Where the tokens stand in the array of a frame of `_PACKED`: packed, as bytes."""
_PACKED = (Draft, Drafts, Tokens, Said)
_PACKED_KINDS = frozenset(one.__struct_config__.tag for one in _PACKED)

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder()


def written(frame: DeviceFrame | CloudFrame) -> bytes:
    if not isinstance(frame, _PACKED):
        return _encoder.encode(frame)
    array = list(msgspec.to_builtins(frame))
    array[_IDS_AT] = packed_ids(frame.tokens)
    defaults = list(frame.__struct_defaults__)
    while defaults and array[-1] == defaults.pop():  # may be missing at the end
        array.pop()
    return _encoder.encode(array)


def read_device_frame(data: bytes) -> DeviceFrame:
    """What a device sent.

    Raises:
        VersionError: it speaks another version.
        ProtocolError: it is no frame of a device, or a value is out of its bounds.
    """
    frame: DeviceFrame = _read(DeviceFrame, data)
    if isinstance(frame, Open):
        _check_open(frame)
    if isinstance(frame, Drafts):
        frame.tree()
    return frame


def read_cloud_frame(data: bytes) -> CloudFrame:
    """What a cloud sent.

    Raises:
        VersionError: it speaks another version.
        ProtocolError: it is no frame of a cloud, or a value is out of its bounds.
    """
    frame: CloudFrame = _read(CloudFrame, data)
    if isinstance(frame, Tokens) and frame.drafted > len(frame.tokens):
        raise ProtocolError("more tokens were drafted than there are")
    return frame


def _check_open(frame: Open) -> None:
    """Raises ProtocolError: its fields do not belong together."""
    if frame.generated > len(frame.tokens) + frame.kept:
        raise ProtocolError("more tokens were generated than there are")
    if frame.messages and (frame.kept or frame.ends or frame.generated != len(frame.tokens)):
        raise ProtocolError("a generation in text has tokens that the target did not generate")


def _read(kind: Any, data: bytes) -> Any:
    if len(data) > MOST_BYTES:
        raise ProtocolError(f"a frame has {len(data)} bytes, and {MOST_BYTES} are the most")
    try:
        frame = msgspec.convert(_unpacked(_decoder.decode(data)), kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, TypeError) as error:
        raise ProtocolError(f"a frame cannot be read: {error}") from error
    version = getattr(frame, "version", VERSION)
    if version != VERSION:
        raise VersionError(
            f"the other side speaks version {version} of the hint protocol, this one {VERSION}",
            hint="update the older one",
        )
    return frame


def _unpacked(array: Any) -> Any:
    """An array as it was read, with the tokens as such."""
    if isinstance(array, list) and len(array) > _IDS_AT and array[0] in _PACKED_KINDS:
        if not isinstance(array[_IDS_AT], bytes):
            raise ProtocolError("the tokens of a frame are not packed")
        array[_IDS_AT] = unpacked_ids(array[_IDS_AT])
    return array
