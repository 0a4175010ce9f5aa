"""A bucket as a store: S3, Google Cloud Storage or Azure, by obstore.

Credentials come from the environment, as the cloud's own tools take them (`AWS_ACCESS_KEY_ID`,
`AWS_ENDPOINT_URL`, …).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from skerry.sync.errors import MissingExtra, StoreFault
from skerry.sync.names import DELTAS

_CHANGES_AGE_S = 60


class ObjectStore:
    """What is below one prefix of a bucket.

    Args:
        store: one of obstore's.
        url: what errors call it.
    """

    def __init__(self, store: Any, url: str) -> None:
        self._store = store
        self._url = url

    @classmethod
    def at(cls, url: str, **options: Any) -> ObjectStore:
        """The store at `s3://BUCKET/PREFIX`, `gs://…` or `az://…`.

        Raises:
            MissingExtra: obstore is not installed.
            StoreFault: there is no such kind of store.
        """
        try:
            from obstore.store import from_url
        except ImportError as error:
            what = "a store in a bucket needs obstore, which is not installed"
            raise MissingExtra(what, hint="pip install 'skerry[s3]'") from error
        try:
            return cls(from_url(url, **options), url)
        except Exception as error:  # obstore has an error of its own for each cloud
            raise StoreFault(f"'{url}' is no store: {error}", hint="s3://BUCKET/PREFIX") from error

    def put(self, name: str, data: bytes) -> None:
        import obstore

        try:
            with self._translated(name):
                obstore.put(self._store, name, data, attributes=_attributes(name))
        except _Absent as error:
            raise StoreFault(str(error), hint="check the name of the bucket") from None

    def put_file(self, name: str, path: Path) -> None:
        import obstore

        try:
            with self._translated(name), path.open("rb") as file:
                obstore.put(self._store, name, file, attributes=_attributes(name))
        except _Absent as error:  # the file, or the bucket
            raise StoreFault(str(error), hint="check the file and the bucket") from None

    def get(self, name: str) -> bytes | None:
        import obstore

        try:
            with self._translated(name):
                return bytes(obstore.get(self._store, name).bytes())
        except _Absent:
            return None

    def file(self, name: str, out: Path) -> Path:
        import obstore

        try:
            with self._translated(name), out.open("wb") as file:
                for chunk in obstore.get(self._store, name).stream():
                    file.write(chunk)
        except _Absent:
            raise StoreFault(f"'{name}' is not in the store", hint="publish it again") from None
        return out

    def size(self, name: str) -> int | None:
        import obstore

        try:
            with self._translated(name):
                return int(obstore.head(self._store, name)["size"])
        except _Absent:
            return None

    def names(self, prefix: str) -> list[str]:
        import obstore

        with self._translated(prefix):
            pages = obstore.list(self._store, f"{prefix}/")
            return sorted(str(one["path"]) for page in pages for one in page)

    def delete(self, name: str) -> None:
        import obstore

        try:
            with self._translated(name):
                obstore.delete(self._store, name)
        except _Absent:
            return

    @contextmanager
    def _translated(self, name: str) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError as error:
            raise _Absent(f"'{name}': {_first_line(error)}") from None
        except Exception as error:  # obstore has an error of its own for each cloud
            what = f"'{name}' in '{self._url}': {_first_line(error)}"
            raise StoreFault(
                what, hint="check the bucket and its credentials, and try again"
            ) from error


def _first_line(error: Exception) -> str:
    """obstore says below it how it came to that."""
    return str(error).split("\n", 1)[0]


class _Absent(Exception):
    """The store has no such name."""


def _attributes(name: str) -> dict[str, str]:
    """Only the timestamp, and what is said of deltas, change under one name: caches may keep all
    the rest for good."""
    said = name.startswith(f"{DELTAS}/") and name.endswith(".json")
    if said or name.endswith("/timestamp.json"):
        return {"Cache-Control": f"max-age={_CHANGES_AGE_S}"}
    return {"Cache-Control": "max-age=31536000, immutable"}
