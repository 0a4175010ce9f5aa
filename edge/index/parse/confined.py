"""Reads documents in processes of their own, with limits, so that none takes the machine with it.

A PDF of a megabyte can unpack to gigabytes, and a few megabytes of markup can be made to take as
much to parse. What is too much for its limits is refused, and what it took the system gets back.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from multiprocessing.spawn import get_executable
from types import MappingProxyType

from skerry.edge.errors import DocumentError
from skerry.edge.index.parse.parsed import Block, BlockKind, Parsed

MEMORY_BYTES = 2**30
PROCESSOR_SECONDS = 60
_CHILD = "skerry.edge.index.parse.text_child"
_PATIENCE = 5  # times the processor's, by the clock: on a busy machine, or without limits
_SPLIT = "split it, or save its text as .txt"


def has_python() -> bool:
    """Whether there is a Python to start: this one, or what `multiprocessing` was told of."""
    python = os.fsdecode(get_executable() or "")
    return bool(python) and not (getattr(sys, "frozen", False) and python == sys.executable)


def check_python(name: str) -> None:
    """Raises DocumentError where there is no Python to read the document with."""
    if not has_python():
        raise DocumentError(
            f"{name} cannot be read: there is no Python to read it with",
            hint="give multiprocessing.set_executable the path of one that has skerry",
        )


def run(arguments: Sequence[str], data: bytes, name: str) -> bytes:
    """What Python prints when it is run with `arguments` on `data`; it limits itself.

    Raises:
        DocumentError: it cannot be started, crashes, or takes more memory or time than it may.
    """
    command = [os.fsdecode(get_executable()), "-P", *arguments]
    try:
        done = subprocess.run(  # noqa: S603 -- our own code; the document comes by a pipe
            command,
            input=data,
            capture_output=True,
            timeout=_PATIENCE * PROCESSOR_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise too_slow(name) from None
    except OSError as error:
        what = f"{name} cannot be read: no process can be started for it: {error.strerror}"
        raise DocumentError(what, hint="close other programs, or save its text as .txt") from error
    if done.returncode == -getattr(signal, "SIGXCPU", 0):
        raise too_slow(name)
    if done.returncode:
        what = f"{name} cannot be read: it is damaged, or needs more than {_mebibytes()} of memory"
        raise DocumentError(what, hint=f"open it and export it again, or {_SPLIT}")
    return done.stdout


def too_slow(name: str) -> DocumentError:
    what = f"{name} takes more than {PROCESSOR_SECONDS} seconds to be read"
    return DocumentError(what, hint=_SPLIT)


def too_large(name: str) -> DocumentError:
    what = f"{name} needs more than {_mebibytes()} of memory to be read"
    return DocumentError(what, hint=_SPLIT)


def _mebibytes() -> str:
    return f"{MEMORY_BYTES >> 20:,} MiB"


def parse_text(data: bytes, name: str) -> Parsed:
    """Parses a document of another format than PDF in a process of its own.

    Raises:
        DocumentError: as `parse_data`; there is no Python to start, or it takes more memory or time
            than it may.
    """
    check_python(name)
    limits = (MEMORY_BYTES, PROCESSOR_SECONDS)
    said = json.loads(run(["-m", _CHILD, *map(str, limits), ascii(name)], data, name))
    if "what" in said:
        raise DocumentError(said["what"], hint=said["hint"])
    if "text" not in said:
        raise too_large(name)
    blocks = (
        Block(BlockKind(kind), level, start, end, tuple(cuts), body)
        for kind, level, start, end, cuts, body in said["blocks"]
    )
    return Parsed(
        text=said["text"],
        title=said["title"],
        blocks=tuple(blocks),
        media_type=said["media_type"],
        metadata=MappingProxyType(said["metadata"]),
        misspelt=MappingProxyType(said["misspelt"]),
    )
