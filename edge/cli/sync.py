"""`skerry sync`: how devices come to new models and bundles.

The work is done in `skerry.sync`, which knows nothing of the runtime.
"""

from __future__ import annotations

import click

from skerry.edge.cli.lazy import LazyGroup

ROWS: dict[str, tuple[str, str]] = {
    "delta": ("sync_delta:delta", "Say a new model by an old one, in a few percent of its bytes."),
}


@click.group(cls=LazyGroup, rows=ROWS)
def sync() -> None:
    """Bring new models and bundles to devices."""
