"""The recognisers of secrets by the words before them: passwords, codes, keys, tokens.

"Password: hunter2" and "the password for the safe is swordfish" tell one; "the password policy"
and "a token of thanks" do not. What a service's tokens look like by themselves is in `tokens`.
"""

from __future__ import annotations

import binascii
from collections.abc import Iterator

from skerry.guardrails.numbers import GAP, NOT_BEFORE
from skerry.guardrails.recogniser import Recogniser, Span, has, pii, shared, words
from skerry.guardrails.tokens import TOKENS

_CLOSED = r"[\"'`*_)\]}]{0,3}"
"""What closes the name of a value: `"password": …`, `**Password:** …`."""
_ASSIGN = rf"{_CLOSED}[ \t]?(?:[:=]{{1,2}}>?|->|(?<=\w)>(?=\S))[*_]{{0,2}}[ \t]{{0,2}}"
_IS = r"\s(?:is|was)(?:\snow)?:?\s"
_ABOUT = r"(?:\s?\([^()\n]{1,40}\)|\s(?:for|of|to|on|at|in)\s[^\n:=,;?!]{1,48}?)?"
"""What a value is for: "the password for the safe", "password (wifi)"."""

_NO_WORD = (
    "a|about|all|always|an|and|any|anything|are|as|ask|at|be|been|being|blocked|bool|by|can|case|"
    "change|changed|choose|confidential|contact|correct|default|do|empty|enter|expected|expired|false|for|"
    "forgotten|from|given|gone|hash|hashed|he|her|here|hidden|his|how|if|in|incorrect|int|invalid|it|"
    "its|keep|kept|known|least|lost|make|masked|may|minimum|missing|must|my|n/a|needed|never|nil|no|"
    "none|not|nothing|now|null|of|ok|okay|old|on|one|only|optional|or|our|personal|please|private|"
    "protected|provided|pwd|passwd|redacted|required|reset|safe|same|secret|secure|see|sent|set|she|should|"
    "something|still|store|stored|str|string|strong|tbd|temporary|text|that|the|their|there|these|"
    "they|this|to|too|true|two|undefined|unique|unknown|up|us|use|used|valid|very|we|weak|what|when|"
    "where|which|who|why|with|working|write|wrong|yes|you|your|yours"
)
_NO_TALK = r"(?!(?:can|cannot|has|is|may|must|should|was|will)\b)"
_NO_PHRASE = "a|an|always|any|at|changed|in|kept|known|never|no|not|one|set|stored|the|used|what"
_BLANK = (
    r"<[^<>\n]{1,40}>|\[[a-z _\-]{1,40}\]|\$[{(]|\{\{|%[a-z_]{1,40}%|%[sd(]|"
    r"\$[a-z_]{2,40}(?![^\s.,;)\"'])|[*•x.#_\-]{3,64}(?!\w)"
)
_CALL = r"self\.|[a-z_.]{1,60}[(\[]"
_NO_VALUE = rf"(?!(?:{_NO_WORD})(?![^\s.,;:!?)\]}}\"'])|{_BLANK}|{_CALL})"
"""Not a word that says something of a secret, not stars, not a blank to fill in, not a call."""
_IN_QUOTES = r"[^\"'”’`\n]{3,64}"
_QUOTED = rf"[\"'“‘`]{_IN_QUOTES}[\"'”’`]"
_END = r"[^\s.,;)\]}\"'<>]"
_STRONG = rf"(?=\S{{0,60}}(?:[\d@#$%^&*+=~_]|[!?]\S))[^\s<]{{3,127}}{_END}"
_DIGIT_AND_LETTER = r"(?=[^\s\d]{0,60}\d)(?=[^\sa-z]{0,60}[a-z])"
_ADJECTIVE = r"\w{0,24}(?:ed|ing|able|ible|ful|ive|ous|ary|ally|ely|less|ent|ten)\b"

_LEAD = r"p(?:ass[ _\-]?(?:word|code|phrase)s?|asswd|wd|(?<![^\W_]p)s?wd?)"
_LEADS = shared(has("passw", "passc", "passp", "pass ", "pass-", "pass_", "pwd", "pw", "psw"))
_UNIT = (
    r"(?![.,\-]?\d|\s?(?:%|bits?|char|da?ys?|digits?|hours?|letters?|"
    r"min|month|times|users?|week|year))"
)
_NO_NAME = (
    r"(?!\d{1,3}[a-z]{0,2}-|\d{1,9}(?:st|nd|rd|th|x|k|mb|kb|am|pm|d|h|days?|chars?|characters?)\b|"
    r"(?:sha|md|oauth|argon|pbkdf|base|utf|aes|rsa|rfc|iso|v)-?\d|2fa|https?:|www\.)"
)

