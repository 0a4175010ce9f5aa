"""Writes one word in the case of another."""

from __future__ import annotations


def cased_like(word: str, like: str) -> str:
    """`word` as it is, or in lower or upper case where `like` is all of it."""
    if like.islower():
        return word.lower()
    letters = [one for one in like if one.isalpha()]
    if len(letters) > 1 and like.isupper():
        return word.upper()
    return word


def recased(value: str, like: str) -> str:
    """A value as it would be written where its surrogate is written `like`."""
    made = cased_like(value, like)
    if made == value and like[:1].isupper() and value.islower():
        return value[:1].upper() + value[1:]
    return made
