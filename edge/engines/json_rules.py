"""GBNF rules of JSON that all schemas share: values, strings, numbers, dates.

Strings hold no raw control characters and no escaped lone surrogates, numbers no leading zeros, so
that every parser takes what they admit (RFC 8259).
"""

from __future__ import annotations

_HEX = "[0-9a-fA-F]"
_PLAIN = r"[ !#-\[\]-~\u0080-\uD7FF\uE000-\uFFFF\U00010000-\U0010FFFF]"
_DAY = '("0" [1-9] | [12] [0-9] | "3" [01])'
RULES = {
    "ws": '" "?',
    "value": "object | array | string | number | boolean | null",
    "object": '"{" (pair ("," ws pair)*)? "}"',
    "pair": 'string ":" ws value',
    "array": '"[" (value ("," ws value)*)? "]"',
    "string": r'"\"" char* "\""',
    "char": rf'{_PLAIN} | "\\" (["\\/bfnrt] | "u" (point | [dD] [0-7] {_HEX}{{2}}))',
    "point": f"[0-9a-cA-CefEF] {_HEX}{{3}}",
    "whole": '"0" | [1-9] [0-9]{0,15}',
    "rest": '("." [0-9]{1,15})? ([eE] [-+]? [0-9]{1,2})?',
    "integer": '"-"? whole',
    "number": '"-"? whole rest',
    "boolean": '"true" | "false"',
    "null": '"null"',
    "uuid": rf'"\"" {_HEX}{{8}} ("-" {_HEX}{{4}}){{3}} "-" {_HEX}{{12}} "\""',
    "day": f'[0-9]{{4}} "-" ("0" [1-9] | "1" [0-2]) "-" {_DAY}',
    "clock": '([01] [0-9] | "2" [0-3]) (":" [0-5] [0-9]){2} ("." [0-9]{1,6})? zone',
    "zone": '"Z" | [-+] ([01] [0-9] | "2" [0-3]) ":" [0-5] [0-9]',
    "date": r'"\"" day "\""',
    "time": r'"\"" clock "\""',
    "date-time": r'"\"" day "T" clock "\""',
}
"""Rules that schemas share; only those that are used are written out."""

NEEDS = {
    "value": "object array string number boolean null", "object": "pair ws",
    "pair": "string ws value", "array": "value ws", "string": "char", "char": "point",
    "integer": "whole", "number": "whole rest", "date": "day", "time": "clock zone",
    "date-time": "day clock zone", "clock": "zone",
}  # fmt: skip
FORMATS = frozenset(("date", "time", "date-time", "uuid"))
