"""Writes docs/cli.md from the commands themselves: `python -m skerry.edge.cli.reference`."""

from __future__ import annotations

from collections.abc import Iterator

import click

from skerry.edge.cli.app import app

_WIDTH = 92
_HEAD = """# The command line

Written by `python -m skerry.edge.cli.reference`; a test keeps it true. JSON output and exit codes
are in [json.md](json.md). Shell completion: `eval "$(_SKERRY_COMPLETE=bash_source skerry)"`, or
`zsh_source`, `fish_source`.
"""


def reference() -> str:
    """The help of every command, as Markdown."""
    return "\n".join([_HEAD, *_sections(app, "skerry", None)])


def _sections(command: click.Command, name: str, parent: click.Context | None) -> Iterator[str]:
    context = click.Context(
        command,
        info_name=name,
        parent=parent,
        terminal_width=_WIDTH,
        max_content_width=_WIDTH,
        auto_envvar_prefix="SKERRY" if parent is None else None,
        help_option_names=["-h", "--help"],
    )
    yield f"## {context.command_path}\n\n```text\n{command.get_help(context)}\n```\n"
    if isinstance(command, click.Group):
        for child in command.list_commands(context):
            found = command.get_command(context, child)
            if found is not None:
                yield from _sections(found, child, context)


if __name__ == "__main__":
    click.echo(reference(), nl=False)
