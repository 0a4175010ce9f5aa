"""The entries of one mapping: what is taken, what is free, and what finds them again."""

from __future__ import annotations

import re
from collections.abc import Iterable

from skerry.guardrails.pseudonyms.entries import Entry, Form
from skerry.guardrails.pseudonyms.matcher import Matcher
from skerry.guardrails.pseudonyms.shapes import compact

PLACEHOLDER = re.compile(r"<[A-Z_]{2,24}_\d{1,6}>")


class Registry:
    """Entries by surrogate and by value, and the texts of the request that must not hold one."""

    def __init__(self) -> None:
        self._by_sent: dict[str, Entry] = {}
        self._by_value: dict[tuple[str, str], Entry] = {}
        self._texts: list[tuple[str, str]] = []
        self._matcher: Matcher | None = None

    @property
    def entries(self) -> Iterable[Entry]:
        return self._by_sent.values()

    @property
    def matcher(self) -> Matcher:
        """What finds the surrogates of now."""
        if self._matcher is None:
            self._matcher = Matcher(self.entries)
        return self._matcher

    def note(self, text: str) -> None:
        """From now on no surrogate is used that `text` holds."""
        self._texts.append((text.lower(), compact(text)))

    def known(self, label: str, value: str) -> Entry | None:
        return self._by_value.get((label, value))

    def add(self, entry: Entry) -> str:
        """Keeps `entry`; gives what is sent."""
        self._by_sent[entry.sent] = entry
        label = "<" if PLACEHOLDER.fullmatch(entry.sent) else entry.label
        self._by_value.setdefault((label, entry.value), entry)
        self._matcher = None
        return entry.sent

    def add_if_new(self, entry: Entry) -> None:
        if entry.sent not in self._by_sent and entry.sent != entry.value:
            self.add(entry)

    def is_free(self, one: Entry) -> bool:
        """Whether its surrogate stands for nothing else, and no text of the request holds it."""
        if one.sent == one.value or one.sent in self._by_sent:
            return False
        if one.form is Form.DATE:  # one shift keeps dates apart; others stand for themselves
            return True
        if one.form is Form.AGE:
            return not any(f" {one.sent}" in f" {text}" for text, _ in self._texts)
        if one.form is Form.NUMBER:
            return self._is_free_number(one)
        lowered = one.sent.lower()
        if one.form is Form.WORD and not self._is_free_word(lowered, one.value):
            return False
        return not any(lowered in text for text, _ in self._texts)

    def _is_free_number(self, one: Entry) -> bool:
        """Digits that are a surrogate already may only stand for the same digits."""
        bare, meant = compact(one.sent), compact(one.value)
        taken = (e for e in self.entries if e.form is Form.NUMBER and compact(e.sent) == bare)
        if any(compact(other.value) != meant for other in taken):
            return False
        return not any(bare in compacted for _, compacted in self._texts)

    def _is_free_word(self, lowered: str, value: str) -> bool:
        """A word that is a surrogate already may stand for another spelling of the same name."""
        same = (e for e in self.entries if e.form is Form.WORD and e.sent.lower() == lowered)
        return all(other.value.lower() == value.lower() for other in same)
