"""The gate: every text passes it on its way to a person, sentence by sentence.

A `GroundedGate` releases a sentence that its judge finds to be in a source, and that does not
repeat. An `OpenGate` is for text that claims no source. Neither releases what its screen finds
dangerous. Both end in an `Answer`, which nothing else can make. Whatever fails here withholds.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from skerry.guardrails import judging, voice
from skerry.guardrails.answer import _SEAL, QUOTED_NEAREST, Answer, Verdict
from skerry.guardrails.findings import Finding, FindingKind
from skerry.guardrails.judging import Judge, Judgement, finding
from skerry.guardrails.outgoing import OutputScreen
from skerry.guardrails.passages import Quotation
from skerry.guardrails.sentences import SentenceBuffer, sentences
from skerry.guardrails.voice import MARKS
from skerry.guardrails.words import numbers

NOT_FOUND = judging.NOT_FOUND
OTHERWISE = "Another document says otherwise:"
DANGEROUS = "The rest of this is withheld: it may do harm. Ask a person."
NEAREST = "The documents may not answer this. The nearest that they say:"

DID_NOT_HOLD = "the draft did not hold"
NOT_IN_TIME = "the draft had no whole sentence when it ended"
QUOTED = "the source is quoted instead"

_PART_END = re.compile(r"[.!?…][\"'”’)\]*]*\s|[。！？]|\n")
_SENTENCE_END = re.compile(r"[.!?…][\"'”’)\]*]*\s|[。！？]|\n\s*\n")
_LONGEST_PART = 400


def _is_ended(sentence: str) -> bool:
    return MARKS.sub("", sentence).rstrip().endswith((".", "!", "?", "…", "|", "。"))


class GroundedGate:
    """Streams a draft that must be grounded in the sources of its judge; not thread-safe.

    `feed` returns the text that may be shown now, a sentence at a time; `finish` returns the
    rest and the `Answer`. When nothing of the draft holds, the source is quoted instead;
    when no source fits, the answer says that the documents do not say.
    """

    def __init__(self, judge: Judge, screen: OutputScreen | None = None) -> None:
        self._judge = judge
        self._screen = screen
        self._buffer = SentenceBuffer()
        self._released: list[str] = []
        self._marks: list[int] = []
        self._findings: list[Finding] = []
        self._said: set[str] = set()
        self._claims: list[tuple[str, tuple[int, ...]]] = []
        self._dropped = False
        self._stands = ""
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
        self._stands = "" if quoted.fits else QUOTED_NEAREST
        text += self._otherwise()
        return text, self._answer(self._verdict())

    def _verdict(self) -> Verdict:
        if not self._judge.evidence or self._released == [NOT_FOUND]:
            return Verdict.WITHHELD
        return Verdict.REPAIRED if self._dropped else Verdict.RELEASED

    def _release(self, sentence: str) -> str:
        judgement = self._safe(self._judge(sentence))
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

    def _safe(self, judgement: Judgement) -> Judgement:
        """The judgement, or, of a sentence that the screen finds dangerous, that it is dropped."""
        if self._screen is None or judgement.text in ("", NOT_FOUND):
            return judgement
        dangers = self._screen(MARKS.sub("", judgement.text))
        if not dangers:
            return judgement
        return Judgement("", (), (*judgement.findings, *dangers))

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
        quoted = f"{OTHERWISE} {voice.quoted(voice.plainly(other.text))} [{other.mark}]"
        space = "" if self._released[-1].endswith(("\n", " ")) else " "
        return self._show(f"{space}{quoted}", (other.mark,))

    def _instead(self) -> str:
        """The source's own words, when the draft had none that hold."""
        draft = DID_NOT_HOLD if self._dropped else NOT_IN_TIME
        self._dropped = True
        quoted = self._judge.quote()
        if quoted is None:
            self._stands = f"{draft}; no source is near the question"
            return self._show(NOT_FOUND, ())
        self._stands = f"{draft}; {QUOTED if quoted.fits else QUOTED_NEAREST}"
        return self._quoted(quoted)

    def _quoted(self, quoted: Quotation) -> str:
        """A quotation word for word, each part with the mark of its source."""
        parts = (quoted, *quoted.more)
        alone = not quoted.fits and not quoted.is_whole
        said = (voice.apart(one.text) for one in parts)
        said = (voice.quoted(voice.plainly(one.text)) for one in parts) if alone else said
        text = "\n".join(f"{text} [{one.mark}]" for text, one in zip(said, parts, strict=True))
        if not quoted.fits:
            text = f"{NEAREST}{chr(10) if quoted.is_whole else ' '}{text}"
        return self._show(text, [one.mark for one in parts])

    def _answer(self, verdict: Verdict) -> Answer:
        text = "".join(self._released).strip()
        findings = tuple(self._findings)
        return Answer(text, tuple(self._marks), verdict, findings, self._stands, seal=_SEAL)


