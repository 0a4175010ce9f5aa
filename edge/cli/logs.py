"""What the parts of a command log, on standard error."""

from __future__ import annotations

import logging

from skerry.edge.terminal import visible


class _Visible(logging.Formatter):
    """A log line may repeat what a service or a client sent."""

    def format(self, record: logging.LogRecord) -> str:
        return visible(super().format(record))


def start(level: str) -> None:
    """Logs from `level` on, such as "warning". A program that logs already goes on as it does."""
    handler = logging.StreamHandler()
    handler.setFormatter(_Visible("%(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=level.upper(), handlers=[handler])
