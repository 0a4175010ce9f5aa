"""Small talk and questions about Skerry itself: known by their whole wording, answered in fixed
words. Pure; rules over English.

"Hello" is small talk; "Hello, how often is the trolley checked?" is a question.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum

from skerry.edge.types import Classification, RequestClass, known_by_rules
from skerry.guardrails.voice import plainly, quoted

NAME = "small talk"
"""What a classification says that knew its class by these rules."""

_LONGEST = 120  # characters
_MOST_TITLES = 5
_LONGEST_TITLE = 60
_CLAUSE = re.compile(r"[.,!?;:…\n]+|(?<=\w) +and +(?=\w)", re.IGNORECASE)
_SPACES = re.compile(r"[\s\"'’“”*_-]+")
_SOCIAL = (
    r"hello|hi|hey|hiya|howdy|greetings|good (?:morning|afternoon|evening|day)|"
    r"(?:many )?thanks(?: (?:a lot|so much|again|very much))?|"
    r"thank you(?: (?:so|very) much| again)?|thx|cheers|please|ok|okay|excuse me"
)
_OPENING = re.compile(
    rf"^\s*(?:(?:{_SOCIAL})(?: there| again| skerry)?\s*[,.!:;…]+\s*"
    r"|(?:hello|hi|hey|please)(?: there| skerry)?\s+)+",
    re.IGNORECASE,
)


class Talk(StrEnum):
    """What small talk is about; the later ones are what is answered where there are several."""

    GREETING = "greeting"
    THANKS = "thanks"
    GOODBYE = "goodbye"
    WELLBEING = "wellbeing"
    ABOUT = "about"
    HELP = "help"


def _whole(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"(?:{pattern})", re.IGNORECASE)


_YOU_CAN = r"(?:can|could|do) you (?:do|help(?: me)?(?: with)?|answer|know|offer)(?: for me| here)?"
_KINDS = {
    Talk.GREETING: _whole(
        r"(?:hello|hi|hey|hiya|howdy|greetings|good (?:morning|afternoon|evening|day)|"
        r"(?:nice|pleased) to meet you)(?: (?:there|again|all|everyone|skerry))*|skerry"
    ),
    Talk.THANKS: _whole(
        r"(?:(?:ok|okay|great|perfect|good|super) )?(?:(?:many |no )?thanks|thank you|thx|cheers)"
        r"(?: (?:a lot|a million|so much|very much|again|skerry|for (?:your|the|all your) help))*|"
        r"ok|okay|great|perfect|got it|(?:that is|that s|thats) (?:great|perfect|all|very helpful|"
        r"helpful)|much appreciated|well done|good (?:bot|job)"
    ),
    Talk.GOODBYE: _whole(
        r"(?:good ?)?bye(?: bye)?(?: for now)?|see you(?: (?:later|soon|tomorrow))?|good night|"
        r"have a (?:nice|good|great) (?:day|evening|weekend)"
    ),
    Talk.WELLBEING: _whole(
        r"how are you(?: doing)?(?: today)?|how (?:is|s) it going|what s up|"
        r"are you (?:ok|okay|well)"
    ),
    Talk.ABOUT: _whole(
        r"(?:who|what) (?:exactly )?are you|what (?:is|s) your name|do you have a name|"
        r"who (?:made|built|created|trained) you|how do you work|"
        r"(?:tell me about|introduce|describe) yourself|"
        r"are you (?:an? )?(?:real(?: person)?|robot|bot|chatbot|human|person|machine|program|"
        r"computer|ai|chatgpt|language model)|"
        r"am i talking to (?:an? )?(?:human|person|robot|bot|machine)"
    ),
    Talk.HELP: _whole(
        rf"what {_YOU_CAN}|what (?:can|could|should|may) i ask(?: you)?(?: (?:about|here))?|"
        r"how (?:can|could|do) you help(?: me)?|how (?:can|do|should) i (?:use|ask) (?:you|skerry)|"
        r"(?:can|could) you help(?: me)?|"
        r"(?:which|what) (?:documents|files|sources) (?:do|have) you (?:have|got|know|read|use)|"
        r"(?:which|what) (?:documents|files|sources) are (?:there|here|loaded|indexed)|"
        r"(?:which|what) (?:topics|subjects) do you (?:cover|know)|"
        r"(?:list|show)(?: me)? (?:your|the|all) (?:documents|files|sources)"
    ),
}


def small_talk(text: str) -> Talk | None:
    """What a request is about that is small talk from end to end; None for any other."""
    if len(text) > _LONGEST:
        return None
    clauses = [plain for part in _CLAUSE.split(text) if (plain := _SPACES.sub(" ", part).strip())]
    kinds = [_kind(clause) for clause in clauses]
    if not kinds or None in kinds:
        return None
    order = list(Talk).index
    return max((kind for kind in kinds if kind), key=order)


def _kind(clause: str) -> Talk | None:
    return next((kind for kind, pattern in _KINDS.items() if pattern.fullmatch(clause)), None)


def talked(seen: Classification, talk: Talk | None) -> Classification:
    """The router's opinion, unless these rules know the request.

    The probabilities of the classes stay, by which policy may still see danger.
    """
    return seen if talk is None else known_by_rules(seen, RequestClass.LOOKUP, NAME)


def without_opening(text: str) -> str:
    """The text without the greeting or the thanks that it opens with, where more follows."""
    rest = _OPENING.sub("", text)
    return rest if rest.strip() else text


def told(talk: Talk, *, titles: Sequence[str], documents: int, tools: Sequence[str]) -> str:
    """What is said to small talk, in the runtime's own words.

    Args:
        talk: what it is about.
        titles: titles of documents that may be named, a few of which are.
        documents: how many there are for this reader.
        tools: what else can be done, a sentence each.
    """
    if fixed := _FIXED.get(talk):
        return fixed
    then = _ASK if talk is not Talk.HELP else _HOW
    parts = (_OPENINGS[talk], _documents(titles, documents), then if documents else "")
    can = _can(tools) if talk is Talk.HELP else ""
    return " ".join(part for part in (*parts, can) if part)


_WHO = (
    "I am Skerry, a program on this device. I answer questions about documents, from what they "
    "say, and tell which document each answer is from."
)
_FIXED = {
    Talk.THANKS: "You are welcome. Ask on whenever you like.",
    Talk.GOODBYE: "Goodbye.",
}
_OPENINGS = {
    Talk.GREETING: "Hello. I am Skerry, and answer questions about documents.",
    Talk.WELLBEING: "I am a program, and in working order.",
    Talk.ABOUT: _WHO,
    Talk.HELP: _WHO,
}
_ASK = "What would you like to know?"
_HOW = (
    "Ask a whole question and name what it is about, such as "
    '"How often is … checked?", "Who is responsible for …?" or "What does … cost?".'
)
_NONE = "I have no documents yet: add some with `skerry index add FOLDER`."


def _documents(titles: Sequence[str], documents: int) -> str:
    if not documents:
        return _NONE
    named = [_short(title) for title in titles[:_MOST_TITLES]]
    one = f"I have {documents} document{'s' if documents > 1 else ''}"
    if not named:
        return f"{one}."
    return f"{one}{': ' if len(named) == documents else ', among them '}{'; '.join(named)}."


def _short(title: str) -> str:
    """The title in quotation marks: it does not speak as the runtime does."""
    line = " ".join(plainly(title).split())
    if len(line) > _LONGEST_TITLE:
        line = f"{line[: _LONGEST_TITLE - 1].rstrip()}…"
    return quoted(line)


def _can(tools: Sequence[str]) -> str:
    can = "; ".join(f"{tool[:1].lower()}{tool[1:].rstrip('.')}" for tool in tools)
    return f"I can also: {can}." if can else ""