class OpenGate:
    """Passes text that claims no source: conversation, code, structured output.

    Args:
        given: what an extract is made from: a number that it does not have becomes a finding.
            None where numbers may be the model's own.
        screen: looks at every sentence before it is released. From one that is dangerous on,
            nothing is, since what follows leans on it; `DANGEROUS` says so. Without a screen all
            text is passed on as it comes.
    """

    def __init__(self, given: str | None = None, screen: OutputScreen | None = None) -> None:
        self._given = given
        self._screen = screen
        self._waiting = ""
        self._begun = ""
        self._released: list[str] = []
        self._dangers: tuple[Finding, ...] = ()

    @property
    def wants_more(self) -> bool:
        """Whether more of the draft may be released."""
        return not self._dangers

    def feed(self, text: str) -> str:
        if self._screen is None:
            return self._show(text)
        self._waiting += text
        return self._release(_whole_parts(self._waiting))

    def finish(self, *, whole: bool = True) -> tuple[str, Answer]:  # noqa: ARG002
        """The rest, and the answer."""
        last = self._release(len(self._waiting))
        if self._dangers:
            last += self._show(f"\n\n{DANGEROUS}" if self._released else DANGEROUS)
        text = "".join(self._released)
        findings = (*self._invented(text), *self._dangers)
        return last, Answer(text, (), self._verdict(), findings, seal=_SEAL)

    def _verdict(self) -> Verdict:
        if not self._dangers:
            return Verdict.RELEASED
        return Verdict.REPAIRED if len(self._released) > 1 else Verdict.WITHHELD

    def _release(self, end: int) -> str:
        """The first `end` characters that wait, if no sentence in them is dangerous.

        A sentence may have begun in what was released: a line end is none of a sentence.
        """
        part, self._waiting = self._waiting[:end], self._waiting[end:]
        if not part or self._screen is None or self._dangers:
            return ""
        self._begun += part
        self._dangers = self._screen(self._begun)
        if self._dangers:
            return ""
        self._begun = _last_begun(self._begun)
        return self._show(part)

    def _show(self, text: str) -> str:
        self._released.append(text)
        return text

    def _invented(self, text: str) -> tuple[Finding, ...]:
        if self._given is None:
            return ()
        invented = numbers(text) - numbers(self._given)
        label = "number_not_in_source"
        return tuple(finding(FindingKind.GROUNDING, label, number) for number in sorted(invented))


def _whole_parts(text: str) -> int:
    """Where the last whole sentence or line of `text` ends; what is too long is cut anywhere."""
    if len(text) > _LONGEST_PART:
        return len(text)
    return max((found.end() for found in _PART_END.finditer(text)), default=0)


def _last_begun(text: str) -> str:
    """What of a text that was released the next part may continue."""
    after = max((found.end() for found in _SENTENCE_END.finditer(text)), default=0)
    return text[max(after, len(text) - _LONGEST_PART) :]


def fixed(text: str, *, marks: tuple[int, ...] = (), instead: str = "") -> Answer:
    """An answer of the runtime's own words: a refusal, or a referral to a person.

    `marks` are the sources that it quotes word for word; `instead` is as in `Answer`.
    """
    return Answer(text, marks, Verdict.WITHHELD, (), instead, seal=_SEAL)