_PASSWORDS = (
    pii(
        "password",
        rf"{_LEAD}{_ABOUT}{_ASSIGN}(?P<id>{_QUOTED}|{_NO_VALUE}[^\s<]{{2,127}}{_END})",
        0.9,
        _LEADS,
    ),
    pii(  # the value is on the next line
        "password",
        rf"{_LEAD}{_CLOSED}[ \t]?[:=][ \t]?\n[ \t]?(?P<id>{_NO_VALUE}{_STRONG})",
        0.8,
        _LEADS,
    ),
    pii(
        "password",
        rf"p(?<![^\W_]p)ass{_ASSIGN}(?P<id>{_QUOTED}|{_NO_VALUE}{_STRONG})",
        0.8,
        has("pass"),
    ),
    pii(
        "password",
        rf"{_LEAD}{_ABOUT}{_IS}(?P<id>{_QUOTED}|{_STRONG}|"
        rf"{_NO_VALUE}(?!{_ADJECTIVE})[a-z]{{4,64}}(?=[.!]?\Z|[.!]?\n|[.!]\s))",
        0.9,
        _LEADS,
    ),
    pii(
        "password",
        rf"{words('my', 'his', 'her', 'our')}\s(?:\w{{1,15}}\s){{0,2}}{_LEAD}{_IS}"
        rf"{_NO_VALUE}(?!{_ADJECTIVE})(?P<id>\w{{4,64}})",
        0.8,
        _LEADS,
    ),
    pii(  # three words or more
        "password",
        rf"pass[ _\-]?phrase{_ABOUT}(?:{_ASSIGN}|{_IS})(?!(?:{_NO_PHRASE})\b)"
        r"(?P<id>[a-z]{2,20}(?:[ \-][a-z]{2,20}){2,9})",
        0.8,
        has("phrase"),
    ),
    pii(
        "password",
        rf"{_LEAD}(?:['’]s)?\s(?:(?:to|as|from|of|-)\s)?(?P<id>[\"']{_NO_TALK}{_IN_QUOTES}[\"']|{_NO_NAME}{_DIGIT_AND_LETTER}[a-z\d][^\s<]{{3,63}}"
        rf"[^\s.,;:!?)\]}}\"'<>]|(?!(?:19|20)\d\d{NOT_BEFORE})\d{{4,12}}{NOT_BEFORE}{_UNIT})",
        0.8,
        _LEADS,
    ),
    pii(  # of a link: RFC 3986, userinfo
        "password",
        r"://(?P<id>[^\s/:@\"'<>]{0,64}:[^\s/\"'<>]{1,128})@",
        1.0,
        has("://"),
    ),
    pii(
        "password",
        r"(?:-u|--user)[ =][\"']?(?P<id>(?!\d{1,9}:\d)[^\s:\"'/]{1,64}:[^\s\"'/:]{3,128})",
        0.8,
        has("-u"),
    ),
)

_OPENS = (
    "access", "alarm", "door", "entry", "gate", "lock", "login", "safe", "security", "unlock",
    "verification",
)  # fmt: skip
_CODES_LOOK = shared(has("pin", "code", "otp"))
_CODE = words(
    r"pin(?:[\s_\-]?(?:code|number|no\.?|nr\.?))?",
    r"pass[\s_\-]?code",
    *(rf"{what}[\s_\-]code" for what in _OPENS),
    r"one[\s\-]time[\s\-](?:pass)?code",
    r"otp",
)
_LOCKED = (
    r"(?:alarm|barrier|box|building|cabinet|cupboard|door|entrance|garage|gate|key\s?box|key\s?safe|"
    r"keypad|lock|lock\s?box|locker|padlock|room|safe|shed|vault)s?"
)
_CODE_OF = rf"{words('code')}\s(?:of|for|to|on)\s(?:[a-z]{{1,15}}\s){{0,3}}?{_LOCKED}"
_BOXES = (
    "cabinet", "cupboard", "garage", r"key\s?box", r"key\s?safe", "locker", "padlock", "shed",
    "vault",
)  # fmt: skip
_LOCKED_CODE = rf"{words(*_BOXES)}\s(?:code|combination)"
_NO_DATE = r"(?!\d{1,4}[/.\-]\d{1,2}[/.\-]\d{2,4}(?![\W_]?\d))"

