"""The cloud tier knows nothing of the device: it has no encoder, no index and no policy."""

from __future__ import annotations

import re
from pathlib import Path

import skerry.cloud

_EDGE = re.compile(r"^\s*(?:from|import) skerry\.(?:edge|export|sync)\b", re.MULTILINE)


def test_the_cloud_imports_no_room_of_devices() -> None:
    modules = list(Path(skerry.cloud.__file__).parent.rglob("*.py"))
    assert len(modules) > 50
    assert [str(one) for one in modules if _EDGE.search(one.read_text())] == []
