"""One conversation's mapping between identifiers and what stands for them."""

from __future__ import annotations

import re
import secrets
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any

from skerry.guardrails.english import FUNCTION_WORDS
from skerry.guardrails.errors import GuardrailError
from skerry.guardrails.findings import Finding, FindingKind
from skerry.guardrails.pseudonyms.entries import Entry, Form, Style
from skerry.guardrails.pseudonyms.matcher import Matcher
from skerry.guardrails.pseudonyms.registry import Registry
from skerry.guardrails.pseudonyms.shapes import compact
from skerry.guardrails.pseudonyms.surrogates import Surrogates

_KEY_BYTES = 16
_LEAST_LETTERS = 3
_LEAST_CHARACTERS = 5
_ROUNDS = 64
_ALSO_WORDS = frozenset(
    """
    will may mark rose hope grace faith joy bill frank jack dawn summer june april august march
    penny rich chase hunter dean grant pat sue rob nick guy ray art young brown green white black
    short long best cook baker price bond day field hill stone king church bell down ward hall
    sandy crystal star sky river forest christian victor earl duke miles love ford wall gates
    """.split()
)
"""Names that are words as well: known once, they are not looked for elsewhere."""

Span = tuple[int, int, str]


@dataclass(frozen=True, slots=True)
class _Part:
    """A piece of a text as it leaves; `ours` where it was replaced."""

    sent: str
    ours: bool = False


@dataclass(frozen=True, slots=True)
class _Chance:
    """A surrogate that a text holds by chance: [start, end) of the part `number`."""

    number: int
    start: int
    end: int
    label: str


