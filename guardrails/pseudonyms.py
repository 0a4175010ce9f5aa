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
    """One request's mapping between identifiers and placeholders."""

    _by_value: dict[str, str] = field(default_factory=dict)
    _by_placeholder: dict[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self._by_value)

    def replace(self, text: str, findings: Iterable[Finding]) -> str:
        """`text` with every PII finding replaced. Findings are offsets in this very text."""
        parts, cursor = [], 0
        for finding in sorted(findings, key=lambda one: one.start):
            if finding.kind is not FindingKind.PII or finding.start < cursor:
                continue
            parts += [
                text[cursor : finding.start],
                self._placeholder(text[finding.start : finding.end], finding.label),
            ]
            cursor = finding.end
        return "".join((*parts, text[cursor:]))

    def restore(self, text: str) -> str:
        """`text` with every known placeholder put back; unknown ones are left alone."""
        return _PLACEHOLDER.sub(
            lambda match: self._by_placeholder.get(match.group(), match.group()), text
        )

    def _placeholder(self, value: str, label: str) -> str:
        if value not in self._by_value:
            name = f"<{label.upper()}_{len(self._by_value) + 1}>"
            self._by_value[value] = name
            self._by_placeholder[name] = value
        return self._by_value[value]


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
