"""What makes a teacher's answer unfit to be learnt. Pure: each check says why, or nothing.

They judge form and what can be counted; that an answer is true they cannot say. What is told to a
student many times over, a loop, a cut, a refusal out of place, it learns first.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping

from skerry.export.distill.curate.language import language_of, script_of
from skerry.export.distill.curate.records import NOT_FOUND, Expect, Said

Check = Callable[[Said], str]
"""Why an answer is unfit; empty: it is not."""

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
_LIST_MARK = re.compile(r"^\s*\d{1,2}[.)]\s", re.MULTILINE)
_CITATION = re.compile(r"\[(\d{1,3})\]")
_REFUSAL = re.compile(
    r"\b(?:I(?:'m| am) (?:sorry|unable|not able)|I (?:can(?:no|')t|won't|will not|am not allowed)"
    r"|as an AI\b|I must decline|not able to (?:help|assist))",
    re.IGNORECASE,
)
_MARKERS = re.compile(
    r"<\|[\w ]{1,40}\|>|\[/?INST\]|<</?SYS>>|^#{2,3} ?(?:Instruction|Response|Input)\b"
    r"|^(?:User|Human|Assistant|System): |</?think>|as an? (?:AI )?language model",
    re.IGNORECASE | re.MULTILINE,
)
_ENDS = frozenset(".!?…:;)]}\"'”’`|*>。！？")
_NUMBER_WORDS = dict(zip(
    "zero one two three four five six seven eight nine ten eleven twelve once twice".split(),
    "0 1 2 3 4 5 6 7 8 9 10 11 12 1 2".split(), strict=True,
))  # fmt: skip
_LOOP_WORDS, _LOOP_TIMES = 6, 3
_COPY_WORDS, _COPY_SHARE = 8, 0.6
_MOST_WORDS = 600
_PROSE_WORDS = 12


def empty(said: Said) -> str:
    return "" if _WORD.search(said.answer) else "it says nothing"


def cut_off(said: Said) -> str:
    """It was stopped, or ends in the middle of a sentence."""
    if not said.finished:
        return "it was stopped before its end"
    text = said.answer.rstrip()
    long = len(_words(text)) >= _PROSE_WORDS
    return "it ends in the middle of a sentence" if long and text[-1] not in _ENDS else ""


def repetition(said: Said) -> str:
    """The same words, or the same line, again and again."""
    words = _words(said.answer)
    runs = Counter(
        tuple(words[at : at + _LOOP_WORDS]) for at in range(len(words) - _LOOP_WORDS + 1)
    )
    lines = Counter(line.strip() for line in said.answer.splitlines() if len(line.strip()) > 3)
    if max(runs.values(), default=0) >= _LOOP_TIMES:
        return f"it says the same {_LOOP_WORDS} words {_LOOP_TIMES} times"
    if max(lines.values(), default=0) >= _LOOP_TIMES:
        return f"it has the same line {_LOOP_TIMES} times"
    return "it says one word again and again" if _stuck(words) else ""


def refusal(said: Said) -> str:
    """It refuses where it should answer, or answers where it should not."""
    wanted, refused = said.asked.expect, _refuses(said.answer)
    missing = NOT_FOUND.rstrip(".").lower() in said.answer.lower()
    if wanted is Expect.ANSWER and refused:
        return "it refuses what should be answered"
    if wanted is Expect.ANSWER and missing:
        return "it does not find what the sources hold"
    if wanted is Expect.NOT_FOUND and not missing:
        return "it answers what the sources do not hold"
    return "it answers what should be refused" if wanted is Expect.REFUSE and not refused else ""


def language(said: Said) -> str:
    """Another script or language than the question's."""
    asked, answered = said.asked.question, said.answer
    mine, its = script_of(asked), script_of(answered)
    if mine and its and mine != its:
        return f"it is in {its} letters, the question in {mine}"
    wanted, found = language_of(asked), language_of(answered)
    return (
        f"it is in {found}, the question in {wanted}"
        if wanted and found not in {"", wanted}
        else ""
    )


def copy(said: Said) -> str:
    """It says the question again, rather than its answer."""
    answer, question = _words(said.answer), _words(said.asked.question)
    held = {tuple(question[at : at + _COPY_WORDS]) for at in range(len(question) - _COPY_WORDS + 1)}
    runs = [tuple(answer[at : at + _COPY_WORDS]) for at in range(len(answer) - _COPY_WORDS + 1)]
    share = sum(run in held for run in runs) / len(runs) if runs else 0.0
    same = bool(answer) and answer == question
    return "it repeats the question" if same or share >= _COPY_SHARE else ""


def numbers(said: Said) -> str:
    """A number that stands neither in the sources nor in the question."""
    if not said.asked.sources:
        return ""
    known = _numbers(said.asked.question)
    for one in said.asked.sources:
        known |= _numbers(one.title) | _numbers(one.text)
    own = _LIST_MARK.sub(" ", _CITATION.sub(" ", said.answer))
    new = sorted(_numbers(own, words=False) - known)
    return f"no source has the number {', '.join(new[:3])}" if new else ""


def citations(said: Said) -> str:
    """It names a source that is not there, or none where it answers from sources."""
    marks = {int(found) for found in _CITATION.findall(said.answer)}
    known = {one.mark for one in said.asked.sources}
    if wrong := marks - known:
        return f"there is no source [{min(wrong)}]" if known else ""
    owed = bool(known) and said.asked.expect is Expect.ANSWER
    return "it names no source" if owed and not marks else ""


def markers(said: Said) -> str:
    """Parts of a chat template, or talk of being a model."""
    found = _MARKERS.search(said.answer)
    return f"it has {found[0].strip()!r} in it" if found else ""


def length(said: Said) -> str:
    return "" if len(_words(said.answer)) <= _MOST_WORDS else f"more than {_MOST_WORDS} words"


CHECKS: Mapping[str, Check] = {
    "empty": empty,
    "cut_off": cut_off,
    "repetition": repetition,
    "refusal": refusal,
    "language": language,
    "copy": copy,
    "numbers": numbers,
    "citations": citations,
    "markers": markers,
    "length": length,
}
"""Every check by its name, in the order in which they are made."""


def _refuses(answer: str) -> bool:
    return bool(_REFUSAL.search(answer[:200].replace("’", "'")))


def _words(text: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(text)]


def _stuck(words: list[str]) -> bool:
    """One word five times in a row."""
    return any(len(set(words[at : at + 5])) == 1 for at in range(len(words) - 4))


def _numbers(text: str, *, words: bool = True) -> set[str]:
    """Numbers in one form: 1,000 is 1000, 09:00 is 9:00, 2.50 is 2.5; "two" is 2."""
    found = {_form(one) for one in _NUMBER.findall(text)}
    return found | {_NUMBER_WORDS[one] for one in _words(text) if words and one in _NUMBER_WORDS}


def _form(number: str) -> str:
    if re.fullmatch(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?", number):
        number = number.replace(",", "")
    whole = number.lstrip("0") or "0"
    if whole[0] in ".,:":
        whole = f"0{whole}"
    return whole.rstrip("0").rstrip(".") if re.fullmatch(r"\d+\.\d+", whole) else whole
