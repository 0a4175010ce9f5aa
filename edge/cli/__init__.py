"""The `skerry` command. Each command is a module here, imported when it is called."""

from __future__ import annotations

import sys


def main() -> None:
    """Entry point of the `skerry` script."""
    try:
        from skerry.edge.cli.app import run
    except KeyboardInterrupt:
        sys.exit(130)
    run()
