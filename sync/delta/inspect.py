"""What a delta holds, and whether it makes what it says."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from skerry.sync.delta.apply import Applier, check_sources
from skerry.sync.delta.container import Delta, Kind, read_head
from skerry.sync.delta.errors import DeltaInvalid
from skerry.sync.delta.files import Told, nothing, opened
from skerry.sync.delta.plan import Offer


@dataclass(frozen=True, slots=True)
class Share:
    """Steps of one kind: how many, the bytes that they make and the bytes of the delta."""

    kind: str
    steps: int
    output: int
    payload: int


def open_delta(path: Path) -> Delta:
    """The head of a delta, checked against the size of its file.

    Raises:
        DeltaNotFound, DeltaUnreadable: it is not there, or cannot be read.
        DeltaInvalid: it is no delta, damaged or hostile.
    """
    with opened(path) as file:
        head = read_head(file)
    if head.body + sum(step.payload for step in head.steps) != path.stat().st_size:
        raise DeltaInvalid(f"{path} is not of the size that it declares", hint="fetch it again")
    return head


def shares(head: Delta) -> tuple[Share, ...]:
    """Its steps by kind."""
    found = []
    for kind in Kind:
        steps = [step for step in head.steps if step.kind is kind]
        if steps:
            output, payload = sum(one.length for one in steps), sum(one.payload for one in steps)
            found.append(Share(kind.name.lower(), len(steps), output, payload))
    return tuple(found)


def offer(path: Path) -> Offer:
    """What the planner needs to know of a delta. Raises as `open_delta`."""
    head = open_delta(path)
    sources = frozenset(one.sha256.hex() for one in head.sources)
    return Offer(
        str(path), path.stat().st_size, sources, head.target.sha256.hex(), head.target.size
    )


def verify_delta(path: Path, olds: Sequence[Path], told: Told = nothing) -> Delta:
    """Makes the new file, checks it and throws it away; `told` hears of further bytes.

    Raises:
        DeltaError: as `apply_delta`.
    """
    head = open_delta(path)
    with ExitStack() as stack:
        file = stack.enter_context(opened(path))
        sources = [stack.enter_context(opened(old)) for old in olds]
        check_sources(head, sources, path)
        out = stack.enter_context(tempfile.TemporaryFile())
        Applier(head, file, sources).write(out, told=told)
    return head
