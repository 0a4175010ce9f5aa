"""Replaces identifiers before a text leaves the device, and puts them back in the reply.

Each identifier gets a placeholder such as `<EMAIL_1>`: the same one for the same value
within one request. The mapping stays in this object, on the device.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from skerry.guardrails.findings import Finding, FindingKind

_PLACEHOLDER = re.compile(r"<[A-Z_]{2,24}_\d{1,6}>")
_LONGEST = 34


@dataclass(slots=True)
class Pseudonyms:
    """One request's mapping between identifiers and placeholders.

    Every placeholder in what goes out that has a value is one of ours: none is used that a text
    already holds, and one that a later text holds gets a placeholder of its own.
    """

    _by_value: dict[str, str] = field(default_factory=dict)
    _by_placeholder: dict[str, str] = field(default_factory=dict)
    _foreign: set[str] = field(default_factory=set)
    _last: int = 0

    def __len__(self) -> int:
        """How many identifiers were replaced."""
        return len(self._by_value)

    def placeholders(self) -> dict[str, str]:
        """Every placeholder of ours, and what it stands for."""
        return dict(self._by_placeholder)

    def replace(self, text: str, findings: Iterable[Finding]) -> str:
        """`text` with every PII finding replaced. Findings are offsets in this very text."""
        self._foreign.update(_PLACEHOLDER.findall(text))
        parts, cursor = [], 0
        for finding in sorted(findings, key=lambda one: one.start):
            start = max(finding.start, cursor)
            if finding.kind is not FindingKind.PII or finding.end <= start:
                continue
            parts.append(self._escape(text[cursor:start]))
            parts.append(self._identifier(text[start : finding.end], finding.label))
            cursor = finding.end
        return "".join((*parts, self._escape(text[cursor:])))

    def restore(self, text: str) -> str:
        """`text` with every known placeholder put back; unknown ones are left alone."""
        return _PLACEHOLDER.sub(
            lambda match: self._by_placeholder.get(match.group(), match.group()), text
        )

    def _identifier(self, value: str, label: str) -> str:
        if value not in self._by_value:
            self._by_value[value] = self._placeholder(value, label)
        return self._by_value[value]

    def _escape(self, text: str) -> str:
        """`text` in which what happens to be one of our placeholders stands for itself."""
        return _PLACEHOLDER.sub(lambda match: self._literal(match.group()), text)

    def _literal(self, found: str) -> str:
        return self._placeholder(found, "literal") if found in self._by_placeholder else found

    def _placeholder(self, value: str, label: str) -> str:
        """A placeholder that no text holds."""
        while True:
            self._last += 1
            name = f"<{label.upper()}_{self._last}>"
            if name not in self._foreign:
                self._by_placeholder[name] = value
                return name


class Restorer:
    """Restores a stream: holds back what may be the start of a placeholder."""

    def __init__(self, pseudonyms: Pseudonyms) -> None:
        self._pseudonyms = pseudonyms
        self._held = ""

    def feed(self, text: str) -> str:
        pending = self._held + text
        cut = self._cut(pending)
        self._held = pending[cut:]
        return self._pseudonyms.restore(pending[:cut])

    def flush(self) -> str:
        held, self._held = self._held, ""
        return self._pseudonyms.restore(held)

    def _cut(self, pending: str) -> int:
        start = pending.rfind("<")
        unfinished = start >= 0 and ">" not in pending[start:]
        return start if unfinished and len(pending) - start < _LONGEST else len(pending)
