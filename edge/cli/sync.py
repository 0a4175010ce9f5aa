"""`skerry sync`: how devices come to new models and bundles.

A new command is one row of `ROWS`. The work is done in `skerry.sync`, which knows nothing of the
runtime: health checks and device profiles are given to it from here.
"""

from __future__ import annotations

import click

from skerry.edge.cli.lazy import LazyGroup

ROWS: dict[str, tuple[str, str]] = {
    "apply": ("sync_device:apply", "Device: take the update that is offered."),
    "check": ("sync_device:check", "Device: say what is offered."),
    "confirm": ("sync_device:confirm", "Device: keep the bundle that is on probation."),
    "delta": ("sync_delta:delta", "Say a new model by an old one, in a few percent of its bytes."),
    "devices": ("sync_fleet:devices", "Operator: see and change devices; tokens that enrol them."),
    "enroll": ("sync_enroll:enroll", "Device: say whom to trust, and where updates come from."),
    "import": ("sync_device:import_", "Device: take the update that a stick or folder carries."),
    "init": ("sync_repository:init", "Operator: make a repository and its keys."),
    "keys": ("sync_keys:keys", "Operator: list, add, rotate and revoke keys."),
    "operators": ("sync_fleet:operators", "Operator: make and revoke keys of the fleet server."),
    "publish": ("sync_repository:publish", "Operator: publish a bundle in a channel."),
    "recall": ("sync_repository:recall", "Operator: make an earlier version the latest again."),
    "refresh": ("sync_repository:refresh", "Operator: sign anew what would run out."),
    "role": ("sync_keys:role", "Operator: add a channel, or a role for a device class."),
    "rollback": ("sync_device:rollback", "Device: go back to the bundle before."),
    "rollout": ("sync_rollout:rollout", "Operator: bring a version to devices, in stages."),
    "serve": ("sync_fleet:serve", "Operator: serve the fleet's API to devices and operators."),
    "sign": ("sync_keys:sign", "Operator: read what waits for signatures, and sign it."),
    "status": ("sync_device:status", "Device: say what runs, and where an update stands."),
    "versions": ("sync_repository:versions", "Operator: list what was published."),
    "watch": ("sync_device:watch", "Device: look for updates from time to time, and take them."),
}


@click.group(cls=LazyGroup, rows=ROWS)
def sync() -> None:
    """Bring new models and bundles to devices."""
