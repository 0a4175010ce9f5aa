"""Natural sentences that name nobody, and the same with names in the place of other words.

GSM8K (MIT, train) tells of people by first name, CLINC150 (CC BY 3.0, train) has what people ask an
assistant, in lower case, MedQuAD's answers (CC BY 4.0) are documents. A sentence with a capital
that is not known to be a name or a word is left out, so that what is unlabelled names nobody.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from skerry.guardrails.train.names.parts import Part, split
from skerry.guardrails.train.names.sources import read

_CAPITAL = re.compile(r"\b[A-Z][a-z]+\b")
_INSIDE = re.compile(r"(?<=[a-z,;] )[A-Z][A-Za-z]*")
_LOWER = re.compile(r"\b[a-z]+\b")
_SENTENCE = re.compile(r"(?<=[.?!])\s+")
_NOUN = re.compile(
    r"\b(?:the|an?|my|your|our|this|that|his|her|their|some|any) (?:[a-z]{3,} )?[a-z]{3,}\b"
)
_OWNER = re.compile(r"\b(?:the|my|your|our|his|her|their)(?= [a-z]{3,})")
_PREPOSITION = re.compile(
    r"(?:(?<= in)|(?<= at)|(?<= of)|(?<= to)|(?<=from)|(?<=near)|(?<=with)) [a-z]{4,}\b"
)
_OF_A_THING = re.compile(r"(?<=\bthe )[a-z]{4,}(?= [a-z]{4,})")
_ANY_WORD = re.compile(r"(?<= )[a-z]{4,}\b")
_SLOTS = ("{first}", "{first}", "{first}", "{person}", "{person}", "{last}", "{titled}", "{org}",
          "{org}", "{place}", "{first} {last}", "{initials}", "{hospital}", "{street}")  # fmt: skip
_OWNERS = ("{first}'s", "{first}'s", "{person}'s", "{last}'s", "{titled}'s", "{org}'s", "{place}'s")
_LIKE_ADJECTIVES = ("{last}", "{last}", "{org}", "{place}", "{person}")
_WHERE = (" {place}", " {place}", " {org}", " {street}", " {person}", " {first}", " {hospital}",
          " {school}", " {address}")  # fmt: skip
_NAMES_OF_NOBODY = frozenset(
    "I Monday Tuesday Wednesday Thursday Friday Saturday Sunday January February March April May "
    "June July August September October November December Christmas Easter Halloween English "
    "Mom Dad Mrs Mr Ms Dr".split()
)
_TO = "(?:(?<=in )|(?<=to )|(?<=of )|(?<=for )|(?<=from )|(?<=near )|(?<=about )|(?<=visit ))"
_TOWNS_THAT_ARE_WORDS = frozenset(
    "bank bath battle best border central deal mobile nice reading sale street ware wells".split()
)
_ANSWER_SHARES = {Part.TEST: 26, Part.DEVELOPMENT: 26}


def stories(data: Path, first_names: Iterable[str], part: Part) -> list[str]:
    """Sentences of GSM8K with `{first}` for the people in them, of those with one at least."""
    known = frozenset(first_names)
    rows = read(data, "gsm8k/train.jsonl").split("\n")
    asked = [json.loads(row)["question"] for row in rows if row]
    lower = set(_LOWER.findall(" ".join(asked)))
    found = [one for text in asked for one in _SENTENCE.split(text) if 20 < len(one) < 240]
    made = [_slotted(one, known, lower) for one in dict.fromkeys(found)]
    return [one for one in made if one and split(one, _ANSWER_SHARES) in part.seen]


def _slotted(sentence: str, known: frozenset[str], lower: set[str]) -> str:
    """The sentence with slots; empty where some capital is neither a name nor a word."""
    if "{" in sentence or "}" in sentence:
        return ""
    capitals = [one for one in _CAPITAL.findall(sentence) if one not in _NAMES_OF_NOBODY]
    names = {one for one in capitals if one in known and one.lower() not in lower}
    begin, *inside = capitals or [""]
    if not names or any(one not in names for one in inside):
        return ""
    if begin not in names and (begin in known or begin.lower() not in lower):
        return ""
    return _CAPITAL.sub(lambda match: "{first}" if match[0] in names else match[0], sentence)


def requests(data: Path, towns: Iterable[str]) -> list[str]:
    """What people ask an assistant, in lower case; towns that are known are slots."""
    document = json.loads(read(data, "clinc150/data_full.json"))
    known = {one.lower() for one in towns if len(one) > 3} - _TOWNS_THAT_ARE_WORDS
    longest_first = sorted(known, key=lambda one: (-len(one), one))
    pattern = re.compile(rf"{_TO}(?:{'|'.join(map(re.escape, longest_first))})\b")
    texts = dict.fromkeys(row[0] for row in document["train"])
    return [pattern.sub("{place}", one) for one in texts if "{" not in one]


def pages(data: Path, part: Part) -> list[str]:
    """MedQuAD's answers of `part`, whole: no subject of one part is one of another."""
    rows = read(data, "medquad/medquad_answered.jsonl").split("\n")
    documents = [json.loads(row) for row in rows if row]
    about = ((one["focus"] or one["question"], one["answer"] or "") for one in documents)
    return [" ".join(a.split()) for q, a in about if a and split(q, _ANSWER_SHARES) in part.seen]


def answers(data: Path, part: Part, most: int = 40_000) -> list[str]:
    """Sentences of MedQuAD's answers of `part` whose capitals are those of words and acronyms."""
    texts = pages(data, part)
    lower = set(_LOWER.findall(" ".join(texts)))
    found = dict.fromkeys(one for text in texts for one in _SENTENCE.split(text))
    return [
        one
        for one in found
        if 20 < len(one) < 300
        and not set("{}") & set(one)
        and all(word.isupper() or word.lower() in lower for word in _INSIDE.findall(one))
    ][:most]


def planted(sentence: str, draw: random.Random) -> str:
    """A sentence with a name in the place of a thing, an owner, or any word."""
    patterns: Sequence[tuple[re.Pattern[str], Sequence[str]]] = (
        (_NOUN, _SLOTS),
        (_NOUN, _SLOTS),
        (_OWNER, _OWNERS),
        (_PREPOSITION, _WHERE),
        (_OF_A_THING, _LIKE_ADJECTIVES),
        (_ANY_WORD, _SLOTS),
    )
    pattern, slots = draw.choice(patterns)
    places = list(pattern.finditer(sentence))
    if not places:
        return sentence
    match = draw.choice(places)
    return sentence[: match.start()] + draw.choice(slots) + sentence[match.end() :]


def capitalised(sentence: str, draw: random.Random) -> str:
    """A sentence that names nobody with capitals all the same, as in Headings of Documents."""
    places = [match.start() for match in re.finditer(r"(?<![{\w])[a-z](?=[a-z]{2})", sentence)]
    for at in draw.sample(places, min(len(places), draw.randint(1, 3))):
        sentence = sentence[:at] + sentence[at].upper() + sentence[at + 1 :]
    return sentence
