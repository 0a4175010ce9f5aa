"""Ordered scales that people read: compared as numbers, written by name."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic_core import CoreSchema


class Level(IntEnum):
    """A scale whose members compare by rank; files and JSON hold their names in lower case."""

    @property
    def word(self) -> str:
        return self.name.lower()

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> CoreSchema:
        from pydantic_core import core_schema as core

        words = core.literal_schema([level.word for level in cls])
        by_word = core.no_info_after_validator_function(lambda word: cls[word.upper()], words)
        return core.json_or_python_schema(
            json_schema=by_word,
            python_schema=core.union_schema([core.is_instance_schema(cls), by_word]),
            serialization=core.plain_serializer_function_ser_schema(
                lambda level: level.word, return_schema=words
            ),
        )
