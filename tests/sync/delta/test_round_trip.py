"""What a delta makes is the new file, byte for byte, for every type and every change."""

from __future__ import annotations

from pathlib import Path

import pytest

from skerry.bundles.gguf.ggml import TYPES_BY_NAME
from skerry.sync.delta import apply_delta, make_delta, shares
from tests.sync.delta.ggufs import Tensor, blocks, changed, model, write_gguf

COMMON = (
    "f32 f16 bf16 q4_0 q4_1 q5_0 q5_1 q8_0 q2_K q3_K q4_K q5_K q6_K iq4_nl iq4_xs iq2_xxs tq1_0 i8"
).split()


def there_and_back(old: Path, new: Path, folder: Path) -> int:
    delta, out = folder / "delta", folder / "out"
    made = make_delta([old], new, delta)
    done = apply_delta(delta, [old], out)
    assert out.read_bytes() == new.read_bytes()
    assert (done.size, done.kept) == (new.stat().st_size, 0)
    return made.size


@pytest.mark.parametrize("kind", COMMON)
def test_every_type(tmp_path: Path, kind: str) -> None:
    old = model(tmp_path / "old", kind)
    new = model(tmp_path / "new", kind, moved=9)
    size = there_and_back(old, new, tmp_path)
    assert size < 0.55 * new.stat().st_size


def test_the_same_file_costs_a_head(tmp_path: Path) -> None:
    old = model(tmp_path / "old", "q4_0")
    assert there_and_back(old, old, tmp_path) < 200


def test_a_longer_vocabulary_moves_all_tensors(tmp_path: Path) -> None:
    old = model(tmp_path / "old", "q4_0")
    new = model(tmp_path / "new", "q4_0", words=230, name="renamed")
    assert there_and_back(old, new, tmp_path) < 500


def test_a_tensor_under_another_name_is_found(tmp_path: Path) -> None:
    data = blocks("q8_0", 2000)
    old = write_gguf(tmp_path / "old", [Tensor("a", "q8_0", 64_000, data)])
    new = write_gguf(tmp_path / "new", [Tensor("b", "q8_0", 64_000, data)])
    assert there_and_back(old, new, tmp_path) < 500


def test_of_several_old_files_each_gives_what_it_has(tmp_path: Path) -> None:
    first, second = blocks("q4_0", 2000, 1), blocks("q4_0", 2000, 2)
    one = write_gguf(tmp_path / "1", [Tensor("a", "q4_0", 64_000, first)])
    two = write_gguf(tmp_path / "2", [Tensor("b", "q4_0", 64_000, second)])
    new = write_gguf(
        tmp_path / "new",
        [Tensor("b", "q4_0", 64_000, second), Tensor("a", "q4_0", 64_000, first)],
    )
    made = make_delta([one, two], new, tmp_path / "delta")
    apply_delta(tmp_path / "delta", [one, two], tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == new.read_bytes()
    assert made.size < 700


def test_half_of_a_tensor_that_stays_is_copied(tmp_path: Path) -> None:
    data = blocks("q8_0", 600_000)
    new_data = data[: len(data) // 2] + changed("q8_0", data[len(data) // 2 :])
    values = 600_000 * TYPES_BY_NAME["q8_0"].block
    old = write_gguf(tmp_path / "old", [Tensor("a", "q8_0", values, data)])
    new = write_gguf(tmp_path / "new", [Tensor("a", "q8_0", values, new_data)])
    made = make_delta([old], new, tmp_path / "delta")
    by_kind = {one.kind: one.output for one in shares(made.delta)}
    assert by_kind["copy"] > 0.3 * len(data)
    apply_delta(tmp_path / "delta", [old], tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == new.read_bytes()


@pytest.mark.parametrize("old", [b"", b"x", b"GGUF", b"GGUF" + bytes(100), b"some text " * 1000])
@pytest.mark.parametrize("new", [b"", b"y", b"GGUF\x03", b"some other text " * 1000])
def test_anything_from_anything(tmp_path: Path, old: bytes, new: bytes) -> None:
    (tmp_path / "old").write_bytes(old)
    (tmp_path / "new").write_bytes(new)
    there_and_back(tmp_path / "old", tmp_path / "new", tmp_path)


def test_without_an_old_file_it_is_a_packed_one(tmp_path: Path) -> None:
    new = model(tmp_path / "new", "f32")
    make_delta([], new, tmp_path / "delta")
    apply_delta(tmp_path / "delta", [], tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == new.read_bytes()
