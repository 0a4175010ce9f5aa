"""What the screen finds and what it lets through, beside peers, on texts of no training.

A span counts as found where its kind is right and it overlaps with the true one by at least half
of both together; neighbouring spans of one kind are one, for everybody alike. Dates that are
nobody's are counted for and against nobody.
"""

from __future__ import annotations

import logging
import random
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from skerry.guardrails.findings import Finding, FindingKind
from skerry.guardrails.pseudonyms import Pseudonyms, Restorer
from skerry.guardrails.pseudonyms.shapes import compact
from skerry.guardrails.screen import screen, screen_whole
from skerry.guardrails.train.names.compose import Labelled

Span = tuple[int, int, str]
Find = Callable[[str], Iterable[Span]]

_KINDS = {"address": "place", "postcode": "place", "date": "date_of_birth"}
_LEAST_OVERLAP = 0.5
_WIDEST_GAP = 3
_PAGES = 100
_LEAST_PRESIDIO_SCORE = 0.4
_PRESIDIO = {
    "EMAIL_ADDRESS": "email", "PHONE_NUMBER": "phone", "CREDIT_CARD": "card", "IBAN_CODE": "iban",
    "IP_ADDRESS": "ip_address", "US_SSN": "ssn", "URL": "url", "UK_NHS": "nhs_number",
    "DATE_TIME": "date_of_birth", "US_DRIVER_LICENSE": "driver_licence", "PERSON": "person",
    "LOCATION": "place", "ORGANIZATION": "organisation",
}  # fmt: skip
_PLAIN = {
    "email": r"[\w.+-]+@[\w-]+\.[\w.]+",
    "phone": r"\+?\d[\d ().-]{7,}\d",
    "ssn": r"\d{3}-\d{2}-\d{4}",
    "card": r"(?:\d{4}[ -]?){3}\d{4}",
    "ip_address": r"\d+\.\d+\.\d+\.\d+",
    "url": r"https?://\S+",
    "iban": r"[A-Z]{2}\d{2}[A-Z0-9 ]{11,30}",
    "person": r"(?<=(?:Mr|Ms|Dr) )[A-Z]\w+|[A-Z][a-z]+ [A-Z][a-z]+",
    "place": r"\d+ (?:[A-Z]\w+ )+(?:Street|Road|Lane|Avenue|Drive)",
}


@dataclass(frozen=True, slots=True)
class Figures:
    """`leak_rate`: the share of the letters and digits of true spans that no found span covers."""

    precision: float
    recall: float
    f1: float
    leak_rate: float
    spans: int


def whole(text: str) -> list[Span]:
    """The whole screen: patterns and names."""
    return _pii(screen_whole(text))


def patterns(text: str) -> list[Span]:
    """The patterns alone."""
    return _pii(screen(text))


def plain_expressions(text: str) -> list[Span]:
    """What a few regular expressions find, as one writes them in an afternoon."""
    return [
        (match.start(), match.end(), label)
        for label, pattern in _PLAIN.items()
        for match in re.finditer(pattern, text)
    ]


def presidio() -> Find:
    """Presidio's pattern recognisers for English, without a language model, from a score of 0.4.

    Raises:
        ImportError: presidio-analyzer is not installed.
    """
    from presidio_analyzer import PatternRecognizer, RecognizerRegistry

    # It looks for a list of top-level domains on the network, and falls back to its own.
    logging.getLogger("tldextract").setLevel(logging.CRITICAL)
    registry = RecognizerRegistry()
    registry.load_predefined_recognizers(languages=["en"])
    every: list[Any] = list(registry.recognizers)
    known = [one for one in every if _is_pattern(one, PatternRecognizer)]

    def find(text: str) -> list[Span]:
        found = [hit for one in known for hit in one.analyze(text, one.supported_entities, None)]
        return [
            (hit.start, hit.end, _PRESIDIO.get(hit.entity_type, hit.entity_type.lower()))
            for hit in found
            if hit.score >= _LEAST_PRESIDIO_SCORE
        ]

    return find


def measure(find: Find, texts: Sequence[Labelled]) -> Figures:
    """The figures of `find` over `texts`."""
    right = found_all = true_all = left = characters = 0
    for one in texts:
        found_raw = list(find(one.text))
        true, found = _merged(one.spans, one.text), _merged(found_raw, one.text)
        hits = sum(any(_same(span, other) for other in found) for span in true)
        right, true_all = right + hits, true_all + len(true)
        found_all += hits + sum(_is_wrong(span, true) for span in found)
        letters = [at for span in true for at in range(*span[:2]) if one.text[at].isalnum()]
        covered = {at for start, end, _ in found_raw for at in range(start, end)}
        characters += len(letters)
        left += sum(at not in covered for at in letters)
    precision, recall = right / max(found_all, 1), right / max(true_all, 1)
    f1 = 2 * precision * recall / max(precision + recall, 1e-9)
    return Figures(precision, recall, f1, left / max(characters, 1), true_all)


