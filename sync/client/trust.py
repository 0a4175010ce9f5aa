"""What a device believes: signed metadata, checked by python-tuf's client from its first root on.

The metadata that was accepted is kept, so that no older one is accepted later (rollback), and made
durable before anything is done with it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tuf.api import exceptions as tuf
from tuf.api.metadata import TargetFile
from tuf.ngclient import FetcherInterface, Updater, UpdaterConfig

from skerry.bundles.codec import MAX_BYTES
from skerry.sync.client.source import Source, not_slow
from skerry.sync.durable import make_folder, sync_file, sync_folder
from skerry.sync.errors import NotThere, SourceFault, SyncError, Untrusted
from skerry.sync.names import METADATA, TARGETS, latest_target

_BASE = "source:"


@dataclass(frozen=True, slots=True)
class Latest:
    """The version that a channel has now, as its role signed it."""

    target: str
    version: str
    digest: str


class Trust:
    """Signed metadata of one source.

    Args:
        folder: where accepted metadata is kept.
        root: the root that was enrolled.
        source: where newer metadata comes from.

    Raises:
        Untrusted: the root is none.
    """

    def __init__(self, folder: Path, root: bytes, source: Source) -> None:
        self._folder = folder
        self._source = source
        make_folder(folder)
        _clear(folder)
        with _translated():
            self._updater = Updater(
                str(folder),
                f"{_BASE}{METADATA}/",
                target_base_url=f"{_BASE}{TARGETS}/",
                fetcher=_Fetcher(source),
                config=UpdaterConfig(app_user_agent="skerry-sync"),
                bootstrap=root,
            )

    def refresh(self) -> None:
        """Takes the newest metadata; may be called once.

        Raises:
            Untrusted: it is not signed as it must be, is older than what was seen, or ran out.
            SourceFault: the source cannot be reached.
        """
        with _translated():
            self._updater.refresh()
        self._settle()

    def latest(self, channel: str, name: str) -> Latest | None:
        """The version that a channel has now; None where it has none of that bundle."""
        found = self._target(latest_target(channel, name))
        if found is None:
            return None
        custom: Any = found.custom
        try:
            return Latest(str(custom["target"]), str(custom["version"]), str(custom["digest"]))
        except (TypeError, KeyError):
            raise Untrusted(f"what '{channel}' says of '{name}' cannot be read") from None

    def manifest(self, target: str, digest: str) -> bytes:
        """The `bundle.json` that the target at `target` is, whose SHA-256 is `digest`.

        Raises:
            Untrusted: no role signed such a target, or it has another digest.
            SourceFault: it cannot be had.
        """
        found = self._target(target)
        if found is None:
            raise Untrusted(f"nobody who may has signed '{target}'", hint="ask the operator")
        if found.hashes.get("sha256") != digest:
            what = f"'{target}' was signed with another digest than the offer has"
            raise Untrusted(what, hint="ask the operator")
        if found.length > MAX_BYTES:
            raise Untrusted(f"'{target}' has {found.length} bytes, more than {MAX_BYTES}")
        path = self._folder.parent / "bundle.json.new"
        try:
            with _translated():
                self._updater.download_target(found, str(path))
            return path.read_bytes()
        finally:
            path.unlink(missing_ok=True)

    def _target(self, path: str) -> TargetFile | None:
        with _translated():
            found = self._updater.get_targetinfo(path)
        self._settle()
        return found

    def _settle(self) -> None:
        """python-tuf renames without syncing: after a power cut there could be nothing."""
        for path in self._folder.rglob("*.json"):
            if path.is_file() and not path.is_symlink():
                sync_file(path)
        sync_folder(self._folder)
        sync_folder(self._folder / "root_history")


class _Fetcher(FetcherInterface):
    """python-tuf's way to a source. Lengths are capped by python-tuf."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def _fetch(self, url: str) -> Iterator[bytes]:
        return self._blocks(url.removeprefix(_BASE))

    def _blocks(self, name: str) -> Iterator[bytes]:
        try:
            yield from not_slow(self._source.read(name))
        except NotThere as error:
            raise tuf.DownloadHTTPError(error.what, 404) from error
        except SyncError as error:
            raise tuf.DownloadError(error.what) from error


@contextmanager
def _translated() -> Iterator[None]:
    """Turns python-tuf's errors into ours."""
    try:
        yield
    except tuf.ExpiredMetadataError as error:
        hint = "the source is out of date, or the clock of this device is wrong"
        raise Untrusted(f"the signatures of the source ran out: {error}", hint=hint) from error
    except tuf.DownloadLengthMismatchError as error:
        raise Untrusted(f"the source gives more than was signed: {error}") from error
    except tuf.RepositoryError as error:
        hint = "nothing was taken; ask the operator, or try another source"
        raise Untrusted(f"the source cannot be trusted: {error}", hint=hint) from error
    except tuf.DownloadHTTPError as error:
        raise NotThere(str(error), hint="check the address of the source") from error
    except tuf.DownloadError as error:
        raise SourceFault(str(error), hint="check the connection, and try again") from error


def _clear(folder: Path) -> None:
    """What python-tuf left when it was stopped."""
    for path in folder.glob("tmp*"):
        path.unlink(missing_ok=True)
