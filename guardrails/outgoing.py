"""What a model may not write: signs of danger in a draft, by the safety classes.

Which scores count is policy's. What the draft quotes from a source is the source's: documents speak
of danger to help, and whoever has them answers for them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

from skerry.guardrails import safety
from skerry.guardrails.errors import GuardrailError
from skerry.guardrails.findings import Finding, FindingKind, Where
from skerry.guardrails.networks import INSTALLED, Networks
from skerry.guardrails.normal import normalise
from skerry.guardrails.safety.idioms import without_idioms
from skerry.guardrails.wording.signs import Sign

UNSCREENED = "unscreened"
"""The label of a draft that could not be screened; nothing of it is shown."""


class OutputScreen:
    """Looks at what a model wrote, before it is shown.

    Args:
        least: scores above 0 and up to 1 from which a class of danger counts; nothing reaches 1.
        sources: the texts that a draft may quote word for word.
        networks: what looks.
    """

    def __init__(
        self,
        least: Mapping[str, float],
        sources: Sequence[str] = (),
        networks: Networks = INSTALLED,
    ) -> None:
        self._least = least
        self._networks = networks
        self._sources = sources

    def __call__(self, text: str) -> tuple[Finding, ...]:
        """The signs of danger in `text`, sentence by sentence, but in what is quoted.

        A text that cannot be screened has one finding, `UNSCREENED`.
        """
        normal = normalise(text)
        try:
            words = self._networks.read(without_idioms(normal.text))
            signs = safety.find(words, self._least, self._networks)
        except GuardrailError:
            return (_finding(UNSCREENED, (0, len(text)), 1.0, "gate:unscreened"),)
        return tuple(
            _finding(one.label, normal.original(one.start, one.end), one.score, "network:safety")
            for one in signs
            if not self._quotes(normal.text, one)
        )

    def _quotes(self, text: str, sign: Sign) -> bool:
        said = _plain(text[sign.start : sign.end])
        return bool(said) and said in self._quotable

    @cached_property
    def _quotable(self) -> str:
        return "\n".join(_plain(normalise(one).text) for one in self._sources)


def _plain(text: str) -> str:
    return " ".join(text.casefold().split()).rstrip(".!?")


def _finding(label: str, span: tuple[int, int], score: float, rule: str) -> Finding:
    return Finding(FindingKind.SAFETY, label, *span, score, Where.OUTPUT, rule)
