"""Tells from an element's own `style` whether a reader of the page sees its text.

Also where it is meant for screen readers alone: nobody who checks the page by eye would find it.
What style sheets do is not known here.
"""

from __future__ import annotations

import re

_COMMENT = re.compile(r"/\*.*?(?:\*/|\Z)", re.DOTALL)
_FAR = -200.0  # px: no text that is shown is shifted so far to the left or up
_PX = {"": 1.0, "px": 1.0, "pt": 1.33, "em": 16.0, "rem": 16.0, "ch": 8.0, "%": 2.5, "vw": 2.5}
_PX |= {"vh": 2.5, "cm": 37.8, "mm": 3.78, "in": 96.0, "ex": 8.0, "pc": 16.0}
_LENGTH = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)([a-z%]*)")
_SHIFTS = "left top right bottom inset margin margin-left margin-top text-indent".split()
_SHIFTS += ["inset-inline-start", "margin-inline-start", "inset-block-start"]
_MOVED = re.compile(r"translate(?:x|y|3d)?\(([^)]*)\)")
_SHRUNK = re.compile(r"scale(?:x|y|3d)?\(0*\.?0*[,)]")
_CLIPPED = re.compile(r"rect\(([^)]*)\)")
_CUT = re.compile(r"inset\((?:[5-9]\d|100)(?:\.\d+)?%|circle\(0|ellipse\(0|polygon\([0px%, ]*\)")
_CHANNELS = re.compile(r"rgba?\(([^)]*)\)")
_WORD = re.compile(r"[a-z0-9]+")
_OF_OTHERS = frozenset("inherit initial unset revert currentcolor".split())
_NAMED = {"white": "ffffff", "black": "000000", "red": "ff0000", "lime": "00ff00"}
_NAMED |= {"blue": "0000ff", "yellow": "ffff00", "gray": "808080", "grey": "808080"}
_NAMED |= {"silver": "c0c0c0", "green": "008000", "navy": "000080", "snow": "fffafa"}


def is_hidden(style: str) -> bool:
    """Whether `style` keeps the text of its element from being seen: not displayed, transparent,
    without size, off the page, clipped to nothing, or in the colour of its background."""
    said = _declarations(style)
    return bool(said) and any(test(said) for test in _TESTS)


def _declarations(style: str) -> dict[str, str]:
    """Values by property, in lower case; the last one of a property counts."""
    said = {}
    for one in _COMMENT.sub("", style).lower().split(";"):
        name, colon, value = one.partition(":")
        if colon:
            said[name.strip()] = " ".join(value.replace("!important", "").split())
    return said


def _lengths(value: str) -> list[float]:
    """Its lengths in CSS pixels, about. A whole width or height is far, and half of one is not: so
    something is put in the middle."""
    found = (_LENGTH.fullmatch(part) for part in value.replace(",", " ").split())
    return [float(one[1]) * _PX[one[2]] for one in found if one and one[2] in _PX]


def _not_shown(said: dict[str, str]) -> bool:
    return (
        said.get("display") == "none"
        or said.get("visibility") in ("hidden", "collapse")
        or said.get("content-visibility") == "hidden"
    )


def _transparent(said: dict[str, str]) -> bool:
    opacity = _LENGTH.fullmatch(said.get("opacity", "1"))
    if opacity is None:
        return False
    return float(opacity[1]) / (100 if opacity[2] == "%" else 1) <= 0.02


def _no_size(said: dict[str, str]) -> bool:
    if any(size <= 1 for size in _lengths(said.get("font-size", ""))):
        return True
    clips = said.get("overflow", said.get("overflow-y", "")).startswith(("hidden", "clip"))
    sides = ("width", "height", "max-width", "max-height")
    return clips and any(size <= 1 for side in sides for size in _lengths(said.get(side, "")))


def _off_page(said: dict[str, str]) -> bool:
    moved = " ".join(_MOVED.findall(said.get("transform", "")))
    shifts = [moved, *(said.get(name, "") for name in _SHIFTS)]
    return any(shift <= _FAR for value in shifts for shift in _lengths(value)) or (
        _SHRUNK.search(said.get("transform", "")) is not None
    )


def _clipped(said: dict[str, str]) -> bool:
    if _CUT.search(said.get("clip-path", "")):
        return True
    rect = _CLIPPED.search(said.get("clip", ""))
    sides = _lengths(rect[1]) if rect else []
    return len(sides) == 4 and (sides[2] - sides[0] <= 1 or sides[1] - sides[3] <= 1)


def _same_colour(said: dict[str, str]) -> bool:
    colour = _colour(said.get("color", ""))
    behind = said.get("background-color") or said.get("background", "")
    known = _WORD.fullmatch(colour) is not None and colour not in _OF_OTHERS
    return colour == "transparent" or (known and colour == _colour(behind))


def _colour(value: str) -> str:
    """Six hexadecimal digits, `transparent`, or as it is."""
    if channels := _CHANNELS.fullmatch(value):
        parts = re.split(r"[ ,/]+", channels[1].strip())
        if len(parts) == 4 and not float(_number(parts[3])):
            return "transparent"
        return "".join(f"{int(min(255, _number(part))):02x}" for part in parts[:3])
    if not value.startswith("#"):
        return _NAMED.get(value, value)
    digits = value[1:]
    digits = digits if len(digits) > 4 else "".join(digit * 2 for digit in digits)
    return "transparent" if digits[6:] == "00" else digits[:6]


def _number(text: str) -> float:
    found = _LENGTH.fullmatch(text)
    return abs(float(found[1])) * (2.55 if found[2] == "%" else 1) if found else 1.0


_TESTS = (_not_shown, _transparent, _no_size, _off_page, _clipped, _same_colour)
