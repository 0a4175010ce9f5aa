"""The `skerry` command. Each command is a module here, imported when it is called."""

from __future__ import annotations


def main() -> None:
    """Entry point of the `skerry` script."""
    from skerry.edge.cli.app import run

    run()
