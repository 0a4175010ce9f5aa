"""An answer as running text at a terminal: nothing stray around it, nothing that acts on it."""

from __future__ import annotations

import re

import click

from skerry.edge.terminal import visible

_LINE_END = re.compile(r"[ \t]+(?=\n)")


class Prose:
    """Prints text as it comes. White space waits for what follows it, so that none ends a line."""

    def __init__(self) -> None:
        self._started = False
        self._held = ""

    def print(self, text: str) -> None:
        text = _LINE_END.sub("", self._held + visible(text))
        if not self._started:
            text = text.lstrip()
        body = text.rstrip()
        self._held = text[len(body) :]
        self._started = self._started or bool(body)
        click.echo(body, nl=False)

    def end(self) -> None:
        """Ends the line, if there is one. May be called twice."""
        if self._started:
            click.echo()
        self._started = False
