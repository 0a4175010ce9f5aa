"""What the commands of the recipes have in common: their options, and how they fail."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import ParamSpec

import click

from skerry.guardrails.errors import GuardrailError

P = ParamSpec("P")

FOLDER = click.Path(file_okay=False, path_type=Path)
DATA = click.option("--data", required=True, type=FOLDER, envvar="SKERRY_DATA", show_envvar=True)
SEED = click.option("--seed", default=0, show_default=True, help="Fixes every random draw.")


def plainly(command: Callable[P, None]) -> Callable[P, None]:
    """Tells a GuardrailError in words, with its hint, in place of a traceback."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except GuardrailError as error:
            raise click.ClickException(f"{error} {error.hint}") from None

    return run
