"""The figures of the benchmark of split inference, from what the grid measured. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from statistics import geometric_mean, mean

from benchmarks.contract import Figure
from benchmarks.split_accepted import Accepted
from benchmarks.split_accepted import figures as acceptances
from benchmarks.split_cases import FAMILIES, Case
from benchmarks.split_cloud import Far
from benchmarks.split_device import PRODUCT
from benchmarks.split_drafting import Guesses
from benchmarks.split_grid import HINT_MS, HINTS, PIPELINED, PLAIN, THRIFT, Grid, sync
from benchmarks.split_theory import (
    Setting,
    independent,
    passes_per_token,
    simulated,
    streamed_ms,
)
from skerry.edge.split.controller import Controller
from skerry.edge.split.controller import Measured as Known

KEYS = (
    "min_speedup", "worst_cell", "mean_speedup", "min_ratio_to_best_sync", "simulation_error_max",
    "thrift_passes_ratio_to_theory", "acceptance_mean", "acceptance_grounded_qa",
    "bytes_per_token", "identical_token_rate",
)  # fmt: skip
_DRAWS = 40
_JUDGED = 1_000

Cell = tuple[Far, str]


def figures(
    grid: Grid, drafter: str, same: float, accepted: Sequence[Accepted]
) -> dict[str, Figure]:
    """One Figure for each of `KEYS`."""
    return {
        **_speedups(grid, drafter),
        "simulation_error_max": _simulation(grid),
        "thrift_passes_ratio_to_theory": _thrift(grid),
        **acceptances(accepted),
        "bytes_per_token": _bytes(grid),
        "identical_token_rate": Figure(
            same, "share", "higher", 1.0,
            note="of tokens, the model itself, one answer at a time, greedy and at T=0.8",
        ),
    }  # fmt: skip


def _speedups(grid: Grid, drafter: str) -> dict[str, Figure]:
    ours = {cell: grid.speedup(*cell, HINTS) for cell in grid.cells}
    ratios = {cell: one / grid.best_sync(*cell) for cell, one in ours.items()}
    worst, closest = min(ours, key=ours.__getitem__), min(ratios, key=ratios.__getitem__)
    best_sync = geometric_mean(grid.best_sync(*cell) for cell in grid.cells)
    pipelined = geometric_mean(grid.speedup(*cell, PIPELINED) for cell in grid.cells)
    peers = {"synchronous, best k": best_sync, "pipelined": pipelined}
    average = geometric_mean(ours.values())
    over = f"over plain streaming; {_conditions(grid, drafter)}"
    extra = f"more than plain streaming takes: {named(worst)}"
    mean_note = "geometric mean of the cells"
    return {
        "min_speedup": Figure(ours[worst], "x", "higher", 0.98, note=over),
        "worst_cell": Figure(_extra_ms(grid, worst), "ms/token", "lower", note=extra),
        "mean_speedup": Figure(average, "x", "higher", peers=peers, note=mean_note),
        "min_ratio_to_best_sync": Figure(
            ratios[closest], "ratio", "higher", 1.0, note=named(closest)
        ),
    }


def _conditions(grid: Grid, drafter: str) -> str:
    plan, lag = grid.plan, grid.cloud_lag
    return (
        f"drafter: {drafter}; {len(grid.cells)} cells, {plan.each} prompts of a family, "
        f"{plan.tokens} tokens at most, {plan.at_once} answers at once; recorded target, "
        f"{HINT_MS} ms a hint; wakes late by p50/p99: cloud {lag.p50_ms:.2f}/{lag.p99_ms:.2f} ms, "
        f"device {grid.device_lag.p50_ms:.2f}/{grid.device_lag.p99_ms:.2f} ms"
    )


def named(cell: Cell) -> str:
    (rtt, pace), family = cell
    return f"round trip {rtt:g} ms, pass {pace:g} ms, {family}"


def _extra_ms(grid: Grid, cell: Cell) -> float:
    tokens = sum(len(one.tokens) for one in grid.of(*cell, HINTS))
    extra_s = grid.total_s(*cell, HINTS) - grid.total_s(*cell, PLAIN)
    return extra_s / tokens * 1e3


def _simulation(grid: Grid) -> Figure:
    errors = {
        cell: abs(grid.speedup(*cell, HINTS) / predicted(grid, cell) - 1) for cell in grid.cells
    }
    traced = max(
        abs(grid.speedup(*cell, HINTS) / traced_speedup(grid, cell) - 1) for cell in grid.cells
    )
    worst = max(errors, key=errors.__getitem__)
    note = (
        f"guesses right or silent by chance, as often as measured; {named(worst)}; "
        f"mean {mean(errors.values()):.3f}; with the guesses as they were, {traced:.3f} at most"
    )
    return Figure(errors[worst], "ratio", "lower", 0.10, note=note)


def setting(far: Far, case: Case) -> Setting:
    """The cell and the device: as deep as the product's controller lets it draft there, and with
    as much patience as it asks for."""
    rtt, pace = far
    controller = _controller(far, case.guesses)
    return Setting(
        rtt_ms=rtt, pass_ms=pace, hint_ms=HINT_MS, draft_ms=case.guesses.draft_ms,
        depth=controller.plan().depth, burst=PRODUCT.burst,
        patience_ms=controller.patience_s * 1e3,
    )  # fmt: skip


def _controller(far: Far, guesses: Guesses) -> Controller:
    """One that knows the link, the target and how often these guesses are right."""
    rtt, pace = far
    known = Known()
    times = ((known.rtt_s, rtt), (known.pass_s, pace), (known.draft_s, guesses.draft_ms))
    for average, milliseconds in times:
        average.add(milliseconds / 1e3)
    controller = Controller(known, PRODUCT.depth)
    made = 1 - guesses.silence
    right = round(_JUDGED * guesses.acceptance / made) if made else 0
    controller.judge(right, _JUDGED - right)
    return controller


def predicted(grid: Grid, cell: Cell) -> float:
    """The speed-up that the simulation has, with guesses that are right by chance, as often as
    those of each answer were."""
    far, family = cell
    cases, draw = _family(grid, family), Random(0)
    took = [mean(_by_chance(far, case, draw) for _ in range(_DRAWS)) for case in cases]
    return _streamed(far, cases) / sum(took)


def _by_chance(far: Far, case: Case, draw: Random) -> float:
    """What one draw of the guesses takes [ms]."""
    real = case.guesses
    drawn = independent(real.acceptance, len(real.answer), draw, silence=real.silence)
    return simulated(setting(far, case), drawn).took_ms


def traced_speedup(grid: Grid, cell: Cell) -> float:
    """The same with the guesses as they were."""
    far, family = cell
    cases = _family(grid, family)
    took = [simulated(setting(far, case), case.guesses.kinds).took_ms for case in cases]
    return _streamed(far, cases) / sum(took)


def _streamed(far: Far, cases: Sequence[Case]) -> float:
    return sum(streamed_ms(setting(far, case), len(case.guesses.answer)) for case in cases)


def _family(grid: Grid, family: str) -> list[Case]:
    return [case for case in grid.cases if case.family == family]


def _thrift(grid: Grid) -> Figure:
    far = grid.plan.thrift_at
    answers = [(case, grid.answers[far, i, THRIFT]) for i, case in enumerate(grid.cases)]
    passes = sum(one.passes for _, one in answers)
    expected = sum(
        len(one.tokens) * passes_per_token(case.guesses.acceptance, PRODUCT.depth)
        for case, one in answers
    )
    tokens = sum(len(one.tokens) for _, one in answers)
    best = min(_passes(grid, far, sync(count)) for count in grid.plan.sync)
    note = (
        f"{passes / tokens:.3f} passes a token at {far[0]:g} ms and {far[1]:g} ms, 1/E at the "
        f"acceptance of each answer {expected / tokens:.3f}; synchronous, best k {best:.3f}"
    )
    return Figure(passes / expected, "ratio", "lower", 1.15, note=note)


def _passes(grid: Grid, far: Far, protocol: str) -> float:
    answers = [one for family in FAMILIES for one in grid.of(far, family, protocol)]
    return sum(one.passes for one in answers) / sum(len(one.tokens) for one in answers)


def _bytes(grid: Grid) -> Figure:
    def of(protocol: str) -> float:
        answers = [one for cell in grid.cells for one in grid.of(*cell, protocol)]
        return sum(one.data for one in answers) / sum(len(one.tokens) for one in answers)

    peers = {"plain streaming": of(PLAIN), "pipelined": of(PIPELINED)}
    note = "frames both ways, without the prompt and the headers of WebSocket and TCP"
    return Figure(of(HINTS), "bytes", "lower", 16, peers=peers, note=note)
