"""Deltas in place of whole files: from content that a device has to content that it lacks.

For each content the store may say which deltas lead to it (`names.delta_index`). That is not
trusted: it only chooses what is fetched, and what comes of it is compared with the signed digest.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

from skerry.bundles import File, Manifest
from skerry.bundles.hashing import Told
from skerry.sync.client.objects import Objects
from skerry.sync.client.plan import Full, Having, Step, append
from skerry.sync.delta.chain import apply_chain
from skerry.sync.delta.errors import DeltaError, NoRoom
from skerry.sync.delta.inspect import open_delta
from skerry.sync.delta.plan import Offer, Route, cheapest
from skerry.sync.durable import remove_tree
from skerry.sync.errors import NoSpace, NotThere, Untrusted
from skerry.sync.names import DELTA_FROM_BYTES, Deltas, delta_index, delta_path

_MOST_INDEX_BYTES = 64 << 10
_MOST_STEPS = 4
_MOST_TIMES = 4
_MOST_INDICES = 16
"""Of one content: versions between the device's and the new one that are looked at."""


class DeltaPlanner:
    """See `skerry.sync.client.plan.Planner`: whole contents, where no delta is less."""

    def plan(
        self, old: Collection[File], new: Manifest, missing: Sequence[File], having: Having
    ) -> list[Step]:
        del new
        have = frozenset(file.sha256 for file in old if having.objects.has(file.sha256, file.size))
        return [_step(file, have, having) for file in missing]


def _step(file: File, have: frozenset[str], having: Having) -> Step:
    if file.size < DELTA_FROM_BYTES or not have:
        return Full(file.sha256, file.size)
    offers = list(_offers(file, have, having))
    route = cheapest(offers, have, file.sha256, file.size, most_steps=_MOST_STEPS)
    if route is None or route.full:
        return Full(file.sha256, file.size)
    return ByDelta(file.sha256, file.size, route)


def _offers(file: File, have: frozenset[str], having: Having) -> Iterator[Offer]:
    """Deltas that lead to a content, from versions that are there or may be made on the way."""
    waiting, asked = [file.sha256], {file.sha256}
    while waiting and len(asked) <= _MOST_INDICES:
        target = waiting.pop(0)
        index = _index(target, having)
        if index.size > _MOST_TIMES * file.size:  # the store would have the disk filled
            continue
        for source, size in index.sources.items():
            name = delta_path(source, target)
            yield Offer(name, size, frozenset({source}), target, index.size)
            if source not in have and source not in asked:
                asked.add(source)
                waiting.append(source)


def _index(digest: str, having: Having) -> Deltas:
    """What the store says; nothing, where it says nothing that can be read."""
    data = bytearray()
    with suppress(NotThere, msgspec.MsgspecError):
        for block in having.read(delta_index(digest), 0):
            data += block
            if len(data) > _MOST_INDEX_BYTES:
                return Deltas(0, {})
        return msgspec.json.decode(data, type=Deltas)
    return Deltas(0, {})


@dataclass(frozen=True, slots=True)
class ByDelta:
    """See `skerry.sync.client.plan.Step`: fetches the deltas of a route, and applies them."""

    digest: str
    size: int
    route: Route

    @property
    def cost(self) -> int:
        return self.route.fetched

    @property
    def room(self) -> int:
        return self.route.written + self.route.fetched

    def came(self, objects: Objects) -> int:
        files = zip(self._files(objects.incoming(self.digest)), self.route.offers, strict=True)
        return sum(min(_size(path), offer.size) for path, offer in files)

    def make(self, out: Path, having: Having, told: Told) -> None:
        deltas = self._files(out)
        for path, offer in zip(deltas, self.route.offers, strict=True):
            append(path, offer.name, offer.size, having, told)
            self._check(path, offer, out)
        (source,) = self.route.offers[0].sources
        made = out.with_name(f"{out.name}.made")
        remove_tree(made)  # a power cut may have left it before it was moved
        try:
            partial = out if out.exists() else None
            apply_chain(deltas, [having.objects.path(source)], made, partial=partial)
        except NoRoom as error:
            raise NoSpace(error.what, hint="free some space; it goes on from there") from error
        except DeltaError as error:
            self._clear(out)
            raise self._unusable(error) from error
        made.replace(out)
        self._clear(out)

    def _check(self, path: Path, offer: Offer, out: Path) -> None:
        """Raises Untrusted: it does not make what it is for."""
        size = self.size if offer.target == self.digest else offer.target_size
        try:
            made = open_delta(path).target
        except DeltaError as error:
            self._clear(out)
            raise self._unusable(error) from error
        if (made.sha256.hex(), made.size) != (offer.target, size):
            self._clear(out)
            raise self._unusable("it makes something else")

    def _unusable(self, why: object) -> Untrusted:
        what = f"the delta to {self.digest[:12]} cannot be used: {why}"
        return Untrusted(what, hint="the whole file is fetched instead")

    def _files(self, out: Path) -> list[Path]:
        return [out.with_name(f"{out.name}.{at}.skd") for at in range(len(self.route.offers))]

    def _clear(self, out: Path) -> None:
        for path in (*self._files(out), *out.parent.glob(f"{out.name}.made*")):
            remove_tree(path)


def _size(path: Path) -> int:
    with suppress(OSError):
        return path.stat().st_size
    return 0
