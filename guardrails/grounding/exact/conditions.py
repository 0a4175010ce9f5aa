"""On what condition, and for how many: "unless", "only", "sometimes", "some plasters"."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from skerry.guardrails.grounding.exact.clauses import spoken_of
from skerry.guardrails.grounding.exact.joined import joined_otherwise
from skerry.guardrails.grounding.exact.kinds import ExactKind, Found
from skerry.guardrails.grounding.exact.only import only_of_another
from skerry.guardrails.grounding.exact.opposites import EXTENTS, differ_in_extent
from skerry.guardrails.grounding.exact.parts import Part
from skerry.guardrails.rewording import reworded_sentence
from skerry.guardrails.words import denies

_NEAR = 0.7
"""The share of the claim's content words that a sentence has with which it is compared."""
_SAYS_UNLESS = r"unless|except (?:if|when|where|that|on|in|for|at|after|before|with)"
_UNLESS = re.compile(rf"\b(?:{_SAYS_UNLESS})\b", re.IGNORECASE)
_IF = re.compile(r"\b(?:if|when|whenever|where|while|once|provided)\b", re.IGNORECASE)
_DENIES = re.compile(
    r"\b(?:unless|except|without|until|not|no|never|cannot|only|nobody|none|but)\b|n['’]t\b",
    re.IGNORECASE,
)
_END = re.compile(r"[.,;:]|$")
_MARKER = re.compile(r"\b(?:unless|only if|without|only with)\b", re.IGNORECASE)
_VERB = re.compile(
    r"\b(?:is|are|was|were|may|must|can|should|will|has|have|does|do)\b", re.IGNORECASE
)
_STANDS_FOR = re.compile(r"(?:it|they|he|she|these|those|this)\b", re.IGNORECASE)
"""What a sentence begins with that goes on about what was named before."""
_BUT = re.compile(r";|,?\s(?:but|while|whereas)\s", re.IGNORECASE)
_HALF = 0.5
_SHARED = 0.6
"""The share of the words of a condition that is the same condition."""
_NOT_ONLY = re.compile(r"\bnot (?:only|just|merely|solely)\b", re.IGNORECASE)
_ONLY = re.compile(
    r"\b(?:only|solely|exclusively|alone(?= (?:may|can|must|is|are|will|has|have|\w+s)\b)|nobody|"
    r"no one|none|nothing|just|sole|except|unless|other than|but)\b",
    re.IGNORECASE,
)
_CLAIMS_ONLY = re.compile(r"(?<!not )\b(?:only|solely|exclusively)\b", re.IGNORECASE)
_DESPITE = re.compile(
    r"\b(?:even (?:if|when|where|while|though|without|for|in|on|at|with)|whether or not|"
    r"whether .{1,60} or not|no matter|regardless|irrespective|whatever|"
    r"in (?:any|every) case|in all cases|unconditionally|without exception)\b",
    re.IGNORECASE,
)
_CONDITION = re.compile(
    rf"\b(?:{_SAYS_UNLESS}|only (?:if|when|where|after|with)|provided(?: that)?|as long as|"
    r"on condition that)\b",
    re.IGNORECASE,
)
_PERMITS = re.compile(r"\b(?:may|can|allowed|permitted|free to)\b", re.IGNORECASE)
_PLAIN_IF = re.compile(r"(?<!even )\bif\b", re.IGNORECASE)
_EXCEPT = re.compile(
    r"\b(?:except|unless|other than|apart from|but not|with the exception of)\b"
    r"(?: (?:for|if|when|where|in|on|at|to|by|with|after|before|during|that)\b)?",
    re.IGNORECASE,
)
_MARKED = re.compile(
    r"\b(?:if|when|whenever|where|once|provided|unless|except|only|without|until|as long as|"
    r"condition|otherwise)\b",
    re.IGNORECASE,
)
_RARELY = re.compile(
    r"\b(?:sometimes|occasionally|rarely|seldom|at times|now and then|from time to time|"
    r"hardly ever)\b",
    re.IGNORECASE,
)
_MAY = re.compile(r"\b(?:may|might|can|could|some)\b", re.IGNORECASE)
_COUNT = r"(?:\d+|two|three|four|five|six|seven|eight|nine|ten)"
_HOW_MANY = re.compile(
    rf"\b(?P<extent>{'|'.join(EXTENTS)}|{_COUNT}(?= of ))\s(?:one\s)?(?:of\s)?"
    rf"(?:the\s|our\s|its\s|their\s)?(?:{_COUNT}\s)?(?P<what>[^\W\d_]+)",
    re.IGNORECASE,
)


def other_conditions(claim: str, parts: Sequence[Part]) -> Iterator[Found]:
    """What the claim says of conditions and extent, and the sentences on its matter otherwise."""
    said = spoken_of(claim)
    bare = said - _subject(claim) - {"even"}
    near = [
        part.text
        for part in parts
        if len(said & part.own) >= _NEAR * max(len(said), 1)
        or (len(bare) > 1 and bare <= part.own and _STANDS_FOR.match(part.text))
    ]
    if not near:
        return
    for differs in (
        _turned,
        _other_marker,
        _despite,
        _unconditional,
        _of_the_exception,
        _not_only,
        _only,
        _seldom,
        only_of_another,
        joined_otherwise,
    ):
        if all(differs(claim, told) for told in near):
            yield ExactKind.EXTENT, 0, len(claim), True
    yield from _how_many(claim, near)


