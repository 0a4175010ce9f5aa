"""What a cloud found, as hits of this device's own. Pure; nothing that the cloud says is believed.

How near a passage is to the question is measured here, with the device's own encoder.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from skerry.cloud.collections.wire import Found
from skerry.edge.encoder.base import TextEncoder
from skerry.edge.index.drafts import searchable
from skerry.edge.index.fusion import fuse
from skerry.edge.index.types import Chunk, Hit, Kind
from skerry.edge.index.words import WordSplitter, plain

_DENSE = 0.5  # as IndexSettings.dense_weight


def chunks_of(found: Iterable[Found], collection: str, *, first: int) -> list[Chunk]:
    """Chunks with the ids `first`, `first - 1`, …; a passage that comes twice is taken once.

    A source begins with the collection's name, so that it is no source of this device's.
    """
    different = list({(one.document, one.passage): one for one in found}.values())
    documents = list(dict.fromkeys(one.document for one in different))
    return [
        Chunk(
            id=first - number,
            document_id=first - documents.index(one.document),
            text=plain(one.passage.text),
            heading=tuple(map(plain, one.passage.heading)),
            start=one.passage.start,
            end=one.passage.end,
            title=plain(one.document.title),
            source=f"{collection}/{plain(one.document.source)}",
            kind=Kind.ANCHORED,
            version=plain(one.document.version),
            valid_from=one.document.valid_from,
            expires_at=one.document.expires_at,
            superseded_at=one.document.superseded_at,
            domain=plain(one.document.domain),
            collection=collection,
        )
        for number, one in enumerate(different)
    ]


def usable(
    chunks: Iterable[Chunk], encoder: TextEncoder, *, now: float, domain: str | None
) -> Iterator[Chunk]:
    """Those in force at `now` (Unix seconds), of the domain, and no longer than a passage is."""
    for chunk in chunks:
        ends = [end for end in (chunk.expires_at, chunk.superseded_at) if end is not None]
        in_force = chunk.valid_from <= now and all(now < end for end in ends)
        of_domain = domain is None or chunk.domain == domain
        if in_force and of_domain and encoder.count_tokens(chunk.text) <= encoder.max_tokens:
            yield chunk


def hits_of(
    chunks: Sequence[Chunk],
    question: str,
    vector: NDArray[np.float32],
    encoder: TextEncoder,
    splitter: WordSplitter,
    *,
    floor: float,
) -> list[Hit]:
    """The chunks that are near the question, best first; `vector` is its unit vector.

    The score is like the index's own: half the cosine, and half the share of the question's telling
    words that the chunk has, all of one weight, as how rare they are is not known.
    """
    if not chunks:
        return []
    texts = [searchable(one.title, one.heading, one.text) for one in chunks]
    cosines = (encoder.encode(texts) @ vector).astype(np.float32)
    shares, bound = _shares(question, texts, splitter)
    scores = fuse(cosines, shares, bm25_bound=bound, dense_weight=_DENSE)
    hits = [
        Hit(chunk, float(score), float(cosine), float(share) or None)
        for chunk, score, cosine, share in zip(chunks, scores, cosines, shares, strict=True)
        if cosine >= floor
    ]
    return sorted(hits, key=lambda hit: -hit.score)


def _shares(
    question: str, texts: Sequence[str], splitter: WordSplitter
) -> tuple[NDArray[np.float32], float]:
    asked, *told = splitter.counts([question, *texts])
    wanted = splitter.telling(asked)
    shares = [len(wanted & one.keys()) / max(1, len(wanted)) for one in told]
    return np.array(shares, np.float32), 1.0 if wanted else 0.0
