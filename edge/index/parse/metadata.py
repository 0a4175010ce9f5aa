"""What a document says of itself: title, version, dates, labels.

Each format's reader hands over its own names for these; here they become one small set of keys,
and those become the index's `Metadata`. Front matter is read as `key: value` lines, not as YAML.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from skerry.edge.errors import DocumentError
from skerry.edge.index import days
from skerry.edge.index.parse.parsed import Parsed
from skerry.edge.index.types import Metadata

KEYS = ("title", "version", "date", "valid-from", "expires", "labels", "domain")
"""The keys of `Parsed.metadata`. Dates are ISO 8601; labels are separated by commas."""

_ALIASES = {
    "effective": "valid-from",
    "effective-date": "valid-from",
    "issued": "date",
    "published": "date",
    "published-time": "date",
    "expiry": "expires",
    "expiry-date": "expires",
    "expires-at": "expires",
    "valid-until": "expires",
    "valid-to": "expires",
    "label": "labels",
    "access": "labels",
}
_NO_SLIPS = frozenset({"accessed", "issue", "issuer", "publisher"})
"""Keys that people write and mean, however like ours they are."""
_CHARACTERS_A_SLIP = 4
_PREFIX = re.compile(r"^(?:dc|dcterms|article)[.:]")
_SEPARATOR = re.compile(r"[\s_]+")
_LONGEST_VALUE = 500
_MOST_LINES = 200
_FENCE = re.compile(r"---[ \t]*$")
_CLOSE = re.compile(r"(?:---|\.\.\.)[ \t]*$")
_PAIR = re.compile(r"([A-Za-z][\w .-]{0,60}?)[ \t]*:(?:[ \t]+(.*))?$")
_ITEM = re.compile(r"[ \t]*-[ \t]+(.*)$")
_QUOTED = re.compile(r"""(["'])(.*?)\1[ \t]*(?:#.*)?$""")
_COMMENT = re.compile(r"(?:^|[ \t]+)#.*$")


def canonical(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Known keys of `pairs` under their one name; the first non-empty value of each wins."""
    known: dict[str, str] = {}
    for name, value in pairs:
        plain = _plain(name)
        key = _ALIASES.get(plain, plain)
        flat = " ".join(value.split())[:_LONGEST_VALUE]
        if key in KEYS and flat:
            known.setdefault(key, flat)
    return known


def misspelt(names: Iterable[str]) -> dict[str, str]:
    """Those of the keys `names` that are no known keys but nearly, and what each is most like.

    One slip is allowed for every four characters: one letter more, less, another or two exchanged.
    """
    return {name: key for name in names if (key := _nearly(_plain(name)))}


def _nearly(name: str) -> str:
    from rapidfuzz.distance import OSA
    from rapidfuzz.process import extractOne

    known = (*KEYS, *_ALIASES)
    if name in known or name in _NO_SLIPS:
        return ""
    most = len(name) // _CHARACTERS_A_SLIP
    found = extractOne(name, known, scorer=OSA.distance, score_cutoff=most)
    return _ALIASES.get(found[0], found[0]) if found else ""


def _plain(name: str) -> str:
    return _PREFIX.sub("", _SEPARATOR.sub("-", name.strip().lower()))


def without_bad_date(said: dict[str, str]) -> dict[str, str]:
    """Drops a `date` that a program wrote in its own way: unlike an expiry it governs nothing."""
    try:
        days.begins(said.get("date", "2026-01-31"))
    except ValueError:
        return {key: value for key, value in said.items() if key != "date"}
    return said


def split_front_matter(text: str) -> tuple[list[tuple[str, str]], str]:
    """The keys and values of the front matter at the head of `text`, and the text after it.

    Front matter is a block between two lines `---`, each line of which is `key: value`, an item
    `- value` of the key above, an indented continuation, or a comment. A block that has any other
    line is part of the text.
    """
    lines = text.split("\n", _MOST_LINES)
    if not _FENCE.match(lines[0]):
        return [], text
    for number, line in enumerate(lines[1:_MOST_LINES], start=1):
        if _CLOSE.match(line):
            pairs = _pairs(lines[1:number])
            return ([], text) if pairs is None else (pairs, "\n".join(lines[number + 1 :]))
    return [], text


def _pairs(lines: Iterable[str]) -> list[tuple[str, str]] | None:
    """The pairs of front matter lines; None if they are not front matter."""
    pairs: list[tuple[str, str]] = []
    for line in lines:
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if pair := _PAIR.match(line):
            pairs.append((pair[1], _value(pair[2] or "")))
        elif pairs and (line[0] in " \t" or _ITEM.match(line)):
            pairs[-1] = _continued(pairs[-1], line)
        else:
            return None
    return pairs


def _continued(pair: tuple[str, str], line: str) -> tuple[str, str]:
    key, value = pair
    item = _ITEM.match(line)
    more = _value(item[1] if item else line.strip())
    joint = ", " if item else " "
    return key, f"{value}{joint}{more}" if value.strip(">|") else more


def _value(raw: str) -> str:
    """A scalar without its quotes or comment; an inline list without its brackets."""
    raw = raw.strip()
    if quoted := _QUOTED.match(raw):
        return quoted[2]
    raw = _COMMENT.sub("", raw)
    if raw.startswith("[") and raw.endswith("]"):
        return ", ".join(_value(part) for part in raw[1:-1].split(","))
    return raw


def governance(parsed: Parsed) -> Metadata:
    """What the document itself says governs it, for the index.

    A date without a time is a day in this machine's own time: a document is in force from the
    beginning of its `valid-from` (or else `date`) and through the end of its `expires`.

    Raises:
        DocumentError: a date is not ISO 8601. An expiry that cannot be read must not become none.
    """
    said = parsed.metadata
    begin = "valid-from" if "valid-from" in said else "date"
    return Metadata(
        title=parsed.title,
        version=said.get("version"),
        valid_from=_seconds(parsed, begin, whole_day=False),
        expires_at=_seconds(parsed, "expires", whole_day=True),
        labels=_labels(said) or None,
        domain=said.get("domain"),
    )


def _labels(said: Mapping[str, str]) -> frozenset[str]:
    return frozenset(filter(None, (label.strip() for label in said.get("labels", "").split(","))))


def _seconds(parsed: Parsed, key: str, *, whole_day: bool) -> float | None:
    """Unix seconds of a date; with `whole_day` a bare date means its end."""
    value = parsed.metadata.get(key)
    if value is None:
        return None
    try:
        return days.ends(value) if whole_day else days.begins(value)
    except ValueError:
        raise DocumentError(
            f"'{parsed.title}' has {key}: {value}, which is not a date",
            hint=f"write {key} as ISO 8601, such as 2026-01-31",
        ) from None
