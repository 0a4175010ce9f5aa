"""Words that exclude each other where everything around them is the same."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from skerry.guardrails.grounding.exact.clauses import Clause, clauses, whole_clauses
from skerry.guardrails.grounding.exact.kinds import ExactKind, Found
from skerry.guardrails.grounding.exact.parts import Part
from skerry.guardrails.words import content_stems, denies

_PAIRS = """
    increase/decrease increases/decreases increased/decreased increasing/decreasing
    increase/reduce increases/reduces increased/reduced increasing/reducing
    raise/lower raises/lowers raised/lowered raising/lowering rise/fall rises/falls rose/fell
    high/low higher/lower highest/lowest more/less more/fewer most/least above/below over/under
    before/after first/last early/late earlier/later earliest/latest older/younger old/young
    large/small larger/smaller largest/smallest big/small long/short longer/shorter
    fast/slow faster/slower rapid/slow rapidly/slowly quick/slow quickly/slowly quicker/slower
    strong/weak stronger/weaker better/worse best/worst good/bad
    open/closed opens/closes opened/closed inside/outside indoors/outdoors with/without always/never
    safe/unsafe safe/dangerous allowed/forbidden allowed/prohibited permitted/prohibited
    possible/impossible likely/unlikely present/absent positive/negative left/right upper/lower
    top/bottom front/rear front/back hot/cold warm/cold wet/dry full/empty on/off
    start/stop starts/stops started/stopped begin/end begins/ends began/ended gain/lose gained/lost
    improve/worsen improves/worsens improved/worsened cause/prevent causes/prevents caused/prevented
    acute/chronic benign/malignant common/rare common/uncommon frequent/rare easy/difficult
    known/unknown
    accept/refuse accepted/refused accept/reject accepted/rejected men/women male/female
    morning/evening day/night minimum/maximum internal/external active/inactive
    complete/incomplete sufficient/insufficient adequate/inadequate legal/illegal win/lose won/lost
    buy/sell bought/sold mild/severe voluntary/mandatory optional/mandatory optional/required
    healthy/sick dominant/recessive hyper/hypo enhance/inhibit enhances/inhibits enhanced/inhibited
    activate/inhibit activates/inhibits activated/inhibited promote/inhibit promotes/inhibits
    sensitive/resistant gains/losses success/failure north/south east/west northern/southern
    eastern/western add/remove added/removed adds/removes wider/narrower near/far inner/outer
"""
_DEEDS = """
    adult/child adult/children adult/infant adult/baby child/parent boy/girl man/woman mother/father
    patient/visitor staff/visitor staff/patient
    review/ignore check/ignore read/ignore follow/ignore approve/reject approve/refuse
    accept/decline
    fill/empty lock/unlock open/close open/shut open/lock arrive/depart attach/detach attach/remove
    connect/disconnect enable/disable include/exclude admit/discharge admit/exclude send/receive
    borrow/lend push/pull load/unload wear/remove keep/discard keep/destroy store/discard
    continue/stop freeze/thaw heat/cool warm/cool raise/drop tighten/loosen insert/remove
    fasten/unfasten
    permit/forbid permit/prohibit allow/forbid allow/prohibit allow/prevent encourage/discourage
    recommend/discourage prefer/avoid use/avoid give/withhold give/stop begin/stop grant/deny
    grant/refuse confirm/deny confirm/cancel book/cancel join/leave enter/leave hire/dismiss
    protect/expose cover/uncover hide/show lengthen/shorten widen/narrow strengthen/weaken
    expand/contract inflate/deflate ascend/descend import/export lift/lower sit/stand wake/sleep
    pass/fail win/lose remember/forget agree/disagree trust/distrust obey/disobey praise/blame
    save/spend save/waste pay/owe pay/refund lead/follow add/subtract multiply/divide
    switch/unplug plug/unplug clean/soil sharpen/blunt delay/hasten pause/resume remember/omit
    comply/breach support/oppose support/undermine relieve/aggravate dilate/constrict thicken/thin
    shave/grow sign/void hold/release retain/release retain/dispose
"""
_OPPOSITE = frozenset(
    pair for a, _, b in (one.partition("/") for one in _PAIRS.split()) for pair in ((a, b), (b, a))
)
_OPPOSITE_STEMS = frozenset(
    pair
    for a, _, b in (one.partition("/") for one in _DEEDS.split())
    for pair in ((content_stems(a), content_stems(b)), (content_stems(b), content_stems(a)))
)
_CONDITION = re.compile(r"\b(?:if|when|unless)\b", re.IGNORECASE)
_MOST_CLAUSES = 40  # of a window; this bounds the time
_FEWEST, _MOST_STEMS = 2, 6  # words of a clause
EXTENTS = {
    "all": "all", "every": "all", "each": "all", "no": "none", "none": "none", "most": "most",
    "half": "half", "few": "few", "many": "some", "some": "some", "several": "some",
}  # fmt: skip
_WEAK = {"some"}
"""What holds where more holds: "some" of what is said of most, half or five."""


def opposites(claimed: Sequence[str], told: Sequence[str]) -> bool:
    """Whether two single words, in lower case, exclude each other."""
    if len(claimed) != 1 or len(told) != 1:
        return False
    stems = content_stems(claimed[0]), content_stems(told[0])
    return (claimed[0], told[0]) in _OPPOSITE or stems in _OPPOSITE_STEMS


def opposed(claim: str, parts: Sequence[Part]) -> Iterator[Found]:
    """The clauses of a claim that are a clause of a sentence with one word for its opposite, which
    no clause has: "the pump continues" for "the pump is stopped". Conditions are left out."""
    there = [_main(one) for part in parts for one in whole_clauses(part.text)][:_MOST_CLAUSES]
    known = frozenset().union(*(part.own for part in parts))
    for piece in clauses(claim):
        said, denied = _main(piece)
        if not _FEWEST <= len(said) <= _MOST_STEMS or said <= known:
            continue
        told = [other for stems, other in there if _turns(said, stems)]
        if told and all(other is denied for other in told):
            yield ExactKind.NEGATION, piece.start, piece.end, True


def _main(clause: Clause) -> tuple[frozenset[str], bool]:
    """The words of a clause without its condition, and whether it denies."""
    text = _CONDITION.split(clause.text)[0]
    return content_stems(text), denies(text)


def _turns(mine: frozenset[str], theirs: frozenset[str]) -> bool:
    """Whether one word of the two is another, and these exclude each other."""
    one, other = mine - theirs, theirs - mine
    return len(one) == len(other) == 1 and (one, other) in _OPPOSITE_STEMS


def differ_in_extent(
    claimed: Sequence[str], told: Sequence[str], claimed_number: bool, told_number: bool
) -> bool:
    """Whether two words say of how many something holds, and the first is not implied."""
    if len(claimed) > 1 or len(told) > 1:
        return False
    mine = EXTENTS.get(claimed[0], "number" if claimed_number else "")
    theirs = EXTENTS.get(told[0], "number" if told_number else "")
    if not mine or not theirs or mine == theirs:
        return False
    return mine not in _WEAK or theirs in {"none", "few", "all"}
