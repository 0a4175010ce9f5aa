"""A device's trust behind the command line that the public suite tuf-conformance drives.

```console
$ pip install git+https://github.com/theupdateframework/tuf-conformance
$ pytest --pyargs tuf_conformance --entrypoint "python -m tests.sync.conformance"
```
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from skerry.sync.client.http import HttpSource
from skerry.sync.client.trust import Trust
from skerry.sync.errors import SyncError
from skerry.sync.names import METADATA, TARGETS

ENROLLED = "enrolled"


class Places:
    """A source whose metadata and targets are at two URLs."""

    def __init__(self, metadata: str, targets: str = "") -> None:
        self._sources = {METADATA: HttpSource(metadata), TARGETS: HttpSource(targets or metadata)}

    def read(self, name: str, start: int = 0) -> Iterator[bytes]:
        place, _, rest = name.partition("/")
        return self._sources[place].read(rest, start)


def main() -> int:
    parser = argparse.ArgumentParser()
    for name in ("metadata-url", "metadata-dir", "target-dir", "target-base-url"):
        parser.add_argument(f"--{name}", default="")
    parser.add_argument("--target-name", action="append", default=[])
    parser.add_argument("-v", "--verbose", action="count")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("init").add_argument("root")
    commands.add_parser("refresh")
    commands.add_parser("download")
    given = parser.parse_args()
    folder = Path(given.metadata_dir)
    if given.command == "init":
        for name in (ENROLLED, "root.json"):
            shutil.copyfile(given.root, folder / name)
        return 0
    try:
        _work(given, folder)
    except SyncError as error:
        sys.stderr.write(f"{error.what}; {error.hint}\n")
        return 1
    return 0


def _work(given: argparse.Namespace, folder: Path) -> None:
    source = Places(given.metadata_url, given.target_base_url)
    trust = Trust(folder, (folder / ENROLLED).read_bytes(), source)
    trust.refresh()
    for name in given.target_name if given.command == "download" else ():
        trust.save(name, Path(given.target_dir) / quote(name, ""))


if __name__ == "__main__":
    sys.exit(main())
