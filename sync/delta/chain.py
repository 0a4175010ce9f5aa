"""Several deltas, one after the other."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from skerry.sync.delta.apply import Applied, apply_delta
from skerry.sync.delta.container import Version
from skerry.sync.delta.errors import SourceMismatch
from skerry.sync.delta.files import Told, nothing, opened, version_of, written
from skerry.sync.delta.inspect import open_delta


def apply_chain(
    deltas: Sequence[Path], olds: Sequence[Path], out: Path, *,
    partial: Path | None = None, told: Told = nothing,
) -> Applied:  # fmt: skip
    """Writes to `out` what the last of `deltas` makes. Each is applied to files of `olds` and to
    what the ones before made, which is kept in a folder beside `out` until that is made.

    `partial` and `told` are as for `apply_delta`.

    Raises:
        DeltaError: as `apply_delta`; a delta needs a version that is not there.
    """
    if len(deltas) == 1:
        return apply_delta(deltas[0], olds, out, partial=partial, told=told)
    folder = out.with_name(f"{out.name}.chain")
    with written(folder):
        folder.mkdir(exist_ok=True)
    there = {_version(path): path for path in olds}
    for delta in deltas[:-1]:
        head = open_delta(delta)
        between = folder / head.target.sha256.hex()
        if not between.exists():
            apply_delta(delta, _found(delta, head.sources, there), between, told=told)
        there[head.target] = between
    last = deltas[-1]
    sources = _found(last, open_delta(last).sources, there)
    made = apply_delta(last, sources, out, partial=partial, told=told)
    shutil.rmtree(folder, ignore_errors=True)
    return made


def _version(path: Path) -> Version:
    with opened(path) as file:
        return version_of(file)


def _found(delta: Path, wanted: Sequence[Version], there: dict[Version, Path]) -> list[Path]:
    missing = [one for one in wanted if one not in there]
    if missing:
        raise SourceMismatch(
            f"{delta} needs the file with sha256 {missing[0].sha256.hex()}",
            hint="give the old file with --from; deltas go from the oldest to the newest",
        )
    return [there[one] for one in wanted]