def _subject(claim: str) -> frozenset[str]:
    """The words before the first verb that needs no knowledge of words."""
    found = _VERB.search(claim)
    return spoken_of(claim[: found.start()]) if found else frozenset()


def _turned(claim: str, told: str) -> bool:
    """Whether one says "unless" where the other says "if"."""
    return _drops_unless(claim, told) or _drops_unless(told, claim)


def _drops_unless(text: str, other: str) -> bool:
    """Whether the other says on what condition it does not hold, and the text the same without."""
    if _DENIES.search(text) or not (_IF.search(text) or _UNLESS.search(text)):
        return False
    return any(
        _same(_condition(text, mine), _condition(other, theirs))
        for mine in _IF.finditer(text)
        for theirs in _UNLESS.finditer(other)
    )


def _condition(text: str, found: re.Match[str]) -> frozenset[str]:
    end = _END.search(text, found.end())
    return spoken_of(text[found.end() : end.start() if end else len(text)])


def _same(mine: frozenset[str], theirs: frozenset[str]) -> bool:
    return bool(theirs) and len(mine & theirs) >= _SHARED * len(theirs)


def _despite(claim: str, told: str) -> bool:
    """Whether the claim holds "even if" and the sentence does not say so."""
    return _is_held_despite(claim) and not _is_held_despite(told)


def _is_held_despite(text: str) -> bool:
    return _DESPITE.search(text) is not None


def _unconditional(claim: str, told: str) -> bool:
    """Whether the sentence holds on a condition of which the claim has no word."""
    permits = _PERMITS.search(claim)
    found = _CONDITION.search(told) or (_PLAIN_IF.search(told) if permits else None)
    if found is None or _marks(claim) - _marks(told[: found.start()]):
        return False
    if _is_of_another_clause(spoken_of(claim), told, found.start()):
        return False
    condition = _condition(told, found)
    return bool(condition) and len(condition & spoken_of(claim)) < _HALF * len(condition)


def _is_of_another_clause(said: frozenset[str], told: str, at: int) -> bool:
    """Whether a clause has more of what is said than the one with the character `at`."""
    cuts = [0, *(one.end() for one in _BUT.finditer(told)), len(told)]
    spans = list(pairwise(cuts))
    shares = [len(said & spoken_of(told[start:end])) for start, end in spans]
    here = next(i for i, (_, end) in enumerate(spans) if at < end)
    return max(shares) > shares[here]


def _marks(text: str) -> set[str]:
    """The words of a text that mark a condition."""
    return {one.lower() for one in _MARKED.findall(text)}


def _other_marker(claim: str, told: str) -> bool:
    """Whether both have one condition, and one says "unless" of it where the other says "only if",
    or "without" where the other says "only with"; read in the one wording."""
    mine, theirs = (_marked(reworded_sentence(text)) for text in (claim, told))
    if mine is None or theirs is None or mine[0] == theirs[0] or mine[2] != theirs[2]:
        return False
    opposed = {mine[0], theirs[0]} in ({"unless", "only if"}, {"without", "only with"})
    return opposed and _same(mine[1], theirs[1])


def _marked(text: str) -> tuple[str, frozenset[str], bool] | None:
    """The marker of a condition, its words, and whether what holds is denied."""
    found = _MARKER.search(text)
    if found is None:
        return None
    return found.group().lower(), _condition(text, found), denies(text[: found.start()])


def _of_the_exception(claim: str, told: str) -> bool:
    """Whether the claim says of what is excepted what holds of the rest, or says it of all where
    the sentence has an exception: "not required, except for children"."""
    found = _EXCEPT.search(told)
    if found is None or _EXCEPT.search(claim):
        return False
    said = spoken_of(claim)
    excepted = _condition(told, found) - spoken_of(told[: found.start()])
    takes_up = bool(excepted & said)
    agrees = denies(claim) == denies(told[: found.start()])
    return agrees if takes_up else not excepted


def _not_only(claim: str, told: str) -> bool:
    return bool(_NOT_ONLY.search(claim)) and not _NOT_ONLY.search(told) and "also" not in told


def _only(claim: str, told: str) -> bool:
    """Whether the claim rules out what the sentence does not."""
    return bool(_CLAIMS_ONLY.search(claim)) and not _ONLY.search(_NOT_ONLY.sub("", told))


def _seldom(claim: str, told: str) -> bool:
    """Whether one holds only at times, and the other does not say so."""
    mine, theirs = bool(_RARELY.search(claim)), bool(_RARELY.search(told))
    return mine != theirs and not _MAY.search(told if mine else claim)


def _how_many(claim: str, near: Sequence[str]) -> Iterator[Found]:
    """Of how many of the same things it holds: "all plasters" for "some plasters"."""
    there = [dict(_extents(told)) for told in near]
    for match in _HOW_MANY.finditer(claim):
        what = spoken_of(match["what"])
        told = [one[what] for one in there if what and what in one]
        mine = match["extent"].lower()
        if told and all(_differ(mine, one) for one in told):
            yield ExactKind.NUMBER, *match.span("extent"), True


def _differ(mine: str, theirs: str) -> bool:
    counted = [one not in EXTENTS for one in (mine, theirs)]
    return not all(counted) and differ_in_extent((mine,), (theirs,), *counted)


def _extents(text: str) -> Iterator[tuple[frozenset[str], str]]:
    for match in _HOW_MANY.finditer(text):
        yield spoken_of(match["what"]), match["extent"].lower()