def restore_rate(texts: Sequence[Labelled], seed: int) -> tuple[float, float]:
    """The shares of what was replaced that comes back: whole replies, and streamed ones.

    A reply is the text as it was sent, cut anywhere, and each surrogate in other forms: with a
    genitive, in capitals, without its punctuation.
    """
    draw = random.Random(seed)
    counts = [_restored(one.text, draw) for one in texts]
    tried = sum(number for number, _, _ in counts)
    at_once, streamed = (sum(count[at] for count in counts) for at in (1, 2))
    return at_once / max(tried, 1), streamed / max(tried, 1)


def false_spans(find: Find, texts: Iterable[str]) -> float:
    """Findings in a thousand words of texts that are about nobody."""
    found = words = 0
    for text in texts:
        found += len(_merged(find(text), text))
        words += len(text.split())
    return 1000 * found / max(words, 1)


def figures(data: Path, number: int, seed: int) -> dict[str, Any]:
    """What a benchmark reports, on `number` texts of held-out templates and names."""
    from skerry.guardrails.train.names import carriers
    from skerry.guardrails.train.names.dataset import test
    from skerry.guardrails.train.names.parts import Part

    texts = test(data, number, seed)
    ours = measure(whole, texts)
    at_once, streamed = restore_rate(texts, seed)
    return {
        "pii_span_f1": ours.f1,
        "pii_leak_rate": ours.leak_rate,
        "restore_rate": min(at_once, streamed),
        "whole": ours,
        "false_spans": false_spans(whole, carriers.pages(data, Part.TEST)[:_PAGES]),
        "patterns": measure(patterns, texts),
        "plain_expressions": measure(plain_expressions, texts),
        "presidio_patterns": _of_presidio(texts),
    }


def _of_presidio(texts: Sequence[Labelled]) -> Figures | None:
    try:
        return measure(presidio(), texts)
    except ImportError:
        return None


def _restored(text: str, draw: random.Random) -> tuple[int, int, int]:
    """How many replies were tried, came back, and came back streamed."""
    pseudonyms = Pseudonyms(draw.randbytes(16))
    sent = pseudonyms.replace(text, screen_whole(text))
    replies = [(sent, text), *_forms(pseudonyms)]
    at_once = sum(_says(pseudonyms.restore(reply), wanted) for reply, wanted in replies)
    streamed = sum(_says(_cut(pseudonyms, reply, draw), wanted) for reply, wanted in replies)
    return len(replies), at_once, streamed


def _forms(pseudonyms: Pseudonyms) -> list[tuple[str, str]]:
    replies = []
    for sent, value in pseudonyms.placeholders().items():
        replies.append((f"As for {sent}, yes.", f"As for {value}, yes."))
        if sent.isalpha():
            replies.append((f"It is {sent}'s.", f"It is {value}'s."))
            replies.append((f"ASK {sent.upper()}!", f"ASK {value.upper()}!"))
        elif sent.replace(" ", "").isdigit() and len(sent) > 6:
            replies.append((f"It is {compact(sent)}.", f"It is {value}."))
    return replies


def _cut(pseudonyms: Pseudonyms, reply: str, draw: random.Random) -> str:
    restorer = Restorer(pseudonyms)
    made, at = "", 0
    while at < len(reply):
        size = draw.randint(1, 7)
        made += restorer.feed(reply[at : at + size])
        at += size
    return made + restorer.flush()


def _says(restored: str, wanted: str) -> bool:
    """Whether it is what was wanted, but for capitals that only a person could know."""
    return restored == wanted or restored.casefold() == wanted.casefold()


def _pii(findings: Iterable[Finding]) -> list[Span]:
    return [(one.start, one.end, one.label) for one in findings if one.kind is FindingKind.PII]


def _merged(spans: Iterable[Span], text: str) -> list[Span]:
    """In order, with neighbours of one kind as one."""
    made: list[Span] = []
    for start, end, label in sorted(spans):
        kind = _KINDS.get(label, label)
        if made and made[-1][2] == kind and _is_gap(text[made[-1][1] : start]):
            made[-1] = (made[-1][0], max(end, made[-1][1]), kind)
        else:
            made.append((start, end, kind))
    return made


def _is_gap(between: str) -> bool:
    return len(between) <= _WIDEST_GAP and not any(one.isalnum() for one in between)


def _same(one: Span, other: Span) -> bool:
    both = min(one[1], other[1]) - max(one[0], other[0])
    either = max(one[1], other[1]) - min(one[0], other[0])
    return one[2] == other[2] and both / either >= _LEAST_OVERLAP


def _is_wrong(found: Span, true: Sequence[Span]) -> bool:
    return found[2] != "date_of_birth" and not any(_same(found, span) for span in true)


def _is_pattern(one: Any, kind: type) -> bool:
    return isinstance(one, kind) or type(one).__name__ == "PhoneRecognizer"
