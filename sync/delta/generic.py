"""Bytes of no known meaning: zstd, with a part of the old file as its dictionary."""

from __future__ import annotations

import zstandard

from skerry.sync.delta.errors import DeltaInvalid

_LEVEL = 19
_MOST_WINDOW = 1 << 27


def pack(data: bytes, dictionary: bytes = b"", level: int = _LEVEL) -> bytes:
    """`data` as one zstd frame that says its size."""
    parameters = _parameters(len(data), len(dictionary), level)
    return zstandard.ZstdCompressor(
        compression_params=parameters, dict_data=_raw_content(dictionary)
    ).compress(data)


def unpack(packed: bytes, length: int, dictionary: bytes = b"") -> bytes:
    """The `length` bytes that were packed.

    Raises:
        DeltaInvalid: it is no such frame, or unpacks to more or less than that.
    """
    try:
        frame = zstandard.get_frame_parameters(packed)
        if frame.content_size != length:
            raise DeltaInvalid("the delta is damaged: a frame has another size than it should")
        unpacker = zstandard.ZstdDecompressor(
            dict_data=_raw_content(dictionary), max_window_size=_MOST_WINDOW
        )
        data = unpacker.decompress(packed, max_output_size=length) if length else b""
    except (zstandard.ZstdError, MemoryError) as error:
        raise DeltaInvalid(f"the delta is damaged: {error}", hint="fetch it again") from error
    return data


def _parameters(size: int, dictionary: int, level: int) -> zstandard.ZstdCompressionParameters:
    """Of `zstd --patch-from`: a window over both, tables that index all of it, long matches."""
    window = min(27, max(10, (size + dictionary + 1024).bit_length()))
    wide = {"window_log": window}
    if dictionary:
        wide |= {"chain_log": min(window, 24), "hash_log": min(window, 22), "enable_ldm": True}
    return zstandard.ZstdCompressionParameters.from_level(
        level, source_size=size, dict_size=dictionary, write_content_size=True,
        write_checksum=False, **wide,
    )  # fmt: skip


def _raw_content(dictionary: bytes) -> zstandard.ZstdCompressionDict | None:
    if len(dictionary) < 8:
        return None
    return zstandard.ZstdCompressionDict(dictionary, dict_type=zstandard.DICT_TYPE_RAWCONTENT)
