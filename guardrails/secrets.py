"""The recognisers of what opens a door: passwords, API keys, tokens, private keys."""

from __future__ import annotations

from skerry.guardrails.numbers import GAP, NOT_AFTER, NOT_BEFORE
from skerry.guardrails.recogniser import Recogniser, has, pii

_IS = r"(?:[ \t]?[:=][ \t]{0,2}|\s(?:is|was):?\s)"
_LEAD = r"(?:password|passwd|passcode|passphrase|pwd)"
_NO_VALUE = (
    "a|an|about|always|blocked|case|changed|correct|default|empty|expired|forgotten|gone|incorrect|"
    "invalid|kept|known|lost|missing|needed|never|no|not|now|old|only|required|reset|safe|secret|"
    "set|still|stored|that|the|too|unknown|weak|wrong"
)
_BEARER = r"[a-z0-9._~+/\-]"
_HAS_A_DIGIT = r"(?=[^\d\s]{0,60}\d)"

SECRETS: tuple[Recogniser, ...] = (
    pii(
        "password",
        rf"{NOT_AFTER}{_LEAD}(?:[ \t]?[:=][ \t]{{0,2}}(?P<id>\S{{3,127}}[^\s.,;]))",
        0.9,
        has("passw", "passc", "passp", "pwd"),
    ),
    pii(
        "password",
        rf"{NOT_AFTER}{_LEAD}\s(?:is|was):?\s(?P<id>[\"'“‘][^\"'”’\n]{{3,64}}[\"'”’]|"
        r"(?=\S{0,60}(?:[\d@#$%^&*+=~_]|[!?]\S))\S{3,127}[^\s.,;])",
        0.9,
        has("passw", "passc", "passp", "pwd"),
    ),
    pii(
        "password",
        rf"{NOT_AFTER}(?:my|his|her|our)\s(?:\w{{1,15}}\s){{0,2}}{_LEAD}\s(?:is|was):?\s"
        rf"(?!(?:{_NO_VALUE})\b)(?P<id>\w{{4,64}})",
        0.8,
        has("passw", "passc", "passp", "pwd"),
    ),
    pii(
        "password",
        rf"{NOT_AFTER}pin(?:\s(?:code|number|no\.?))?{_IS}(?P<id>\d(?:{GAP}\d){{3,7}}){NOT_BEFORE}",
        0.9,
        has("pin"),
    ),
    pii(
        "api_key",
        rf"{NOT_AFTER}(?:(?:sk-|gh[opsur]_|github_pat_|glpat-|hf_|xox[abp]-|npm_)"
        rf"{_HAS_A_DIGIT}[a-z0-9_\-]{{16,255}}|a[ks]ia[0-9a-z]{{16}}{NOT_BEFORE}|"
        r"aiza[0-9a-z_\-]{35})",
        1.0,
        has("sk-", "gh", "github_pat_", "glpat-", "hf_", "xox", "npm_", "akia", "asia", "aiza"),
    ),
    pii(
        "api_key",
        rf"{NOT_AFTER}(?:api|secret|access)[\s_\-]?key{_IS}[\"']?(?P<id>{_HAS_A_DIGIT}[\w+/\-]{{16,255}})",
        0.9,
        has("key"),
    ),
    pii(
        "bearer_token",
        rf"{NOT_AFTER}bearer\s{{1,3}}(?P<id>{_HAS_A_DIGIT}{_BEARER}{{16,4096}}={{0,2}})",
        1.0,
        has("bearer"),
    ),
    pii(
        "bearer_token",
        r"(?<![\w.\-])eyj[\w\-]{8,4096}\.eyj[\w\-]{8,4096}\.[\w\-]{0,1024}",  # RFC 7519
        1.0,
        has("eyj"),
    ),
    pii(
        "private_key",  # RFC 7468
        r"-----begin [a-z ]{0,20}private key-----(?:[a-z0-9+/=\s:,]|-(?!-)){0,16384}"
        r"(?:-----end [a-z ]{0,20}private key-----)?",
        1.0,
        has("private key-----"),
    ),
)
