"""Tries a bundle: `python -m skerry.edge.updates.check FOLDER` prints what it found as JSON.

A process of its own, since a broken model can take one down. The model of the bundle answers a few
fixed prompts, greedily. What is looked for is breakage, not quality: no text, the same token over
and over, probabilities that are no numbers. A bundle may bring prompts of its own with words that
an answer must have, as `parts/prompt/smoke.json`: `[{"prompt": …, "expect": […]}]`; then the share
of answers that have one of them is the score.
"""

from __future__ import annotations

import json
import math
import sys
import tempfile
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec

from skerry.sync.client.health import Health

if TYPE_CHECKING:
    from skerry.edge.engines.base import Piece
    from skerry.edge.runtime import Runtime

SMOKE = "parts/prompt/smoke.json"
MAX_SMOKE_BYTES = 256 * 1024
LEAST_SCORE = 0.8
_MAX_TOKENS = 24
_LEAST_DIFFERENT = 3
_Text = Annotated[str, msgspec.Meta(min_length=1, max_length=4000)]


class Smoke(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One prompt, and words of which an answer must have one; any text will do where there are
    none."""

    prompt: _Text
    expect: tuple[_Text, ...] = ()


PROMPTS = (
    Smoke("Say in one sentence what a refrigerator is for."),
    Smoke("Name three colours."),
    Smoke("Write one sentence about the sea."),
)


@dataclass(frozen=True, slots=True)
class Tried:
    """What became of one prompt."""

    ok: bool
    what: str
    seconds: float


def try_bundle(folder: Path) -> Health:
    """What a bundle does on this machine. Raises what the runtime raises."""
    from skerry.edge.runtime import Runtime

    with tempfile.TemporaryDirectory(prefix="skerry-check-") as place:
        index, state = (Path(place) / name for name in ("index.sqlite", "state.sqlite"))
        with Runtime(bundle=folder, offline=True, index=index, state=state) as runtime:
            smoke = _smoke(folder)
            tried = [_try(runtime, one) for one in smoke]
    return judged(tried, bring_own=smoke is not PROMPTS)


def judged(tried: list[Tried], *, bring_own: bool) -> Health:
    """The verdict: every fixed prompt must do, or most of those that the bundle brought."""
    score = sum(one.ok for one in tried) / len(tried)
    ok = score >= LEAST_SCORE if bring_own else score == 1.0
    wrong = next((one.what for one in tried if not one.ok), "")
    good = sum(one.ok for one in tried)
    what = f"{good} of {len(tried)} prompts were answered" + (f"; {wrong}" if wrong else "")
    middle = sorted(one.seconds for one in tried)[len(tried) // 2]
    signals = {"health_score": score, "latency_ms_p50": round(middle * 1000, 1)}
    return Health(ok, score, what, signals)


def _smoke(folder: Path) -> tuple[Smoke, ...]:
    try:
        data = (folder / SMOKE).read_bytes()[:MAX_SMOKE_BYTES]
    except OSError:
        return PROMPTS
    return msgspec.json.decode(data, type=tuple[Smoke, ...]) or PROMPTS


def _try(runtime: Runtime, smoke: Smoke) -> Tried:
    from skerry.edge.engines.base import Generation

    generation = Generation(
        messages=[{"role": "user", "content": smoke.prompt}],
        max_tokens=_MAX_TOKENS,
        top_logprobs=0,
    )
    start = time.perf_counter()
    pieces = list(runtime.complete(generation))
    wrong = fault(pieces, smoke.expect)
    return Tried(not wrong, wrong, time.perf_counter() - start)


def fault(pieces: Iterable[Piece], expect: tuple[str, ...]) -> str:
    """What is wrong with an answer; empty where nothing is."""
    listed = list(pieces)
    text = "".join(piece.text for piece in listed)
    tokens = [token for piece in listed for token in piece.tokens]
    if not text.strip():
        return "an answer has no text"
    if any(not math.isfinite(token.logprob) for token in tokens):
        return "the probabilities of the model are no numbers"
    if len(tokens) == _MAX_TOKENS and len({token.token_id for token in tokens}) < _LEAST_DIFFERENT:
        return "the model says the same token over and over"
    if expect and not any(word.lower() in text.lower() for word in expect):
        return "an answer lacks the words that it must have"
    return ""


def main(folder: Path) -> None:
    """Prints the health of a bundle; a bundle that cannot be run is unhealthy, not a fault."""
    try:
        found = try_bundle(folder)
    except Exception as error:  # noqa: BLE001  whatever it is, the bundle does not run here
        what = getattr(error, "what", None) or f"{type(error).__name__}: {error}"
        found = Health(False, 0.0, f"it cannot be run: {what}", {"health_score": 0.0})
    print(json.dumps(asdict(found)))  # noqa: T201  the answer of this program


if __name__ == "__main__":
    main(Path(sys.argv[1]))