class Pseudonyms:
    """One conversation's surrogates. Not thread-safe.

    Whatever leaves comes back: `restore(replace(text, …)) == text`, for every text. No surrogate
    is used that a text of the request holds; one that a later text holds gets a surrogate of its
    own, so that it stands for itself.

    Args:
        key: decides every surrogate; a new random one where it is left out.
        style: other names for names, or placeholders such as `<PERSON_1>`.
    """

    def __init__(self, key: bytes | None = None, style: Style | str = Style.SURROGATE) -> None:
        self._key = secrets.token_bytes(_KEY_BYTES) if key is None else key
        self._style = Style(style)
        self._registry = Registry()
        self._surrogates = Surrogates(self._key, self._registry)
        self._replaced: dict[tuple[str, str], None] = {}

    def __len__(self) -> int:
        """How many identifiers were replaced."""
        return len(self._replaced)

    @property
    def replaced(self) -> dict[str, int]:
        """How many identifiers of each label were replaced, by label."""
        return dict(sorted(Counter(label for label, _ in self._replaced).items()))

    def placeholders(self) -> dict[str, str]:
        """Every surrogate of ours, and what it stands for."""
        return {entry.sent: entry.value for entry in self._registry.entries}

    @property
    def matcher(self) -> Matcher:
        """What finds the surrogates of now."""
        return self._registry.matcher

    def replace(self, text: str, findings: Iterable[Finding]) -> str:
        """`text` with every PII finding replaced. Findings are offsets in this very text.

        What is known from earlier is replaced as well, found or not.

        Raises:
            GuardrailError: what would leave could not be put back; nothing must leave.
        """
        self._registry.note(text)
        spans = self._spans(text, findings)
        for style in dict.fromkeys((self._style, Style.PLACEHOLDER)):
            sent = self._composed(text, spans, style)
            if sent is not None and self.restore(sent) == text:
                self._replaced.update(dict.fromkeys((label, text[a:b]) for a, b, label in spans))
                return sent
        raise GuardrailError(
            "what identifies somebody could not be replaced so that it comes back",
            hint="nothing has left this device; ask again with other words",
        )

    def restore(self, text: str) -> str:
        """`text` with every known surrogate put back; unknown ones are left alone."""
        return self.matcher.restored(text)

    def dump(self) -> dict[str, Any]:
        """The mapping as plain data, for `load`. It must not leave the device."""
        entries = [[one.form, one.label, one.sent, one.value] for one in self._registry.entries]
        return {
            "key": self._key.hex(),
            "style": self._style,
            "last_placeholder": self._surrogates.last_placeholder,
            "entries": entries,
        }

    @classmethod
    def load(cls, dumped: dict[str, Any]) -> Pseudonyms:
        """The mapping that `dump` gave."""
        made = cls(bytes.fromhex(dumped["key"]), Style(dumped["style"]))
        for form, label, sent, value in dumped["entries"]:
            made._registry.add(Entry(Form(form), label, sent, value))
        made._surrogates.last_placeholder = dumped["last_placeholder"]
        return made

    def _spans(self, text: str, findings: Iterable[Finding]) -> list[Span]:
        """What is to be replaced, in order and without overlap."""
        spans: list[Span] = []
        cursor = 0
        for one in sorted(findings, key=lambda one: one.start):
            start = max(one.start, cursor)
            if one.kind is FindingKind.PII and one.end > start:
                spans.append((start, one.end, one.label))
                cursor = one.end
        for start, end, label in spans:
            self._surrogates.sent(text[start:end], label, self._style)
        return sorted([*spans, *self._known_between(text, spans)])

    def _known_between(self, text: str, spans: Sequence[Span]) -> Iterator[Span]:
        """What earlier findings tell of the rest: names and numbers that are named again."""
        telling = [one for one in self._registry.entries if _is_telling(one)]
        labels = {one.value.upper(): one.label for one in telling if one.form is Form.WORD}
        labels |= {one.value: one.label for one in telling}
        if not labels:
            return
        joined = "|".join(map(re.escape, sorted(labels, key=len, reverse=True)))
        known = re.compile(rf"(?<![^\W_])(?:{joined})(?![^\W_])")
        bounds = [(0, 0, ""), *spans, (len(text), len(text), "")]
        for (_, after, _), (before, _, _) in pairwise(bounds):
            for match in known.finditer(text, after, before):
                yield match.start(), match.end(), labels[match.group()]

    def _composed(self, text: str, spans: Sequence[Span], style: Style) -> str | None:
        """What leaves, with everything in it that is a surrogate by chance standing for itself.

        None if that cannot be had in this style.
        """
        parts = list(self._parts(text, spans, style))
        for _ in range(_ROUNDS):
            chance = self._by_chance(parts)
            if chance is None:
                return "".join(part.sent for part in parts)
            if chance.number < 0:
                return None
            parts = self._escaped(parts, chance, style)
        return None

    def _parts(self, text: str, spans: Sequence[Span], style: Style) -> Iterator[_Part]:
        cursor = 0
        for start, end, label in spans:
            yield _Part(text[cursor:start])
            yield _Part(self._surrogates.sent(text[start:end], label, style), ours=True)
            cursor = end
        yield _Part(text[cursor:])

    def _by_chance(self, parts: Sequence[_Part]) -> _Chance | None:
        """The first surrogate that is not ours; its number is -1 if it is partly ours."""
        whole, ends = "".join(part.sent for part in parts), _ends(parts)
        starts = [0, *ends[:-1]]
        for match in self.matcher.matches(whole):
            first, after = bisect_right(ends, match.start()), bisect_left(starts, match.end())
            if all(part.ours for part in parts[first:after]):
                continue
            number = first if after - first == 1 else -1
            at = starts[number]
            label = self.matcher.label(match)
            return _Chance(number, match.start() - at, match.end() - at, label)
        return None

    def _escaped(self, parts: Sequence[_Part], chance: _Chance, style: Style) -> list[_Part]:
        text = parts[chance.number].sent
        found = text[chance.start : chance.end]
        kind = "literal" if style is Style.PLACEHOLDER else chance.label
        sent = self._surrogates.sent(found, kind, style)
        new = (_Part(text[: chance.start]), _Part(sent, ours=True), _Part(text[chance.end :]))
        return [*parts[: chance.number], *new, *parts[chance.number + 1 :]]


def _is_telling(one: Entry) -> bool:
    """Whether its value, wherever it stands, is what it was when it was found."""
    if one.label == "literal" or one.form in (Form.AGE, Form.DATE, Form.PHRASE):
        return False
    if one.form is Form.WORD:
        lowered = one.value.lower()
        is_word = lowered in FUNCTION_WORDS or lowered in _ALSO_WORDS
        return len(lowered) >= _LEAST_LETTERS and not is_word and not one.value.islower()
    return len(compact(one.value)) >= _LEAST_CHARACTERS


def _ends(parts: Sequence[_Part]) -> list[int]:
    """Where each part ends in all of them together; each begins where the one before ends."""
    return list(accumulate(len(part.sent) for part in parts))
