"""What an exporter needs to be installed, and the line that installs it."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import Protocol

from skerry.export.errors import MissingExtra


class Needing(Protocol):
    """Knows what an exporter needs, and whether it is there."""

    def missing(self) -> str | None:
        """None, or the line that installs what is not there."""
        ...

    def check(self, what: str) -> None:
        """Raises MissingExtra when something is not installed; `what` is what needs it."""
        ...

    def versions(self) -> dict[str, str]:
        """The versions to cite."""
        ...


@dataclass(frozen=True, slots=True)
class Needs:
    """`modules` are imported by name; `line` installs them; `packages` are what to cite."""

    modules: tuple[str, ...]
    line: str
    packages: tuple[str, ...] = ()

    def missing(self) -> str | None:
        """None, or the line that installs what is not there."""
        return None if all(map(is_installed, self.modules)) else self.line

    def check(self, what: str) -> None:
        """Raises MissingExtra when something is not installed; `what` is what needs it."""
        absent = [module for module in self.modules if not is_installed(module)]
        if absent:
            raise MissingExtra(f"{what} needs {', '.join(absent)}", hint=self.line)

    def versions(self) -> dict[str, str]:
        """The version of each of `packages` that is installed."""
        found = {package: version_of(package) for package in self.packages}
        return {package: number for package, number in found.items() if number}


def extra(name: str, *modules: str, packages: tuple[str, ...] = ()) -> Needs:
    """What one of Skerry's own extras brings."""
    return Needs(modules, f"pip install 'torch==2.13.0' 'skerry[{name}]'", packages)


def is_installed(module: str) -> bool:
    """Whether `module` could be imported; it is not."""
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # of a package that it would be in
        return False


def version_of(package: str) -> str | None:
    """The installed version, without the local part that names a build."""
    try:
        return version(package).partition("+")[0]
    except PackageNotFoundError:
        return None
