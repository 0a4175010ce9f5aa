"""Deltas of real quantized weights: bytes, speed and memory, beside what is used today.

Each pair is of one type and one kind of change (`delta_pairs.py`). Bytes are compared in the same
run; ours are applied and made in processes of their own, for the processor's time and peak memory.
A LoRA is measured where SKERRY_DELTA_ADAPTER names a PEFT folder for the default model
(`skerry export finetune --source smollm2`).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.contract import Figure, Options
from benchmarks.delta_entropy import entropy_bytes
from benchmarks.delta_pairs import FLOATS, KINDS, Pair, pairs
from benchmarks.delta_peers import peer_bytes

_METRICS = (
    "bytes_ratio_to_bsdiff4",
    "bytes_ratio_to_entropy",
    "apply_mb_per_s",
    "apply_peak_mb",
    "encode_peak_mb",
)
_TARGETS = {
    "bytes_ratio_to_bsdiff4": 0.75,
    "bytes_ratio_to_entropy": 1.03,
    "apply_mb_per_s": 60.0,
    "apply_peak_mb": 128.0,
}
_UNITS = {"apply_mb_per_s": "MB/s", "apply_peak_mb": "MiB", "encode_peak_mb": "MiB"}
_CASES = ("fine-tune", "lora", "importance", "metadata")
_NAMES = tuple(
    f"{case}_{kind}"
    for kind in KINDS
    for case in _CASES
    if not (case == "metadata" and kind != "q4_0")
    and not (case == "importance" and kind in ("q8_0", *FLOATS))
)
KEYS = (*_METRICS, *(f"{metric}_{name}" for name in _NAMES for metric in _METRICS))

_CHILD = """
import json, resource, sys, time
from pathlib import Path
from skerry.sync.delta import apply_delta, make_delta
what, old, new, delta = sys.argv[1], *map(Path, sys.argv[2:])
start = time.process_time()
make_delta([old], new, delta) if what == "make" else apply_delta(delta, [old], new)
print(json.dumps({
    "seconds": time.process_time() - start,
    "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
}))
"""


@dataclass(frozen=True, slots=True)
class Measured:
    """Of one pair: bytes of the new file, of our delta, of the entropy and of the peers' deltas."""

    size: int
    delta: int
    entropy: float
    peers: dict[str, int]
    apply_seconds: float
    apply_peak: float
    make_peak: float


def run(options: Options) -> dict[str, Figure]:
    from skerry.edge.engines.models import catalogue

    model = catalogue(Path("none")).find("smollm2").path
    named = os.environ.get("SKERRY_DELTA_ADAPTER")
    figures: dict[str, Figure] = {}
    with tempfile.TemporaryDirectory() as folder:
        made = pairs(
            model, Path(folder), quick=options.quick, seed=options.seed,
            adapter=Path(named) if named else None,
        )  # fmt: skip
        for pair in made:
            figures |= dict(_figures(pair, _measure(pair, quick=options.quick)))
            pair.new.unlink()
    missing = Figure(None, "", "lower", note="needs an adapter in SKERRY_DELTA_ADAPTER")
    every = {key: figures.get(key, missing) for key in KEYS if key not in _METRICS}
    return {**{metric: _worst(metric, figures) for metric in _METRICS}, **every}


def _measure(pair: Pair, *, quick: bool) -> Measured:
    delta, out = pair.new.with_suffix(".delta"), pair.new.with_suffix(".out")
    made = _child("make", pair.old, pair.new, delta)
    applied = _child("apply", pair.old, out, delta)
    if out.read_bytes() != pair.new.read_bytes():
        raise AssertionError(f"{pair.case} {pair.kind}: another file came out")
    measured = Measured(
        pair.new.stat().st_size, delta.stat().st_size, _entropy(pair), peer_bytes(pair, quick=quick),
        applied["seconds"], applied["peak"], made["peak"],
    )  # fmt: skip
    out.unlink()
    delta.unlink()
    return measured


def _child(what: str, *paths: Path) -> dict[str, float]:
    command = [sys.executable, "-c", _CHILD, what, *map(str, paths)]
    one_core = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, check=True, env={**os.environ, **one_core})
    found: dict[str, float] = json.loads(done.stdout)
    return found


def _entropy(pair: Pair) -> float:
    """Of all tensors that changed, as one window."""
    from skerry.sync.delta.places import BYTES
    from skerry.sync.delta.regions import regions
    from skerry.sync.delta.window import part_of

    old, new = pair.old.read_bytes(), pair.new.read_bytes()
    before = {one.name: one for one in regions(pair.old)}
    parts, data = [], []
    for one in regions(pair.new):
        was = before.get(one.name)
        if was is None or one.kind == BYTES or was.length != one.length:
            continue
        old_bytes = old[was.offset : was.offset + was.length]
        new_bytes = new[one.offset : one.offset + one.length]
        if old_bytes != new_bytes:
            parts.append(part_of(one.kind, 0, was.offset, old_bytes, new_bytes))
            data.append(new_bytes)
    if not parts:
        return 0.0
    return entropy_bytes(parts, lambda _source, at, length: old[at : at + length], b"".join(data))


def _figures(pair: Pair, one: Measured) -> Iterator[tuple[str, Figure]]:
    name, bsdiff = f"{pair.case}_{pair.kind}", one.peers["bsdiff4"]
    dense = pair.case != "metadata"
    share = f"{one.delta:,} of {one.size:,} bytes, {one.delta / one.size:.2%}"
    against = {peer: size / bsdiff for peer, size in one.peers.items()}
    yield f"bytes_ratio_to_bsdiff4_{name}", Figure(
        one.delta / bsdiff, "", "lower", 0.75 if dense else 1.0, against, share
    )
    bound = one.delta / one.entropy if one.entropy else None
    note = "" if bound else "nothing is coded"
    yield f"bytes_ratio_to_entropy_{name}", Figure(bound, "", "lower", 1.03, note=note)
    speed = one.size / 1e6 / one.apply_seconds
    yield f"apply_mb_per_s_{name}", Figure(speed, "MB/s", "higher", 60, note="processor's time")
    yield f"apply_peak_mb_{name}", Figure(
        one.apply_peak, "MiB", "lower", 128, note="whole process, interpreter and numpy included"
    )
    yield f"encode_peak_mb_{name}", Figure(one.make_peak, "MiB", "lower", note="whole process")


def _worst(metric: str, figures: dict[str, Figure]) -> Figure:
    better = "higher" if metric == "apply_mb_per_s" else "lower"
    found = {
        key.removeprefix(f"{metric}_"): one.value
        for key, one in figures.items()
        if key.startswith(metric) and one.value is not None and one.unit == _UNITS.get(metric, "")
    }
    if metric == "bytes_ratio_to_bsdiff4":
        found = {key: value for key, value in found.items() if not key.startswith("metadata")}
    name = (min if better == "higher" else max)(found, key=lambda key: found[key])
    note = f"worst of {len(found)}: {name}"
    return Figure(
        found[name], _UNITS.get(metric, ""), better, _TARGETS.get(metric), note=note
    )
