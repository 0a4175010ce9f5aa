"""The gate: every text passes it on its way to a person, sentence by sentence.

A `GroundedGate` releases a sentence that its judge finds to be in a source, and that does not
repeat. An `OpenGate` is for text that claims no source. Both end in an `Answer`, which nothing
else can make. Whatever fails here withholds.
"""

from __future__ import annotations

from collections.abc import Sequence

from skerry.guardrails import judging
from skerry.guardrails.answer import _SEAL, Answer, Verdict
from skerry.guardrails.findings import Finding, FindingKind
from skerry.guardrails.judging import MARKS, Judge, finding
from skerry.guardrails.passages import Quotation
from skerry.guardrails.sentences import SentenceBuffer, sentences
from skerry.guardrails.words import numbers

NOT_FOUND = judging.NOT_FOUND
OTHERWISE = "Another document says otherwise:"
NEAREST = "The documents may not answer this. The nearest that they say:"


def _is_ended(sentence: str) -> bool:
    return MARKS.sub("", sentence).rstrip().endswith((".", "!", "?", "…", "|", "。"))


class GroundedGate:
    """Streams a draft that must be grounded in the sources of its judge; not thread-safe.

    `feed` returns the text that may be shown now, a sentence at a time; `finish` returns the
    rest and the `Answer`. When nothing of the draft holds, the source is quoted instead;
    when no source fits, the answer says that the documents do not say.
    """

    def __init__(self, judge: Judge) -> None:
        self._judge = judge
        self._buffer = SentenceBuffer()
        self._released: list[str] = []
        self._marks: list[int] = []
        self._findings: list[Finding] = []
        self._said: set[str] = set()
        self._claims: list[tuple[str, tuple[int, ...]]] = []
        self._dropped = False
        self._in_vain = 0

    @property
    def wants_more(self) -> bool:
        """Whether more of the draft may still hold."""
        return self._in_vain < self._judge.rules.patience

    def feed(self, text: str) -> str:
        return "".join(self._release(sentence) for sentence in self._buffer.feed(text))

    def finish(self, *, whole: bool = True) -> tuple[str, Answer]:
        """The rest, and the answer. A sentence that is cut off (not `whole`) is left out."""
        rest = [one for one in self._buffer.flush() if whole or _is_ended(one)]
        last = "".join(self._release(sentence) for sentence in rest)
        if "".join(self._released).strip():
            last += self._otherwise()
        else:
            last = self._instead()
        return last, self._answer(self._verdict())

    def quote(self) -> tuple[str, Answer]:
        """The source's own words in place of a draft: the text, and the answer. Once, not fed."""
        quoted = self._judge.quote()
        if quoted is None:
            return self.finish()
        text = self._quoted(quoted)
        for one in (quoted, *quoted.more):
            spans = sentences(one.text)
            self._claims += [(one.text[start:end], (one.mark,)) for start, end in spans]
        self._dropped = not quoted.fits
        text += self._otherwise()
        return text, self._answer(self._verdict())

    def _verdict(self) -> Verdict:
        if not self._judge.evidence or self._released == [NOT_FOUND]:
            return Verdict.WITHHELD
        return Verdict.REPAIRED if self._dropped else Verdict.RELEASED

    def _release(self, sentence: str) -> str:
        judgement = self._judge(sentence)
        self._findings += judgement.findings
        key = " ".join(MARKS.sub("", judgement.text).casefold().split())
        if not judgement.text or key in self._said:
            if judgement.findings or key in self._said:
                self._dropped = True
                self._in_vain += 1
            return ""
        self._said.add(key)
        self._in_vain = 0
        self._claims.append((judgement.text, judgement.marks))
        return self._show(judgement.text, judgement.marks)

    def _show(self, text: str, marks: Sequence[int]) -> str:
        self._released.append(text)
        self._marks += [mark for mark in marks if mark not in self._marks]
        return text

    def _otherwise(self) -> str:
        """What another document says instead of what was released, if one does."""
        found = (self._judge.otherwise(*one) for one in self._claims)
        other = next((one for one in found if one and one.mark not in self._marks), None)
        if other is None:
            return ""
        self._findings.append(finding(FindingKind.GROUNDING, "documents_disagree", other.text))
        quoted = f"{OTHERWISE} {MARKS.sub('', other.text)} [{other.mark}]"
        space = "" if self._released[-1].endswith(("\n", " ")) else " "
        return self._show(f"{space}{quoted}", (other.mark,))

    def _instead(self) -> str:
        """The source's own words, when the draft had none that hold."""
        self._dropped = True
        quoted = self._judge.quote()
        if quoted is None:
            return self._show(NOT_FOUND, ())
        return self._quoted(quoted)

    def _quoted(self, quoted: Quotation) -> str:
        """A quotation word for word, each part with the mark of its source."""
        parts = (quoted, *quoted.more)
        text = "\n".join(f"{MARKS.sub('', one.text)} [{one.mark}]" for one in parts)
        if not quoted.fits:
            text = f"{NEAREST}{chr(10) if quoted.is_whole else ' '}{text}"
        return self._show(text, [one.mark for one in parts])

    def _answer(self, verdict: Verdict) -> Answer:
        text = "".join(self._released).strip()
        return Answer(text, tuple(self._marks), verdict, tuple(self._findings), _SEAL)


class OpenGate:
    """Passes text that claims no source: conversation, code, structured output.

    `given` is what an extract is made from: a number that it does not have becomes a finding.
    None where numbers may be the model's own.
    """

    wants_more = True

    def __init__(self, given: str | None = None) -> None:
        self._given = given
        self._released: list[str] = []

    def feed(self, text: str) -> str:
        self._released.append(text)
        return text

    def finish(self, *, whole: bool = True) -> tuple[str, Answer]:  # noqa: ARG002
        text = "".join(self._released)
        return "", Answer(text, (), Verdict.RELEASED, self._invented(text), _SEAL)

    def _invented(self, text: str) -> tuple[Finding, ...]:
        if self._given is None:
            return ()
        invented = numbers(text) - numbers(self._given)
        label = "number_not_in_source"
        return tuple(finding(FindingKind.GROUNDING, label, number) for number in sorted(invented))


def fixed(text: str, *, marks: tuple[int, ...] = ()) -> Answer:
    """An answer of the runtime's own words: a refusal, or a referral to a person.

    `marks` are the sources that it quotes word for word.
    """
    return Answer(text, marks, Verdict.WITHHELD, (), _SEAL)
