"""Templates of our own, and public texts: each in a folder that the user fills.

presidio_research (MIT) gives templates and names of companies, not its identities; MTS-Dialog
(CC BY 4.0) sentences of notes and dialogues; MedQuAD (CC BY 4.0) questions on diseases and
Banking77 (CC BY 4.0, train split) what customers ask, which name nobody.
"""

from __future__ import annotations

import csv
import io
import json
import random
import re
from collections.abc import Iterator
from pathlib import Path

from skerry.guardrails.errors import GuardrailError
from skerry.guardrails.train.names.parts import Part, split

TEXTS = Path(__file__).parent / "texts"
_PRESIDIO = {
    "person": "person", "name": "person", "name_male": "person", "name_female": "person",
    "first_name": "first", "first_name_male": "first", "first_name_female": "first",
    "first_name_nonbinary": "first", "last_name": "last", "last_name_male": "last",
    "last_name_female": "last", "prefix": "title", "prefix_male": "title",
    "prefix_female": "title", "city": "place", "country": "country", "address": "address",
    "street_name": "street", "building_number": "building", "secondary_address": "flat",
    "postcode": "postcode", "zipcode": "postcode", "state_abbr": "state", "organization": "org",
    "company": "org", "phone_number": "phone", "email": "email", "credit_card_number": "card",
    "iban": "iban", "ssn": "ssn", "url": "url", "ip_address": "ip", "us_driver_license": "licence",
    "date_of_birth": "dob", "date_time": "date", "day_of_week": "weekday", "year": "year",
    "age": "age", "job": "job", "nationality": "nationality", "nation_woman": "nationality",
    "nation_plural": "language",
}  # fmt: skip
_SLOT = re.compile(r"\{\{(\w+)\}\}")
_CAPITAL = re.compile(r"(?<=[a-z,] )[A-Z][a-z]+")
_NAMED = re.compile(r"\b(?:Dr\.?|Doctor|Mr\.?|Mrs\.?|Ms\.?|Miss) [A-Z][a-z]+")
_PRONOUN = re.compile(
    r"(?<![\w'])(?:[Hh]e|[Ss]he|[Tt]hey|him|them|[Mm]y (?:mother|father|wife|husband|son))\b(?!')"
)
_FOR_PRONOUNS = ("{first}", "{first}", "{person}", "{titled}", "{last}", "{initials}", "{org}")
_TAILS = ("in {place}", "near {place}", "from {place}", "on {street}", "at {org}", "with {person}",
          "with {first}", "for {titled}", "to {org}", "at {hospital}", "of {org}", "by {person}",
          "says {last}", "and {first}", "or {titled}", "and {place}", "and {org}", "to {place}",
          "at {school}", "of {place}", "via {place}", "about {first}", "about {org}")  # fmt: skip
_HEADS = ("{person}: ", "{first}: ", "{first}, ", "Hi {first}, ", "Dear {titled}, ", "{org}: ",
          "In {place}, ", "From {place}: ", "At {org} ", "{last}: ", "To {person}: ", "cc {first} ",
          "Ask {first}: ", "@{first} ", "{place}: ", "{person} ({place}): ")  # fmt: skip
_THE_PATIENT = re.compile(r"\b(?:The|This) (?:patient|gentleman|lady|man|woman)\b")
_NAME_OF_A_FIRM = re.compile(r"[A-Z][A-Za-z&'. -]{3,36}")
_SHARES = {Part.TEST: 64, Part.DEVELOPMENT: 48}
_OWN_SHARES = {Part.TEST: 0, Part.DEVELOPMENT: 48}  # those that test have files of their own


def own_templates(name: str, part: Part = Part.WHOLE) -> list[str]:
    """The lines of one of our files (`clinical`, `everyday`, `benign`, …) that are of `part`.

    `held_out` and `benign_held_out` are whole files that test, `development` one that chooses: of
    no other part.
    """
    lines = (TEXTS / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if line and split(line, _OWN_SHARES) in part.seen]
    return [line.replace("\\n", "\n") for line in kept]


def presidio_templates(data: Path, part: Part) -> list[str]:
    """Presidio's templates in our slots, those of `part`; a quarter tests."""
    lines = read(data, "presidio_research/generator/templates.txt").splitlines()
    kept = [line for line in lines if _is_whole(line) and split(line, _SHARES) in part.seen]
    return [_SLOT.sub(lambda m: f"{{{_PRESIDIO[m[1]]}}}", _plain(line)) for line in kept]


