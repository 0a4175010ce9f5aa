"""Restores a reply as it arrives, with the very result that the whole of it would have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from skerry.guardrails.pseudonyms.matcher import LOOK_BACK

if TYPE_CHECKING:
    from skerry.guardrails.pseudonyms.mapping import Pseudonyms


class Restorer:
    """Restores a stream: holds back what may be the start of a surrogate.

    What `feed` and `flush` give concatenates to `restore` of what was fed, however it was cut.
    The surrogates are those of when the stream began.
    """

    def __init__(self, pseudonyms: Pseudonyms) -> None:
        self._matcher = pseudonyms.matcher
        self._text = ""
        self._at = 0

    def feed(self, text: str) -> str:
        """Takes the next part of the reply; gives what is certain."""
        self._text += text
        return self._up_to(self._certain())

    def flush(self) -> str:
        """Gives what is left, as at the end of the reply."""
        rest = self._up_to(len(self._text))
        self._text, self._at = "", 0
        return rest

    def _certain(self) -> int:
        """Where the first surrogate may begin that more text would decide."""
        text, first = self._text, max(self._at, len(self._text) - self._matcher.longest)
        for at in range(first, len(text)):
            if self._may_begin(at):
                return at
        return len(text)

    def _may_begin(self, at: int) -> bool:
        one, before = self._text[at], self._text[at - 1 : at]
        if one not in self._matcher.starts and one.casefold() not in self._matcher.starts:
            return False
        return one == "<" or not (before.isascii() and before.isalpha() and one.isalpha())

    def _up_to(self, end: int) -> str:
        """Restores what is before `end`, and what begins there and ends after it."""
        made, at = [], self._at
        for match in self._matcher.matches(self._text, at):
            if match.start() >= end:
                break
            made += [self._text[at : match.start()], self._matcher.meaning(match)]
            at = match.end()
        made.append(self._text[at:end])
        at = max(at, end)
        kept = max(0, at - LOOK_BACK)
        self._text, self._at = self._text[kept:], at - kept
        return "".join(made)
