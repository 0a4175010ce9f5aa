"""A window of tensors: neighbours in the new file, coded together by what each was.

A window is one stream of the entropy coder. What its tensors have in common is learnt once, and
small tensors do not each pay for a stream.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from skerry.bundles.gguf.ggml import TYPES
from skerry.sync.delta import generic
from skerry.sync.delta.arrays import Bytes
from skerry.sync.delta.blocks import code_blocks, mean_change
from skerry.sync.delta.coding import Coder, WindowDecoder, WindowEncoder
from skerry.sync.delta.container import MOST_WINDOW, Version, check_range
from skerry.sync.delta.errors import DeltaInvalid
from skerry.sync.delta.fields import Reader, Writer
from skerry.sync.delta.layouts import LAYOUTS
from skerry.sync.delta.places import BYTES, I8
from skerry.sync.delta.rans import MOST_LANES
from skerry.sync.delta.retyped import can_be_retyped, code_retyped
from skerry.sync.delta.words import code_words, exponents

ReadOld = Callable[[int, int, int], bytes]
"""Bytes of an old file: source, offset, length."""

MOST_PARTS = 1 << 16
RETYPED_WEIGHT = 16
"""What a byte of a part whose type has changed takes in memory, as `weight_of` has it."""
_MOST_HEAD = 1 << 23
_LEAST_LANES = 64
_CHOSEN_LANES = 1 << 13
_BYTES_A_LANE = 256
_NO_CHANGE = 0
_SINGLE = (I8, BYTES)
_TOLD_APART = 16
_FLOATS = {0: (4, 23), 1: (2, 10), 28: (8, 52), 30: (2, 7)}
"""Types of ggml that are floats: bytes, and where the exponent begins."""


@dataclass(frozen=True, slots=True)
class Part:
    """`length` bytes of a window, from `old_length` bytes at `offset` of the old file `source`.

    `kind` is a type of ggml, or 255 where bytes have no known meaning; `change` is 128 + twice the
    binary logarithm of the mean change of a weight, rounded, or 0 where that means nothing. `was`
    is the old type, where it is another.
    """

    kind: int
    length: int
    source: int
    offset: int
    change: int = _NO_CHANGE
    was: int = -1

    @property
    def same_type(self) -> bool:
        return self.was in (-1, self.kind)

    @property
    def old_length(self) -> int:
        """Bytes of the old file that it is made from."""
        return self.length if self.same_type else other_length(self.kind, self.was, self.length)


def part_of(kind: int, source: int, offset: int, old: bytes, new: bytes) -> Part:
    """The part for a tensor of type `kind`, of which `old` and `new` are (the first) bytes."""
    return Part(kind, len(new), source, offset, _change(kind, old, new))


def kind_of(kind: int, length: int) -> int:
    """`kind`, if parts of it can be taken apart, or 255."""
    if kind in _SINGLE:
        return kind
    if kind in _FLOATS:
        return kind if length % _FLOATS[kind][0] == 0 else BYTES
    name = TYPES[kind].name if kind in TYPES else ""
    return kind if name in LAYOUTS and length % LAYOUTS[name].bytes == 0 else BYTES


def _change(kind: int, old: bytes, new: bytes) -> int:
    if kind in _FLOATS or kind in _SINGLE:
        return _NO_CHANGE
    layout = LAYOUTS[TYPES[kind].name]
    blocks = [np.frombuffer(data, np.uint8).reshape(-1, layout.bytes) for data in (old, new)]
    step = -(-len(blocks[0]) // 4096)
    with np.errstate(all="ignore"):
        mean = mean_change(layout, blocks[0][::step], blocks[1][::step])
    if not np.isfinite(mean) or mean <= 0:
        return 1
    return int(np.clip(128 + np.rint(2 * np.log2(mean)), 1, 255))


def encode_window(parts: Sequence[Part], read_old: ReadOld, new: bytes) -> bytes:
    """The payload of the window `new`, which `parts` cover."""
    head = Writer()
    _write_parts(parts, head)
    encoder = WindowEncoder()
    walk(encoder, parts, read_old, np.frombuffer(new, np.uint8))
    models, lanes, stream = encoder.finish(_lanes)
    whole = head.bytes() + models
    packed = generic.pack(whole)
    fields = Writer()
    for number in (lanes, len(whole), len(packed)):
        fields.uint(number)
    return fields.bytes() + packed + stream


def decode_window(
    payload: bytes, sources: Sequence[Version], read_old: ReadOld, length: int
) -> memoryview:
    """The window of `length` bytes.

    Raises:
        DeltaInvalid: the payload does not decode to that.
    """
    fields = Reader(payload)
    lanes, whole = fields.uint(MOST_LANES), fields.uint(_MOST_HEAD)
    head = Reader(generic.unpack(fields.raw(fields.uint(len(payload))), whole))
    parts = _read_parts(head, sources, length)
    decoder = WindowDecoder(head, fields.rest(), lanes)
    made = walk(decoder, parts, read_old, None, length)
    decoder.finish()
    return made.data


def _lanes(bits: float) -> int:
    """As many lanes as cost about half a percent: each loses two bytes. The more, the faster."""
    wanted = max(int(bits / 8 / _BYTES_A_LANE), _LEAST_LANES)
    return min(_CHOSEN_LANES, 1 << wanted.bit_length() - 1)


def walk(
    coder: Coder, parts: Sequence[Part], read_old: ReadOld, new: Bytes | None, length: int = 0
) -> Bytes:
    """Codes the parts of a window, all of one kind together."""
    ends = np.cumsum([part.length for part in parts])
    placed = [(part, slice(end - part.length, end)) for part, end in zip(parts, ends, strict=True)]
    by_kind = sorted(placed, key=lambda one: (one[0].kind, one[0].was))
    groups = [list(same) for _, same in groupby(by_kind, lambda one: (one[0].kind, one[0].was))]
    if len(groups) == 1 and new is None:
        return _code(coder, parts, _olds(parts, read_old), None)
    made = np.empty(length, np.uint8) if new is None else new
    for group in groups:
        same = [part for part, _ in group]
        given = None if new is None else np.concatenate([new[span] for _, span in group])
        coded = _code(coder, same, _olds(same, read_old), given)
        if new is None:
            at = 0
            for part, span in group:
                made[span] = coded[at : at + part.length]
                at += part.length
    return made


def _olds(parts: Sequence[Part], read_old: ReadOld) -> list[Bytes]:
    """What the parts were, in a list of one: whoever takes it out holds it alone, and can let go
    of it as soon as it is read."""
    pieces: list[Bytes] = [
        np.frombuffer(read_old(one.source, one.offset, one.old_length), np.uint8) for one in parts
    ]
    return pieces if len(pieces) == 1 else [np.concatenate(pieces)]


def _code(coder: Coder, parts: Sequence[Part], old: list[Bytes], new: Bytes | None) -> Bytes:
    """Parts of one kind, that were of one kind."""
    kind = parts[0].kind
    if not parts[0].same_type:
        return code_retyped(coder, kind, parts[0].was, old.pop(), new)
    if kind in _SINGLE:
        return _code_bytes(coder, parts, old.pop(), new)
    if kind in _FLOATS:
        return _code_floats(coder, kind, old.pop(), new)
    layout = LAYOUTS[TYPES[kind].name]
    blocks = [part.length // layout.bytes for part in parts]
    change = np.repeat([change_of(part.change) for part in parts], blocks).astype(np.float32)
    given = None if new is None else new.reshape(-1, layout.bytes)
    whole = [old.pop().reshape(-1, layout.bytes)]
    return code_blocks(coder, layout, whole, given, change).reshape(-1)


def change_of(number: int) -> float:
    """The mean change that `number` stands for."""
    half, whole = (number - 128) % 2, (number - 128) // 2
    return float(np.ldexp(1.4142135623730951 if half else 1.0, whole))


def _code_bytes(coder: Coder, parts: Sequence[Part], old: Bytes, new: Bytes | None) -> Bytes:
    """Integers of a byte, or bytes of no known meaning: by what they were, in each tensor (of
    sixteen). For integers that says how their scale has changed."""
    of = np.arange(len(parts)) % _TOLD_APART * 256
    context = np.repeat(of, [part.length for part in parts]).astype(np.uint16) + old
    given = None if new is None else new - old
    return coder.symbols(context, _TOLD_APART * 256, given) + old


def _code_floats(coder: Coder, kind: int, old: Bytes, new: Bytes | None) -> Bytes:
    width, at = _FLOATS[kind]
    before = old.view(f"<u{width}")
    after = None if new is None else new.view(f"<u{width}")
    made = code_words(coder, before, after, exponents(before, at))
    return made.astype(f"<u{width}").view(np.uint8)


def _write_parts(parts: Sequence[Part], to: Writer) -> None:
    to.uint(len(parts))
    for part in parts:
        to.raw(bytes([part.kind, part.kind if part.same_type else part.was, part.change]))
        to.uint(part.length)
        to.uint(part.source)
        to.uint(part.offset)


def _read_parts(head: Reader, sources: Sequence[Version], length: int) -> list[Part]:
    parts = []
    for _ in range(head.uint(MOST_PARTS)):
        kind, was, change = head.raw(3)
        size, source = head.uint(MOST_WINDOW), head.uint(len(sources))
        part = Part(kind, size, source, head.uint(1 << 62), change, -1 if was == kind else was)
        if kind != kind_of(kind, size) or not (part.same_type or can_become(kind, was, size)):
            raise DeltaInvalid(
                "the delta is damaged: a part has no such type", hint="fetch it again"
            )
        check_range(sources, source, part.offset, part.old_length)
        parts.append(part)
    if sum(part.length for part in parts) != length:
        raise DeltaInvalid("the delta is damaged: a window has gaps", hint="fetch it again")
    return parts


def can_become(kind: int, was: int, length: int) -> bool:
    """Whether `length` bytes of the type `kind` can be made from blocks of the type `was`."""
    if kind == was or not (can_be_retyped(kind) and can_be_retyped(was)):
        return False
    new, old = TYPES[kind], TYPES[was]
    return length % new.bytes == 0 and length // new.bytes * new.block % old.block == 0


def other_length(kind: int, was: int, length: int) -> int:
    """Bytes of the type `was` with as many weights as `length` bytes of the type `kind`."""
    return TYPES[was].size_bytes(length // TYPES[kind].bytes * TYPES[kind].block)


def weight_of(kind: int) -> int:
    """What a byte of a part of this kind takes in memory while it is coded, beside others."""
    if kind in _FLOATS:
        return 4
    return 4 if kind in _SINGLE else 1 if LAYOUTS[TYPES[kind].name].pairs else 2


def unit_of(kind: int) -> int:
    """Bytes that belong together in a part of this kind."""
    if kind in _SINGLE:
        return 1
    return _FLOATS[kind][0] if kind in _FLOATS else LAYOUTS[TYPES[kind].name].bytes
