"""The user's folders for data, settings and caches, by the system's own rules."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from platformdirs import user_cache_path, user_config_path, user_data_path

from skerry.edge.errors import ConfigError

_NAME = "skerry"


def data_folder() -> Path:
    """Raises ConfigError where the user has no home folder and no variable names another."""
    return _own(user_data_path)


def config_folder() -> Path:
    """Raises ConfigError as `data_folder` does."""
    return _own(user_config_path)


def cache_folder() -> Path:
    """Raises ConfigError as `data_folder` does."""
    return _own(user_cache_path)


def expanded(path: Path) -> Path:
    """`path` with the home folder for `~`, or for `~user`.

    Raises:
        ConfigError: it is not known.
    """
    try:
        return path.expanduser()
    except RuntimeError:
        what = f"no home folder is known for '{path.parts[0]}'"
        raise ConfigError(what, hint="give the whole path") from None


def _own(find: Callable[[str], Path]) -> Path:
    try:
        folder = find(_NAME)
    except RuntimeError:
        folder = Path()
    if not folder.is_absolute():  # some versions of platformdirs leave the ~ in it
        what = "this user has no home folder, and no variable says where to keep things"
        raise ConfigError(what, hint="set HOME, or XDG_DATA_HOME and XDG_CONFIG_HOME, to folders")
    return folder
