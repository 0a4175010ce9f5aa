"""`python -m skerry.export.adapters`: the commands of adapters by themselves."""

from __future__ import annotations

import click

from skerry.export.adapters.commands import finetune, lora, task


@click.group()
def main() -> None:
    """Trains adapters, and makes of them what a runtime loads."""


for command in (finetune, lora, task):
    main.add_command(command)

if __name__ == "__main__":
    main(prog_name="python -m skerry.export.adapters")
