"""A tar that is nowhere is read by the tar of the standard library, whole and in parts."""

from __future__ import annotations

import hashlib
import io
import tarfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.sync.hawkbit.tar import Member, VirtualTar

FILES = st.dictionaries(
    st.text("abc/", min_size=1, max_size=130).filter(lambda name: name.strip("/") == name),
    st.binary(max_size=1_500),
    max_size=5,
)


def _tar(files: dict[str, bytes]) -> VirtualTar:
    return VirtualTar([Member(name, content, len(content)) for name, content in files.items()])


@given(FILES)
def test_it_is_a_tar_of_the_files(files: dict[str, bytes]) -> None:
    whole = b"".join(_tar(files).read())
    assert len(whole) == _tar(files).size
    with tarfile.open(fileobj=io.BytesIO(whole)) as tar:
        found = {one.name: tar.extractfile(one).read() for one in tar.getmembers()}  # type: ignore[union-attr]
    assert found == files


@given(FILES, st.integers(0, 20_000), st.integers(0, 20_000))
def test_any_part_is_that_part(files: dict[str, bytes], start: int, length: int) -> None:
    tar = _tar(files)
    whole = b"".join(tar.read())
    assert b"".join(tar.read(start, start + length)) == whole[start : start + length]


def test_content_comes_from_files(tmp_path: Path) -> None:
    path = tmp_path / "big"
    path.write_bytes(bytes(range(256)) * 4_000)
    tar = VirtualTar([Member("a", b"x", 1), Member("big", path, path.stat().st_size)])
    whole = b"".join(tar.read())
    hashes = tar.hashes()
    assert hashes.sha1 == hashlib.sha1(whole).hexdigest()
    assert hashes.md5 == hashlib.md5(whole).hexdigest()
    assert (hashes.sha256, hashes.size) == (hashlib.sha256(whole).hexdigest(), len(whole))
    path.write_bytes(b"short")
    with pytest.raises(OSError, match="shorter"):
        b"".join(tar.read())
