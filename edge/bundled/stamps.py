"""Whether files are still those that were compared with their digests.

Engines open models by their path, some time after they were compared. A file that was written, or
put in the place of another, has another stamp: Linux sets the time of the last change of an inode,
and no program can set it back.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

Stamp = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Stamps:
    """The stamps of some files, as they were."""

    known: Mapping[Path, Stamp] = field(default_factory=dict)

    @classmethod
    def of(cls, paths: Iterable[Path]) -> Stamps:
        """Those of files as they are now; one that is not there has an empty stamp."""
        return cls({path: _stamp(path) for path in paths})

    def changed(self) -> Path | None:
        """The first file that is another now, or gone; None where all are the same."""
        return next((path for path, was in self.known.items() if _stamp(path) != was), None)


def _stamp(path: Path) -> Stamp:
    try:
        found = os.lstat(path)
    except OSError:
        return ()
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
