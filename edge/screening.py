"""What is screened how: by patterns at once; for names too, where it may leave.

The classifier takes milliseconds, which nobody need wait for whose question stays here. In
documents only what is surely a name counts, as headings and cells of tables look like names; a name
that somebody said is replaced in them, too.

The same documents answer many questions: what was found in a piece of one is kept by the digest
of its text, never with the text.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from hashlib import blake2b
from threading import Lock
from typing import TYPE_CHECKING

from skerry.edge.encoding import Encoding
from skerry.edge.types import Route
from skerry.guardrails.errors import GuardrailError
from skerry.guardrails.findings import Finding, FindingKind, Where
from skerry.guardrails.networks import INSTALLED, Networks
from skerry.guardrails.screen import screen_sentences, screen_whole, screen_written

if TYPE_CHECKING:
    from skerry.edge.encoder import TextEncoder
    from skerry.guardrails.injection.meaning import Encode

_BY_MODEL = "model:"
_ENCODER_OF_HEADS = "minilm-l6-int8@"
UNSCREENED = "unscreened"
"""The label of a text that could not be screened for names; policy keeps it on this device."""


class Screened:
    """What is found in pieces of documents; the latest `most` are kept. Thread-safe."""

    def __init__(self, most: int = 1024) -> None:
        self._most = most
        self._found: OrderedDict[bytes, tuple[Finding, ...]] = OrderedDict()
        self._lock = Lock()

    def findings(
        self, text: str, encode: Encode | None = None, networks: Networks = INSTALLED
    ) -> tuple[Finding, ...]:
        """The findings in `text`, of a chunk, by `networks`.

        Raises:
            ScreenOverflow: the text is too long.
            GuardrailError: a network cannot be loaded.
        """
        how = b"words" if encode is None else b"both"
        content, by = text.encode("utf-8", "surrogatepass"), networks.id()
        key = blake2b(content, digest_size=32, person=how, key=by).digest()
        with self._lock:
            if key in self._found:
                self._found.move_to_end(key)
                return self._found[key]
        found = screen_sentences(text, Where.CHUNK, encode, networks=networks)
        with self._lock:
            self._found[key] = found
            if len(self._found) > self._most:
                self._found.popitem(last=False)
        return found


_SCREENED = Screened()


def screen_chunk(
    text: str, encode: Encode | None = None, networks: Networks = INSTALLED
) -> tuple[Finding, ...]:
    """The findings in a piece of a document, but for names. Raises what `screen_sentences` does."""
    return _SCREENED.findings(text, encode, networks)


def encoding(encoder: TextEncoder) -> Encode | None:
    """What gives the guardrail heads their vectors: None of an encoder that they do not know."""
    return Encoding(encoder) if knows_encoder(encoder.id) else None


def knows_encoder(encoder_id: str) -> bool:
    """Whether the guardrail heads can read the vectors of this encoder."""
    return encoder_id.startswith(_ENCODER_OF_HEADS)


def may_leave(route: Route) -> bool:
    """Whether anything may leave the device on this route."""
    return any(tier.leaves_device for tier in (route.tier, *route.fallback))


def names_in(question: str, networks: Networks = INSTALLED) -> tuple[Finding, ...]:
    """What patterns do not find in a question; an `UNSCREENED` finding without the classifier."""
    try:
        found = screen_whole(question, networks=networks)
    except GuardrailError as error:
        return (_unscreened(question, error),)
    return tuple(finding for finding in found if finding.rule.startswith(_BY_MODEL))


def identifiers_before(said: Iterable[str], networks: Networks = INSTALLED) -> tuple[Finding, ...]:
    """Whom instructions and earlier turns are about: they leave with a question, and so make it as
    sensitive as they are. An `UNSCREENED` finding for what cannot be screened."""
    return tuple(finding for text in said for finding in _identifiers(text, networks))


def _identifiers(text: str, networks: Networks) -> Iterator[Finding]:
    try:
        found = screen_whole(text, networks=networks)
    except GuardrailError as error:
        found = (_unscreened(text, error),)
    for finding in found:
        if finding.kind is FindingKind.PII:
            yield replace(finding, where=Where.HISTORY)


def _unscreened(text: str, error: GuardrailError) -> Finding:
    rule = f"{_BY_MODEL}{error.what}"
    return Finding(FindingKind.PII, UNSCREENED, 0, len(text), 1.0, Where.INPUT, rule)


def screen_message(role: object, text: str, networks: Networks = INSTALLED) -> tuple[Finding, ...]:
    """The findings in a message that may leave: a system message is instructions and documents.

    In those only what is surely a name is one.

    Raises:
        GuardrailError: it cannot be screened, and must not leave.
    """
    if role == "system":
        return screen_written(text, networks=networks)
    return screen_whole(text, networks=networks)