_CODES = (
    pii(
        "password",
        rf"{_CODE}{_ABOUT}(?:{_ASSIGN}|{_IS}|\s(?:to|from|as|of)\s){_NO_DATE}"
        rf"(?P<id>\d(?:{GAP}\d){{3,7}}){NOT_BEFORE}{_UNIT}",
        0.9,
        _CODES_LOOK,
    ),
    pii(  # of what is locked
        "password",
        rf"(?:{_CODE_OF}|{_LOCKED_CODE})(?:{_ASSIGN}|{_IS}){_NO_DATE}"
        rf"(?P<id>\d(?:{GAP}\d){{3,7}}){NOT_BEFORE}{_UNIT}",
        0.9,
        has("code", "combination"),
    ),
    pii(
        "password",
        rf"{_CODE}(?:['’]s)?\s(?P<id>\d{{4,8}}){NOT_BEFORE}{_UNIT}",
        0.8,
        _CODES_LOOK,
    ),
    pii(  # of a payment card
        "password",
        rf"c(?<![^\W_]c)v[cv]2?(?:\s(?:code|number))?(?:{_ASSIGN}|{_IS}|\s)(?P<id>\d{{3,4}}){NOT_BEFORE}",
        0.9,
        has("cvv", "cvc"),
    ),
)

_KEY = (
    r"(?:(?:api|access|account|auth|client|consumer|deploy|encryption|license|licence|master|"
    r"private|product|project|recovery|secret|service|shared|signing|storage|subscription)[\s_\-]?"
    r"(?:access[\s_\-]?)?key)"
)
_SECRETS = r"(?:secret(?:[\s_\-]?(?:access[\s_\-]?)?(?:key|token))?)"
_TICKET = r"(?:token|session[\s_\-]?id|sessid)"
_VALUE = r"[\w+/.~\-]"

_KEYS = (
    pii(
        "api_key",
        rf"{_KEY}{_ABOUT}(?:{_ASSIGN}|{_IS})[\"']?(?P<id>(?=[^\d\s]{{0,60}}\d){_VALUE}{{8,255}}={{0,2}})",
        0.9,
        has("key"),
    ),
    pii(
        "api_key",
        rf"{_SECRETS}(?:{_ASSIGN}(?P<id>{_QUOTED}|{_DIGIT_AND_LETTER}[^\s<\"']{{5,255}}{_END}|"
        rf"(?<==){_NO_VALUE}[^\s<\"'&]{{2,255}}{_END}))",
        0.9,
        has("secret"),
    ),
    pii(
        "api_key",
        rf"{_TICKET}{_ASSIGN}[\"']?{_NO_VALUE}(?P<id>{_DIGIT_AND_LETTER}{_VALUE}{{6,255}}={{0,2}}|"
        rf"\d{{6,12}}{NOT_BEFORE}(?!\.\d)|\w{{20,255}})",
        0.9,
        has("token", "sess"),
    ),
    pii(
        "api_key",
        rf"(?:{_SECRETS}|{_TICKET}){_ABOUT}{_IS}[\"']?(?P<id>{_DIGIT_AND_LETTER}{_VALUE}{{7,255}}\w={{0,2}})",
        0.9,
        has("secret", "token", "sess"),
    ),
    pii(
        "api_key",
        rf"(?:{_KEY}|{_SECRETS}|{_TICKET})\s(?P<id>{_DIGIT_AND_LETTER}[a-z\d]{{16,255}}){NOT_BEFORE}",
        0.8,
        has("key", "secret", "token", "sess"),
    ),
)


def _credentials(matched: str) -> Iterator[Span]:
    """All of it, if it is a name and a password in base64 (RFC 7617)."""
    try:
        plain = binascii.a2b_base64(matched, strict_mode=True)
    except binascii.Error:
        return
    if b":" in plain:
        yield 0, len(matched)


_HEADERS = (
    pii(
        "bearer_token",
        rf"b(?<![^\W_]b)earer(?:{_CLOSED}\s?[:=]\s?[\"']?|\s{{1,3}})"
        r"(?P<id>(?:(?=[^\d\s]{0,60}\d)[a-z0-9._~+/\-]{16,4096}|[a-z0-9]{24,4096})={0,2})",
        1.0,
        has("bearer"),
    ),
    pii(
        "bearer_token",
        rf"authorization{_ASSIGN}[\"']?(?:[a-z][a-z\-]{{2,15}}\s)?"
        r"(?P<id>(?=[^\d\s]{0,60}\d)[a-z0-9._~+/\-]{16,4096}={0,2})",
        1.0,
        has("authorization"),
    ),
    pii(
        "password",
        r"[bB](?<![^\W_][bB])(?:asic|ASIC)\s(?P<id>[a-zA-Z\d+/]{8,512}={0,2})",
        1.0,
        has("asic", "ASIC"),
        _credentials,
        cased=True,
    ),
)

SECRETS: tuple[Recogniser, ...] = (*_PASSWORDS, *_CODES, *_KEYS, *_HEADERS, *TOKENS)
