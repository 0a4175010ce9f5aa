"""Publishes an index as a cloud collection: embeds nothing, sends only what the cloud has not.

A document travels in parts that are named by what is in them, so that an interrupted publisher goes
on where it was. Nothing of it is visible before the last step, which is one transaction.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from skerry.cloud.collections.wire import (
    MOST_AT_ONCE,
    MOST_PARTS,
    Info,
    Listed,
    Missing,
    Part,
    Publish,
    Wanted,
    digest_of,
    read,
    version_of,
    written,
    written_part,
    written_parts,
)
from skerry.edge.collections.link import LaterError, Link
from skerry.edge.collections.parting import Folder, parts_of
from skerry.edge.encoder.base import TextEncoder
from skerry.edge.errors import InputError
from skerry.edge.index import Document, Index, Progress
from skerry.edge.index.sharing import kept_back
from skerry.edge.sources import gives_orders

LIMIT_S = 60.0
"""Of one request."""
_BATCH_BYTES = 512 << 10
_COUNTS = 0.8  # the score from which the default policy counts an injection
_MOST_WAITS, _LONGEST_WAIT_S = 30, 30.0

OnStep = Callable[[Progress], None] | None


@dataclass(frozen=True, slots=True)
class Contents:
    """What of an index is for others: parts by digest, each with its document. `kept_back` counts
    the documents that are not, by why."""

    parts: Mapping[str, Document]
    folder: Folder
    kept_back: Mapping[str, int]

    def version(self, encoder: TextEncoder) -> str:
        """The digest that a collection has which has just this."""
        return version_of(encoder.id, list(self.parts))


@dataclass(frozen=True, slots=True)
class Published:
    """What a collection has now. `sent` of its `parts` were new to the cloud. `orders` are the
    sources with passages that read as orders to a model, which devices leave out."""

    info: Info
    parts: int
    sent: int
    kept_back: Mapping[str, int]
    orders: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Publisher:
    """Publishes `index` as an operator. `pause` waits so many seconds, where the gateway is busy.

    Every method raises CloudError where the gateway cannot be asked, or says no, and those that
    read the index IndexFault.
    """

    link: Link
    encoder: TextEncoder
    pause: Callable[[float], None] = time.sleep

    def contents(self, index: Index) -> Contents:
        """Raises InputError: there is nothing to publish, or too much for one collection."""
        every = index.documents(include_superseded=True)
        why = {one.id: kept_back(one, time.time()) for one in every}
        documents = [one for one in every if not why[one.id]]
        folder = Folder.of([one.source for one in documents])
        parts = {
            digest_of(written_part(part)): document
            for document in documents
            for part in self._parts(index, document, folder)
        }
        left = Counter(reason for reason in why.values() if reason)
        _check_size(len(parts), left)
        return Contents(parts, folder, left)

    def publish(self, name: str, index: Index, on_step: OnStep) -> Published:
        """Gives the collection all documents of `index` that are for others, and no other.

        Raises:
            InputError: as `contents`.
        """
        contents = self.contents(index)
        digests = tuple(contents.parts)
        body = self._ask("POST", f"{name}/missing", written(Wanted(digests)))
        missing = frozenset(self.link.read(body, lambda raw: read(raw, Missing)).missing)
        for several in batched(self._missing(index, contents, missing, on_step)):
            self._ask("POST", f"{name}/parts", written_parts(several))
        wanted = Publish(self.encoder.id, self.encoder.dimensions, digests)
        body = self._ask("PUT", name, written(wanted))
        info = self.link.read(body, lambda raw: read(raw, Info))
        orders = tuple(self._orders(index, contents))
        return Published(info, len(digests), len(missing), contents.kept_back, orders)

    def remove(self, name: str) -> None:
        self._ask("DELETE", name)

    def listed(self) -> tuple[Info, ...]:
        """The collections that the key may search."""
        body = self.link.ask("GET", f"{self.link.options.url}/collections", limit_s=LIMIT_S)
        return self.link.read(body, lambda raw: read(raw, Listed)).data

    def problems(self, name: str, index: Index | None) -> list[str]:
        """Why devices with this encoder cannot search a collection, or do not find in it what
        `index` has; each in words."""
        info = next((one for one in self.listed() if one.name == name), None)
        if info is None:
            return [f"the gateway has no collection '{name}' for this key"]
        if info.encoder != self.encoder.id:
            return [f"it was made with the encoder '{info.encoder}', not with '{self.encoder.id}'"]
        if index is not None and self.contents(index).version(self.encoder) != info.digest:
            return [f"it does not hold what the index holds: publish {name} again"]
        return []

    def _orders(self, index: Index, contents: Contents) -> Iterator[str]:
        """Sources in which `skerry index add` found orders to a model."""
        for document in {one.id: one for one in contents.parts.values()}.values():
            chunks = index.shared(document.id).chunks
            found = index.screened(chunks, self.encoder).values()
            if any(gives_orders(one, _COUNTS) for several in found for one in several):
                yield document.source

    def _parts(self, index: Index, document: Document, folder: Folder) -> Iterator[Part]:
        return parts_of(index.shared(document.id), folder, self.encoder)

    def _missing(
        self, index: Index, contents: Contents, missing: Collection[str], on_step: OnStep
    ) -> Iterator[bytes]:
        """The parts that are missing, document by document."""
        tell = on_step or (lambda _: None)
        wanted = {one.id: one for digest, one in contents.parts.items() if digest in missing}
        sent = 0
        for done, document in enumerate(wanted.values()):
            tell(Progress(document.title, done, len(wanted), sent))
            for part in self._parts(index, document, contents.folder):
                body = written_part(part)
                if digest_of(body) in missing:
                    yield body
                    sent += len(part.passages)
        tell(Progress("", len(wanted), len(wanted), sent))

    def _ask(self, method: str, path: str, body: bytes = b"") -> bytes:
        """Waits where the gateway is busy or says that this comes too fast."""
        root = str(self.link.options.url).removesuffix("/v1")
        url = f"{root}/admin/collections/{path}"
        for _ in range(_MOST_WAITS):
            try:
                return self.link.ask(method, url, body, limit_s=LIMIT_S)
            except LaterError as error:
                self.pause(min(error.wait_s or 1.0, _LONGEST_WAIT_S))
        return self.link.ask(method, url, body, limit_s=LIMIT_S)


def batched(parts: Iterable[bytes]) -> Iterator[list[bytes]]:
    """Parts that travel together: some 512 KiB, or one that is larger."""
    several: list[bytes] = []
    for part in parts:
        if several and (sum(map(len, several)) + len(part) > _BATCH_BYTES or _is_full(several)):
            yield several
            several = []
        several.append(part)
    if several:
        yield several


def _is_full(several: Sequence[bytes]) -> bool:
    return len(several) >= MOST_AT_ONCE


def _check_size(parts: int, left: Mapping[str, int]) -> None:
    if not parts:
        why = ", ".join(f"{count} left out: {why}" for why, count in left.items())
        hint = f"{why}; see `skerry index ls --all`" if why else "`skerry index add` adds some"
        raise InputError("there is nothing to publish", hint=hint)
    if parts > MOST_PARTS:
        what = f"these are {parts:,} parts; a collection has {MOST_PARTS:,} at most"
        raise InputError(what, hint="publish them as several collections")
