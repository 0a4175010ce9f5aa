"""On what condition something holds, in one wording: "P only if C", "P unless C", "P if C".

The condition is put behind what holds: "Unless it rains, they row" says "They row unless it rains".
"""

from __future__ import annotations

import re

_IF = (
    r"(?:if|when|whenever|provided(?: that)?|providing(?: that)?|as long as|so long as|"
    r"on condition that)"
)
_UNLESS = r"(?:unless|except (?:if|when|where))"
_LEADING = re.compile(
    rf"^(?P<word>only {_IF}|{_IF}|where|{_UNLESS}|without|on|in|at(?! (?:least|most)\b)|during|for|"
    r"from|until|before|after|between|within)\b(?P<said> [^,;]+), "
    r"(?!(?:and|or|but|then|which|who)\b)(?P<main>[^;]+)$",
    re.IGNORECASE,
)
_LEADING_BARE = re.compile(
    r"^(?P<word>on|in|at|during|for|before|after)(?P<said> (?:[^\s,;]+ ){0,4}?[^\s,;]+) "
    r"(?P<main>(?:you|we|they) [^;]+)$|"
    r"^(?P<word2>on)(?P<said2> \w+days?) (?P<main2>[^,;]+)$",
    re.IGNORECASE,
)
_SHOULD = re.compile(r"^should (?=[^,;]+,)", re.IGNORECASE)
_SUBJECT = re.compile(
    r"(?P<subject>.+?)(?= (?:is|are|was|were|has|have|do|does|may|must|will)\b)", re.IGNORECASE
)
_PRONOUN = re.compile(r"(?P<pronoun>they|it|he|she)\b", re.IGNORECASE)
_MARKS = tuple(
    (re.compile(pattern, re.IGNORECASE), instead)
    for pattern, instead in (
        (rf"\b{_UNLESS}\b", "unless"),
        (rf"(?<!, )(?<!from )(?<!of )(?<!until )(?<!by )\b{_IF}\b", "if"),
        (r"\bonly where\b", "only if"),
    )
)  # fmt: skip
_HAS_ONLY = re.compile(r"\bonly\b", re.IGNORECASE)
_ONLY_LATER = re.compile(
    r"\b(may|must|is|are|be) only (?P<deed>[^,;]{1,80}?) (if|by|with|after)\b", re.IGNORECASE
)
_DENIED_IF = re.compile(r"(?<!only )(?<!even )\bif(?P<said> [^,;]+)$", re.IGNORECASE)
_EXCLUDES = re.compile(
    r"(?P<main>[^,;]+?),? (?P<word>unless|without)(?P<said> [^,;]+)(?P<rest>, even [^;]+)?$",
    re.IGNORECASE,
)
_DENIAL = re.compile(
    r"\b(?:not|no|never|nobody|none|nor|neither|without|only|cannot)\b|n['’]t\b", re.IGNORECASE
)
_INSIDE = re.compile(r"\b(?:that|who|whose|which|where|when|because|no)\b", re.IGNORECASE)
"""Where a denial may be of a part of what holds alone."""
_AFFIRMED = tuple(
    (re.compile(pattern, re.IGNORECASE), instead)
    for pattern, instead in (
        (r"\bmust not\b", "may"),
        (r"\b(is|are|was|were|has|have|had|may|will)(?: not|n['’]t)\b", r"\1"),
        (r"\b(?:do|does|did)(?: not|n['’]t) ", ""),
        (r"\bno (?=[aeiou])", "an "),
        (r"\bno (?=\w)", "a "),
        (r"\bnever ", ""),
    )
)


def plain_conditions(text: str) -> str:
    """The sentence, its condition behind, with "unless" and "only if" for other words."""
    for pattern, instead in _MARKS:
        text = pattern.sub(instead, text)
    text = _DENIED_IF.sub(_unless, text)
    return _EXCLUDES.sub(_only_if, text)


def condition_behind(text: str) -> str:
    """The sentence with what it begins with ("if", "without", "on Mondays") behind what holds."""
    text = _ONLY_LATER.sub(r"\1 \g<deed> only \3", _SHOULD.sub("if ", text))
    if found := _LEADING.match(text):
        word, said, main = found["word"], found["said"], found["main"]
    elif found := _LEADING_BARE.match(text):
        word = found["word"] or found["word2"]
        said, main = found["said"] or found["said2"], found["main"] or found["main2"]
    else:
        return text
    if _HAS_ONLY.search(main):
        return text
    main, said = _named_first(main, said.strip())
    return f"{main} {'if' if word.lower() == 'where' else word.lower()} {said}"


def _named_first(main: str, said: str) -> tuple[str, str]:
    """Main clause and condition, with the subject named where it now comes first."""
    pronoun, subject = _PRONOUN.match(main), _SUBJECT.match(said)
    if pronoun is None or subject is None:
        return main, said
    name = subject["subject"]
    return f"{name}{main[pronoun.end() :]}", f"{pronoun.group().lower()}{said[len(name) :]}"


def _affirmed(text: str) -> str:
    """The text without its only denial; empty where it has none, several, or another."""
    if len(_DENIAL.findall(text)) != 1:
        return ""
    for pattern, instead in _AFFIRMED:
        if pattern.search(text):
            return pattern.sub(instead, text)
    return ""


def _unless(found: re.Match[str]) -> str:
    said = _affirmed(found["said"])
    return f"unless{said}" if said else found.group()


def _only_if(found: re.Match[str]) -> str:
    """ "Not P unless C" as "P only if C", "not P without C" as "P only with C"."""
    main = "" if _INSIDE.search(found["main"]) else _affirmed(found["main"])
    word = "if" if found["word"].lower() == "unless" else "with"
    return f"{main} only {word}{found['said']}{found['rest'] or ''}" if main else found.group()
