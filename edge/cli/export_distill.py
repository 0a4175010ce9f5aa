"""`skerry export distill`: the commands of `python -m skerry.export.distill`."""

from __future__ import annotations

import click

from skerry.export.distill.__main__ import main

distill = click.Group("distill", dict(main.commands), help=main.help)
