"""Files that are not what they say: each gets a clear error before llama.cpp sees it."""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import gguf
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from llama_cpp._ggml import libggml

from skerry.bundles.gguf.ggml import KV_TYPES, TYPES, TYPES_BY_NAME
from skerry.edge.engines.base import EngineOptions
from skerry.edge.engines.llama import check_model, load_llama, read_header
from skerry.edge.errors import ModelError, ModelInvalid, ModelNotFound
from tests.edge.engines import tiny


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.write_model(tmp_path_factory.mktemp("model") / "tiny.gguf")


@pytest.fixture
def damaged(model: Path, tmp_path: Path) -> Callable[[bytes], Path]:
    def write(data: bytes) -> Path:
        path = tmp_path / "damaged.gguf"
        path.write_bytes(data)
        return path

    return write


def refused(path: Path, error: type[ModelError] = ModelInvalid) -> ModelError:
    with pytest.raises(error) as caught:
        load_llama(path, EngineOptions(context_tokens=64, threads=1), cache=path.parent)
    assert caught.value.hint
    return caught.value


def test_what_a_header_says(model: Path) -> None:
    header = read_header(model)
    assert (header.architecture, header.kind, header.licence) == ("llama", "model", "apache-2.0")
    assert (header.layers, header.heads, header.kv_heads) == (2, 4, 2)
    assert (header.head_size, header.context_tokens) == (16, tiny.CONTEXT)
    assert header.vocabulary == len(tiny.vocabulary())
    assert header.token_bytes == max(len(token.encode()) for token in tiny.vocabulary())
    assert header.quantization == "F32"
    assert header.size_bytes == model.stat().st_size
    assert header.parameters == sum(
        gguf_tensor.n_elements for gguf_tensor in gguf.GGUFReader(model).tensors
    )


def test_bytes_of_the_kv_cache(model: Path) -> None:
    header = read_header(model)
    values = 2 * 2 * 2 * 16  # layers, keys and values, heads, head size
    assert header.kv_values == values
    assert header.kv_bytes(100) == 100 * values * 2
    assert header.kv_bytes(100, "q8_0") == 100 * values // 32 * 34


@pytest.mark.model
def test_the_default_model(smollm2: Path) -> None:
    header = read_header(smollm2)
    check_model(header)
    assert header.quantization == "Q4_1"
    assert header.parameters == 134_515_008
    assert header.kv_bytes(1) == 30 * 2 * 3 * 64 * 2


def test_the_tensor_types_are_those_of_ggml() -> None:
    ggml = ctypes.CDLL(libggml._name)
    ggml.ggml_type_name.restype = ctypes.c_char_p
    ggml.ggml_blck_size.restype = ctypes.c_int64
    ggml.ggml_type_size.restype = ctypes.c_size_t
    for kind in TYPES.values():
        assert ggml.ggml_type_name(kind.number).decode() == kind.name
        assert ggml.ggml_blck_size(kind.number) == kind.block
        assert ggml.ggml_type_size(kind.number) == kind.bytes
    assert set(KV_TYPES) <= TYPES_BY_NAME.keys()


def test_no_such_file(tmp_path: Path) -> None:
    refused(tmp_path / "gone.gguf", ModelNotFound)


def test_a_folder(tmp_path: Path) -> None:
    refused(tmp_path)


NOT_GGUF = {
    "empty": (b"", "is empty"),
    "text": (b"Dear reader, this is no model.\n" * 9, "begins with b'Dear rea'"),
    "Git LFS pointer": (b"version https://git-lfs.github.com/spec/v1\n", "is not a GGUF"),
    "PyTorch": (b"PK\x03\x04" + b"\0" * 99, "is not a GGUF"),
    "only the magic": (b"GGUF", "cut off"),
    "version 99": (b"GGUF" + struct.pack("<IQQ", 99, 0, 0), "version 99"),
    "endless keys": (b"GGUF" + struct.pack("<IQQ", 3, 1, 2**60), "claims"),
    "endless tensors": (b"GGUF" + struct.pack("<IQQ", 3, 2**60, 1), "claims"),
    "endless string": (b"GGUF" + struct.pack("<IQQQ", 3, 0, 1, 2**62), "claims"),
    "endless array": (
        b"GGUF" + struct.pack("<IQQQ", 3, 0, 1, 1) + b"k" + struct.pack("<IIQ", 9, 8, 2**61),
        "claims",
    ),
    "string past the end": (
        b"GGUF" + struct.pack("<IQQQ", 3, 0, 1, 1) + b"k" + struct.pack("<IIQQ", 9, 8, 1, 2**63),
        "cut off",
    ),
    "array of arrays": (
        b"GGUF" + struct.pack("<IQQQ", 3, 0, 1, 1) + b"k" + struct.pack("<IIQ", 9, 9, 1),
        "array of type 9",
    ),
    "no architecture": (b"GGUF" + struct.pack("<IQQ", 3, 0, 0), "architecture"),
}