def companies(data: Path) -> list[str]:
    """Names of organisations, as Presidio's generator has them."""
    rows = read(data, "presidio_research/generator/companies_and_organizations.csv").splitlines()
    return [row.strip('" ') for row in rows[1:] if _NAME_OF_A_FIRM.fullmatch(row.strip('" '))]


def notes(data: Path) -> list[str]:
    """Sentences of MTS-Dialog that name nobody, or in which `{titled}` or `{person}` stands."""
    rows = list(csv.DictReader(io.StringIO(read(data, "mts_dialog/MTS-Dialog-TrainingSet.csv"))))
    texts = [text for row in rows for text in (row["section_text"], row["dialogue"])]
    lower = set(re.findall(r"\b[a-z]+\b", " ".join(texts)))
    found = dict.fromkeys(one for text in texts for one in _sentences(text))
    return [one for one in map(_with_slots, found) if _names_nobody(one, lower)]


def questions(data: Path) -> list[str]:
    """Questions of MedQuAD, each once."""
    rows = read(data, "medquad/medquad_answered.jsonl").split("\n")
    asked = (json.loads(row)["question"].replace("is (are)", "is") for row in rows if row)
    return [one for one in dict.fromkeys(" ".join(q.split()) for q in asked) if "{" not in one]


def requests(data: Path) -> list[str]:
    """What customers of a bank ask: the train split of Banking77, each once."""
    rows = csv.DictReader(io.StringIO(read(data, "banking77/train.csv")))
    return [
        one
        for one in dict.fromkeys(" ".join(row["text"].split()) for row in rows)
        if "{" not in one
    ]


def with_names(sentence: str, draw: random.Random) -> str:
    """A sentence of a carrier with slots: names for its pronouns, now and then a few words more."""
    if draw.random() < 0.6:
        slot = draw.choice(_FOR_PRONOUNS)
        sentence = _PRONOUN.sub(slot, sentence, count=draw.choice((1, 1, 2)))
    if draw.random() < 0.3:
        return f"{sentence.rstrip('.!?')} {draw.choice(_TAILS)}{draw.choice('..!?')}"
    return f"{draw.choice(_HEADS)}{sentence}" if draw.random() < 0.2 else sentence


def _sentences(text: str) -> Iterator[str]:
    for part in re.split(r"(?<=[.?!])\s+|\n", text):
        one = " ".join(part.split())
        if 12 < len(one) < 240 and "{" not in one and "}" not in one:
            yield one


def _with_slots(sentence: str) -> str:
    named = _NAMED.sub("{titled}", sentence)
    return _THE_PATIENT.sub("{person}", named) if len(named) % 2 else named


def _names_nobody(sentence: str, lower: set[str]) -> bool:
    """Whether every capital inside the sentence begins a word that is also written small."""
    return all(word.lower() in lower for word in _CAPITAL.findall(sentence))


def _plain(line: str) -> str:
    return line.replace("\\n", "\n").replace("\\,", ",")


def _is_whole(line: str) -> bool:
    """Whether every slot is one of ours, and no name is written out beside them."""
    slots = _SLOT.findall(line)
    loose = "{" in _SLOT.sub("", line) or "}" in _SLOT.sub("", line)
    known = {"Metallica", "Fuse", "Hobbits", "Blink", "Zoolander", "White Stripes", "Princess"}
    since = "since {{date_of_birth}}" in line
    written = any(word in line for word in known)
    return not (loose or since or written) and all(slot in _PRESIDIO for slot in slots)


def read(data: Path, name: str) -> str:
    """The text of a public file, `set/file` without `.zst`.

    Raises:
        GuardrailError: it is missing.
    """
    import zstandard

    try:
        with (data / f"{name}.zst").open("rb") as file:
            content = zstandard.ZstdDecompressor().stream_reader(file).read()
    except FileNotFoundError as error:
        raise GuardrailError(
            f"the public data set '{name.partition('/')[0]}' is missing: no '{error.filename}'",
            hint="put the set under a folder, zstd-compressed, and name the folder with --data",
        ) from error
    return content.decode("utf-8", "ignore")
