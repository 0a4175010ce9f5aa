"""`skerry export`: from a trained model to a measured, packed bundle.

A new command is one row of `ROWS`. The work is done in `skerry.export`, which knows nothing of the
runtime: names of models and the parts that come with Skerry are given to it from here.
"""

from __future__ import annotations

import click

from skerry.edge.cli.lazy import LazyGroup

ROWS: dict[str, tuple[str, str]] = {
    "build": ("export_build:build", "Export, measure and pack a bundle for devices."),
    "embed": ("export_embed:embed", "Export one encoder in one format."),
    "emulate": ("export_emulate:emulate", "Run a variant in the limits of a device."),
    "eval": ("export_eval:evaluate", "Say whether one bundle is as good as another."),
    "measure": ("export_measure:measure", "Measure one variant against its source."),
    "distill": ("export_distill:distill", "Make a small model that says what a teacher says."),
    "finetune": ("export_adapters:finetune", "Train an adapter on chats."),
    "lora": ("export_adapters:lora", "Make a GGUF adapter of a PEFT one, or merge it."),
    "plan": ("export_plan:plan", "Say what would be made for which devices, and whether it fits."),
    "report": ("export_report:report", "Write the report of what was measured, with plots."),
}


@click.group(cls=LazyGroup, rows=ROWS)
def export() -> None:
    """Make what devices run, from a trained model."""
