"""An answer as running text at a terminal: nothing stray around it, nothing that acts on it."""

from __future__ import annotations

import re

import click

from skerry.edge.receipts.words import visible

_LINE_END = re.compile(r"[ \t]+(?=\n)")
_LIST_MARK = re.compile(r"[-*+] ")


class Prose:
    """Prints text as it comes. White space waits for what follows it, so that none ends a line.

    Args:
        quoted: the text is a passage of a source; the mark of a list item before it is left out.
    """

    def __init__(self, *, quoted: bool) -> None:
        self._quoted = quoted
        self._started = False
        self._held = ""

    def print(self, text: str) -> None:
        text = _LINE_END.sub("", self._held + visible(text))
        if not self._started:
            text = self._opening(text)
        body = text.rstrip()
        self._held = text[len(body) :]
        self._started = self._started or bool(body)
        click.echo(body, nl=False)

    def end(self) -> None:
        """Ends the line, if there is one. May be called twice."""
        if self._started:
            click.echo()
        self._started = False

    def _opening(self, text: str) -> str:
        text = text.lstrip()
        return (
            _LIST_MARK.sub("", text, count=1) if self._quoted and _LIST_MARK.match(text) else text
        )