@pytest.mark.parametrize(("data", "says"), NOT_GGUF.values(), ids=NOT_GGUF.keys())
def test_not_gguf(damaged: Callable[[bytes], Path], data: bytes, says: str) -> None:
    assert says in str(refused(damaged(data)))


@pytest.mark.parametrize("share", [0.001, 0.01, 0.1, 0.5, 0.999])
def test_truncated(model: Path, damaged: Callable[[bytes], Path], share: float) -> None:
    data = model.read_bytes()
    assert "cut off" in str(refused(damaged(data[: int(len(data) * share)])))


def patched(data: bytes, key: str, value: bytes) -> bytes:
    """The file with the scalar of `key` replaced."""
    at = data.index(key.encode()) + len(key) + 4
    return data[:at] + value + data[at + len(value) :]


ABSURD = {
    "no layers": ("llama.block_count", struct.pack("<I", 0)),
    "a million layers": ("llama.block_count", struct.pack("<I", 10**6)),
    "no heads": ("llama.attention.head_count", struct.pack("<I", 0)),
    "no KV heads": ("llama.attention.head_count_kv", struct.pack("<I", 0)),
    "no width": ("llama.embedding_length", struct.pack("<I", 0)),
    "endless context": ("llama.context_length", struct.pack("<I", 2**32 - 1)),
    "epsilon not a number": ("rms_epsilon", struct.pack("<f", float("nan"))),
    "epsilon below zero": ("rms_epsilon", struct.pack("<f", -1.0)),
    "unknown architecture": ("general.architecture", struct.pack("<Q", 5) + b"gamma"),
    "another architecture": ("general.architecture", struct.pack("<Q", 5) + b"mamba"),
}


@pytest.mark.parametrize("case", ABSURD, ids=str)
def test_values_that_no_model_has(model: Path, damaged: Callable[[bytes], Path], case: str) -> None:
    key, value = ABSURD[case]
    refused(damaged(patched(model.read_bytes(), key, value)))


def test_a_token_twice(model: Path, damaged: Callable[[bytes], Path]) -> None:
    one = struct.pack("<Q", 1)
    error = refused(damaged(model.read_bytes().replace(one + b"z", one + b"y", 1)))
    assert "a token twice" in str(error)


def test_an_adapter_is_not_a_model(tmp_path: Path) -> None:
    error = refused(tiny.write_lora(tmp_path / "lora.gguf", up=1))
    assert "adapter" in error.hint


def test_no_weights(tmp_path: Path) -> None:
    writer = gguf.GGUFWriter(tmp_path / "bare.gguf", "llama")
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()
    assert "no weights" in str(refused(tmp_path / "bare.gguf"))


def test_a_head_that_does_not_say_its_sizes(tmp_path: Path) -> None:
    writer = gguf.GGUFWriter(tmp_path / "short.gguf", "llama")
    writer.add_tensor("x", np.zeros(32, np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    assert "llama.block_count" in str(refused(tmp_path / "short.gguf"))


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(at=st.integers(0, 5000), value=st.integers(0, 255), cut=st.integers(0, 5000))
def test_a_damaged_head_never_crashes_the_reader(
    model: Path, damaged: Callable[[bytes], Path], at: int, value: int, cut: int
) -> None:
    data = bytearray(model.read_bytes()[: -cut or None])
    data[at] = value
    with suppress(ModelError):
        check_model(read_header(damaged(bytes(data))))
