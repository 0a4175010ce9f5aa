"""The base of a verb: "wear" of "worn", "smoke" of "smoking". Spelt as nearly as rules can."""

from __future__ import annotations

import re

_IRREGULAR = dict(
    pair.split("/")
    for pair in """
    given/give taken/take written/write chosen/choose known/know shown/show seen/see sent/send
    told/tell paid/pay held/hold kept/keep brought/bring taught/teach bought/buy sold/sell led/lead
    met/meet drawn/draw driven/drive spoken/speak done/do made/make built/build found/find lent/lend
    rung/ring fed/feed left/leave hidden/hide beaten/beat won/win heard/hear worn/wear eaten/eat
    drunk/drink thrown/throw grown/grow read/read put/put cut/cut shut/shut set/set let/let
    lost/lose
    stolen/steal broken/break forgotten/forget begun/begin run/run swept/sweep lit/light hung/hang
    ridden/ride borne/bear laid/lay said/say spent/spend torn/tear woken/wake frozen/freeze
    shaken/shake fallen/fall hit/hit tied/tie lying/lie dying/die using/use used/use
    """.split()
)
_ENDING = re.compile(r"(?:ied|ed|ing)$")
_NEEDS_E = re.compile(r"(?:[cgvzu]|[^s]s|[^e]at|ib)$")
_ONE_SYLLABLE = re.compile(r"[^aeiou]*[aeiou][^aeiouwxy]$")
_DOUBLED = re.compile(r"([bdgkmnprtv])\1$")


def base(word: str) -> str:
    """The base of a participle or gerund in lower case; empty where the word is none."""
    word = word.lower()
    if known := _IRREGULAR.get(word):
        return known
    found = _ENDING.search(word)
    if found is None or found.start() < 2:
        return ""
    if found.group() == "ied":
        return f"{word[: found.start()]}y"
    stem = word[: found.start()]
    if _DOUBLED.search(stem) or re.search(r"[aeiou].*[aeiou]ll$", stem):
        return stem[:-1]
    needs_e = _NEEDS_E.search(stem) or _ONE_SYLLABLE.fullmatch(stem)
    return f"{stem}e" if needs_e else stem


def third_person(deed: str) -> str:
    """The verb as one other person does it: "carries" of "carry"."""
    if deed.endswith("y") and deed[-2:-1] not in "aeiou":
        return f"{deed[:-1]}ies"
    return f"{deed}es" if deed.endswith(("s", "x", "z", "ch", "sh", "o")) else f"{deed}s"
