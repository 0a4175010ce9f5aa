"""By which way, on which side, before or after food: words of which one excludes the others.

A claim that has another one of a group than the clause that it is nearest to says something else,
wherever else the passage has it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

from skerry.guardrails.grounding.exact.clauses import Clause, claims, clauses, spoken_of
from skerry.guardrails.grounding.exact.kinds import ExactKind, Found
from skerry.guardrails.grounding.exact.parts import Part

_FOOD = r"(?:food|meals?|eating|breakfast|lunch|dinner|supper)"
_BY = r"(?:a |an |the |each |every |your |any )?"


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """Patterns of words that exclude each other, by what they mean.

    `general` stands for any of `several`, where none of them is named. `told`: what the claim has
    must be told somewhere, even where nothing else of the group is.
    """

    words: Mapping[str, re.Pattern[str]]
    general: re.Pattern[str] | None = None
    several: frozenset[str] = frozenset()
    told: bool = False

    @property
    def patterns(self) -> list[re.Pattern[str]]:
        """All of them."""
        return [*self.words.values(), *([self.general] if self.general else [])]


def _pattern(words: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{words})\b", re.IGNORECASE)


def _group(told: bool = False, **words: str) -> Group:
    return Group({name: _pattern(one) for name, one in words.items()}, told=told)


_WAYS_IN = _group(
    told=True,
    mouth=r"by mouth|oral(?:ly)?|swallow\w*|per os",
    vein=r"intravenous(?:ly)?|i\.?v\.?|infusions?|infused|drip|into (?:a|the) vein",
    muscle=r"intramuscular(?:ly)?|i\.?m\.?|into (?:a|the) muscle",
    skin=r"subcutaneous(?:ly)?|under the skin",
    spine=r"intrathecal(?:ly)?|epidural(?:ly)?",
    lungs=r"inhal\w*|nebuli[sz]\w*",
    rectum=r"rectal(?:ly)?|per rectum|suppositor\w*",
    surface=r"topical(?:ly)?|on(?:to)? the skin",
    tongue=r"sublingual(?:ly)?|under the tongue",
    nose=r"nasal(?:ly)?|nostrils?",
)
_GROUPS = (
    replace(
        _WAYS_IN,
        general=_pattern(r"inject\w*"),
        several=frozenset({"vein", "muscle", "skin", "spine"}),
    ),
    _group(
        told=True,
        before=rf"(?:before|prior to) {_BY}{_FOOD}|(?:on|with) an empty stomach|fasting",
        after=rf"(?:after|following) {_BY}{_FOOD}",
        during=rf"(?:with|during) {_BY}{_FOOD}",
    ),
    _group(
        left=r"(?<!are )(?<!is )(?<!be )(?<!been )(?<!right and )(?<!right or )left"
        r"(?! (?:in|over|out|open|on|with|there|behind|and right|or right)\b)",
        right=r"(?<!left and )(?<!left or )right"
        r"(?! (?:away|now|dose|time|patient|person|to|and left|or left)\b)",
    ),
    _group(
        upper=r"(?<!lower and )upper(?! and lower)",
        lower=r"(?<!upper and )lower(?! than| and upper)",
    ),
    _group(front=r"front", rear=r"rear|back (?:door|entrance|gate|wall|seat|stairs)"),
    _group(behind=r"behind", ahead=r"in front of", beside=r"beside|next to", facing=r"opposite"),
    _group(inner=r"inner|internal", outer=r"outer|external"),
    _group(north=r"north(?:ern)?", south=r"south(?:ern)?", east=r"east(?:ern)?",
           west=r"west(?:ern)?"),
    _group(morning=r"mornings?|breakfast", noon=r"noon|midday|lunch(?:time)?",
           afternoon=r"afternoons?", evening=r"evenings?|bedtime|night(?:ly|s)?|supper"),
)  # fmt: skip


def other_aspects(claim: str, parts: Sequence[Part]) -> Iterator[Found]:
    """The words of a group that the claim has, and the clause that it is nearest to has not."""
    for group in _GROUPS:
        for one in claims(claim) if _any_of(group).search(claim) else ():
            found = _meant(group, one.text)
            if not found:
                continue
            wrong = _wrong(group, found, _without(group, one.text), parts)
            if wrong is not None:
                start, end = _place(group, one.text)
                yield ExactKind.ASPECT, one.start + start, one.start + end, wrong


def _wrong(
    group: Group, found: frozenset[str], said: frozenset[str], parts: Sequence[Part]
) -> bool | None:
    """None where nothing is wrong, else whether the passage has another in the place."""
    near = _nearest(group, said, parts)
    if not near:
        return None
    told = [_meant(group, clause.text) or _meant(group, part.text) for part, clause in near]
    if any(found & one for one in told):
        return None
    if all(told):
        return True
    known = frozenset().union(*(_meant(group, part.text) for part in parts))
    return False if group.told and not found & known else None


def _nearest(
    group: Group, said: frozenset[str], parts: Sequence[Part]
) -> list[tuple[Part, Clause]]:
    """The clauses that share most of a claim's words, those of the group left out."""
    ranked = [
        (shared, len(said & _without(group, clause.text)), part, clause)
        for part in parts
        if (shared := len(said & _without(group, part.text)))
        for clause in clauses(part.text)
    ]
    whole = max((one[0] for one in ranked), default=0)
    if not whole or 2 * whole < len(said):
        return []
    here = [one for one in ranked if one[0] == whole]
    most = max(one[1] for one in here)
    return [(part, clause) for _, share, part, clause in here if share == most]


@cache
def _any_of(group: Group) -> re.Pattern[str]:
    """Finds any word of the group."""
    return re.compile("|".join(one.pattern for one in group.patterns), re.IGNORECASE)


def _meant(group: Group, text: str) -> frozenset[str]:
    found = frozenset(name for name, pattern in group.words.items() if pattern.search(text))
    if group.general and not found & group.several and group.general.search(text):
        return found | group.several
    return found


def _without(group: Group, text: str) -> frozenset[str]:
    for pattern in group.patterns:
        text = pattern.sub(" ", text)
    return spoken_of(text)


def _place(group: Group, text: str) -> tuple[int, int]:
    found = (pattern.search(text) for pattern in group.patterns)
    return min(match.span() for match in found if match)
