"""Draws what a benchmark reported: a panel for each figure, with its peers and its target."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_COLUMNS = 3
_OURS, _PEER, _TARGET = "#0b6e75", "#b9c2c7", "#c2410c"


def draw(document: Mapping[str, Any], file: Path) -> None:
    """Writes the picture of a benchmark's JSON object; the name says its form (PNG, SVG, PDF).

    Raises:
        KeyError, TypeError, AttributeError: the object is not of the contract's form.
        OSError, ValueError: the picture cannot be written, or has another form.
    """
    from matplotlib.figure import Figure as Picture

    figures, here = document["figures"], document["machine"]
    title = f"{document['name']} on {here['processor']}, {here['cores']} cores"
    rows = math.ceil(len(figures) / _COLUMNS)
    picture = Picture(figsize=(4.2 * _COLUMNS, 0.6 + 1.9 * rows), layout="constrained")
    panels = list(picture.subplots(rows, _COLUMNS, squeeze=False).flat)
    for panel in panels[len(figures) :]:
        panel.set_axis_off()
    slots = 1 + max(len(figure["peers"]) for figure in figures.values())
    for panel, (key, figure) in zip(panels, figures.items(), strict=False):
        _draw_panel(panel, key, figure, slots)
    picture.suptitle(title)
    picture.savefig(file, dpi=110)


def _draw_panel(panel: Any, key: str, figure: Mapping[str, Any], slots: int) -> None:
    """`slots` is how many bars have room, so that all bars are of one height."""
    arrow = "→" if figure["better"] == "higher" else "←"
    panel.set_title(f"{key} [{figure['unit']}] {arrow}", fontsize=9, loc="left")
    panel.spines[["top", "right"]].set_visible(False)
    if figure["value"] is None:
        panel.text(0.5, 0.5, "not measured", ha="center", transform=panel.transAxes)
        panel.set_axis_off()
        return
    bars = {"skerry": figure["value"], **figure["peers"]}
    colours = [_OURS, *[_PEER] * len(figure["peers"])]
    drawn = panel.barh(list(bars), list(bars.values()), color=colours, height=0.6)
    labels = panel.bar_label(drawn, fmt=_short, fontsize=8, padding=3)
    for label in labels:
        label.set_bbox({"facecolor": "white", "edgecolor": "none", "pad": 0.8, "alpha": 0.85})
    panel.set_ylim(slots - 0.5, -0.5)
    panel.tick_params(labelsize=8)
    panel.margins(x=0.18)
    if figure["target"] is not None:
        panel.axvline(figure["target"], color=_TARGET, linestyle="--", linewidth=1)


def _short(value: float) -> str:
    return f"{value:.3g}"
