"""What a bundle carries beside its models: files of the runtime's, by role, and prompt templates.

The caller says what they are: this package knows no runtime.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from skerry.bundles import Role
from skerry.bundles.write import Source
from skerry.export.planning import Subject

FOLDER = "parts"
CHAT_TEMPLATE = "chat_template.jinja"


@dataclass(frozen=True, slots=True)
class Part:
    """One file: `name` is its path below `parts/ROLE/`, `source` a file or the bytes themselves."""

    role: Role
    name: str
    source: Source

    @property
    def path(self) -> str:
        """Where it lies in the bundle."""
        return f"{FOLDER}/{self.role}/{self.name}"


def folder_parts(role: Role, folder: Path, name: str) -> Iterator[Part]:
    """Every plain file directly in `folder`, under `name/` in the bundle, in order."""
    for path in sorted(folder.iterdir()):
        if path.is_file() and not path.is_symlink() and path.suffix not in (".py", ".pyc"):
            yield Part(role, f"{name}/{path.name}", path)


def prompt_parts(subject: Subject, prompts: Mapping[str, str]) -> Iterator[Part]:
    """The model's chat template, and the prompts of the runtime by file name."""
    if subject.chat_template:
        yield Part(Role.PROMPT, CHAT_TEMPLATE, subject.chat_template.encode())
    for name, text in sorted(prompts.items()):
        yield Part(Role.PROMPT, name, text.encode())
