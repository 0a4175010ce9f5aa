"""Which screen looks at documents: what one found is not what another would find.

A digest of all that decides on a finding, and of more rather than less: the code of the guardrails,
the manifests of their weights (which have the digests of those), Python's table of characters, and
the encoder.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from functools import cache
from hashlib import blake2b
from pathlib import Path

from skerry import guardrails
from skerry.edge import screening
from skerry.guardrails.networks import INSTALLED, Networks

_FOLDERS = ("", "injection", "names", "safety", "wording")
_MANIFESTS = (
    "injection/weights/injection.json",
    "names/weights/names.json",
    "safety/weights/safety.json",
    "wording/weights/table.json",
)


def screen_id(encoder_id: str, networks: Networks = INSTALLED) -> bytes | None:
    """16 bytes that are equal for equal screens of passages, with the vectors of this encoder
    and these networks.

    None where the code is not there to be read: then nobody knows.
    """
    code = _digest_of_code()
    if code is None:
        return None
    heads = encoder_id if screening.knows_encoder(encoder_id) else ""
    other = b"" if networks is INSTALLED else networks.id()
    return blake2b(code + other + heads.encode(), digest_size=16, person=b"skerry screen").digest()


@cache
def _digest_of_code() -> bytes | None:
    """Read once: a process goes on with the code that it has loaded, whatever is installed."""
    digest = blake2b(unicodedata.unidata_version.encode())
    try:
        for path in _files():
            content = path.read_bytes()
            digest.update(f"{path.name} {len(content)} ".encode() + content)
    except OSError:
        return None
    return digest.digest()


def _files() -> Iterator[Path]:
    """Every file by whose change another screen is made.

    Raises:
        OSError: the code is not kept as files.
    """
    root = Path(guardrails.__file__).parent
    for folder in _FOLDERS:
        yield from sorted((root / folder).glob("*.py"))
    yield from (root / name for name in (*_MANIFESTS, "screen.py"))
    yield from (Path(screening.__file__), Path(screening.__file__).with_name("sources.py"))
