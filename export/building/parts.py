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
_LONGEST_LICENCE = 1 << 20


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


def licence_parts(subject: Subject) -> Iterator[Part]:
    """The texts of a model's licence that lie in its folder; a GGUF file has none."""
    if not subject.path.is_dir():
        return
    for path in sorted(subject.path.iterdir()):
        named = path.name.upper().startswith(("LICENSE", "LICENCE", "NOTICE", "COPYING"))
        if named and path.is_file() and path.stat().st_size <= _LONGEST_LICENCE:
            yield Part(Role.LICENCE, path.name, path.read_bytes())
