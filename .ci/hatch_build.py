"""Build hook: makes `src/skerry/<room>` links before an editable install.

The rooms lie at the top of the repository. A wheel maps them to `skerry/<room>`
by `tool.hatch.build.targets.wheel.sources`; an editable install needs a folder
that already has that shape, so that type checkers and coverage see it too.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOMS = ("edge", "cloud", "export", "sync", "guardrails", "device_profiles", "bundles")


class LinkTree(BuildHookInterface[Any]):
    """Links every room under `src/skerry`; does nothing for a normal wheel."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        if version != "editable":
            return
        package = Path(self.root, "src", "skerry")
        package.mkdir(parents=True, exist_ok=True)
        for room in ROOMS:
            link = package / room
            if link.is_symlink():
                link.unlink()
            link.symlink_to(
                os.path.relpath(Path(self.root, room), package), target_is_directory=True
            )
