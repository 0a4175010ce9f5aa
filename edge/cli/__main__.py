"""`python -m skerry.edge.cli`: the same as `skerry`."""

from __future__ import annotations

from skerry.edge.cli import main

main()
