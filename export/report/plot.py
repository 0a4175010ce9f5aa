"""A scatter plot as numbers: where points, labels, ticks and the front go. The page draws them.

Lengths are in units of the drawing, which is `WIDTH` x `HEIGHT`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil, floor, log10

WIDTH, HEIGHT = 460, 330
LEFT, RIGHT, TOP, BOTTOM = 58, 16, 14, 44
_LABEL_HEIGHT, _CHARACTER = 15, 7.2
_SHOWN = 22


@dataclass(frozen=True, slots=True)
class Point:
    """A variant in the units of its axes; `on_front`: none is as good in both."""

    name: str
    x: float
    y: float
    on_front: bool


@dataclass(frozen=True, slots=True)
class Axis:
    """From `low` to `high`, which lie at `start` and `end` of the drawing."""

    low: float
    high: float
    start: float
    end: float
    logarithmic: bool = False

    def at(self, value: float) -> float:
        low, high, here = (self._scaled(one) for one in (self.low, self.high, value))
        return self.start + (self.end - self.start) * (here - low) / (high - low)

    def ticks(self) -> list[float]:
        return _decades(self.low, self.high) if self.logarithmic else _steps(self.low, self.high)

    def _scaled(self, value: float) -> float:
        return log10(value) if self.logarithmic else value


@dataclass(frozen=True, slots=True)
class Label:
    """`anchor` as SVG has it."""

    x: float
    y: float
    anchor: str
    text: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A point where it is drawn; no label where there is no room for one."""

    x: float
    y: float
    point: Point
    label: Label | None


@dataclass(frozen=True, slots=True)
class Tick:
    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Plot:
    """`front` is the line through the marks of the front, as SVG's `points`."""

    title: str
    x_name: str
    y_name: str
    marks: tuple[Mark, ...]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    front: str


def scatter(
    title: str, x_name: str, y_name: str, points: Sequence[Point], *, logarithmic: bool
) -> Plot | None:
    """The plot; None without points. `logarithmic` is of y."""
    if not points:
        return None
    xs, ys = [one.x for one in points], [one.y for one in points]
    across = Axis(*_around(xs, 0.12), LEFT, WIDTH - RIGHT)
    bounds = (min(ys) / 1.8, max(ys) * 1.8) if logarithmic else _around(ys, 0.12)
    up = Axis(*bounds, HEIGHT - BOTTOM, TOP, logarithmic)
    marks = tuple(_marks(points, across, up))
    line = sorted((one.x, one.y) for one in marks if one.point.on_front)
    return Plot(
        title=title,
        x_name=x_name,
        y_name=y_name,
        marks=marks,
        x_ticks=tuple(Tick(across.at(one), short(one)) for one in across.ticks()),
        y_ticks=tuple(Tick(up.at(one), short(one)) for one in up.ticks()),
        front=" ".join(f"{x:.1f},{y:.1f}" for x, y in line),
    )


def short(value: float) -> str:
    """A number for a tick: `0.003`, `1e-05`, `120`."""
    return f"{value:.6g}" if value == 0 or abs(value) >= 1e-4 else f"{value:.0e}"


def _marks(points: Sequence[Point], across: Axis, up: Axis) -> Iterator[Mark]:
    """Labels are placed one after the other, those of the front first."""
    placed = {one: (across.at(one.x), up.at(one.y)) for one in points}
    taken = [(x - 5, y - 5, x + 5, y + 5) for x, y in placed.values()]
    for point in sorted(points, key=lambda one: (not one.on_front, one.name)):
        x, y = placed[point]
        label = next(_free_labels(point.name, x, y, taken), None)
        if label is not None:
            taken.append(_box(label))
        yield Mark(x, y, point, label)


def _free_labels(
    name: str, x: float, y: float, taken: Sequence[tuple[float, float, float, float]]
) -> Iterator[Label]:
    text = name if len(name) <= _SHOWN else f"{name[: _SHOWN - 1]}…"
    tries = ((9, 4, "start"), (-9, 4, "end"), (0, -10, "middle"), (0, 19, "middle"),
             (7, -7, "start"), (-7, -7, "end"), (7, 16, "start"), (-7, 16, "end"))  # fmt: skip
    for dx, dy, anchor in tries:
        label = Label(x + dx, y + dy, anchor, text)
        box = _box(label)
        inside = box[0] >= LEFT and box[2] <= WIDTH and box[1] >= 0 and box[3] <= HEIGHT - BOTTOM
        if inside and not any(_overlap(box, other) for other in taken):
            yield label


def _box(label: Label) -> tuple[float, float, float, float]:
    width = _CHARACTER * len(label.text)
    left = {"start": label.x, "middle": label.x - width / 2, "end": label.x - width}[label.anchor]
    return left, label.y - _LABEL_HEIGHT + 3, left + width, label.y + 3


def _overlap(
    one: tuple[float, float, float, float], other: tuple[float, float, float, float]
) -> bool:
    apart = one[2] < other[0] or other[2] < one[0] or one[3] < other[1] or other[3] < one[1]
    return not apart


def _around(values: Sequence[float], share: float) -> tuple[float, float]:
    low, high = min(values), max(values)
    room = (high - low) * share or abs(high) * share or 1.0
    return low - room, high + room


def _steps(low: float, high: float) -> list[float]:
    """Round numbers, four to eight of them."""
    raw = (high - low) / 5
    power = 10 ** floor(log10(raw))
    step = next(one * power for one in (1, 2, 5, 10) if one * power >= raw)
    return [number * step for number in range(ceil(low / step), floor(high / step) + 1)]


def _decades(low: float, high: float) -> list[float]:
    """Powers of ten, with 2 and 5 between where they are few."""
    powers = range(floor(log10(low)), ceil(log10(high)) + 1)
    parts = (1, 2, 5) if len(powers) <= 4 else (1,)
    return [part * 10.0**power for power in powers for part in parts
            if low <= part * 10.0**power <= high]  # fmt: skip
