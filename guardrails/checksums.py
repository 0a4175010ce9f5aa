"""Check digits of the identifiers that the screen recognises. All take plain ASCII text."""

from __future__ import annotations

import re

_DOUBLED = bytes.maketrans(b"0123456789", b"0246813579")  # twice each digit, less 9 if above it
# ISO/IEC 7812-1: the first digits of bank and travel cards, roughly.
_CARD = re.compile(r"(?:[3-6]|2[2-7])\d{12,18}")
# Visa, Mastercard, American Express, Diners Club, Discover, JCB, UnionPay, with their lengths.
_BRANDED = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})|(?:5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720)\d+|3[47]\d{13}|"
    r"3(?:0[0-5]|[689])\d+|(?:6011|64[4-9]|65|62|35(?:2[89]|[3-8]))\d+"
)
_BRANDED_LENGTHS = re.compile(r"3[0689]\d{12}|3[47]\d{13}|\d{16}|4\d{12}|[46]\d{18}")
_VIN_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
_VIN_VALUES = dict(zip("abcdefghjklmnprstuvwxyz", map(int, "12345678123457923456789"), strict=True))

IBAN_LENGTHS = {
    "ad": 24, "ae": 23, "al": 28, "at": 20, "az": 28, "ba": 20, "be": 16, "bg": 22, "bh": 22,
    "br": 29, "by": 28, "ch": 21, "cr": 22, "cy": 28, "cz": 24, "de": 22, "dk": 18, "do": 28,
    "ee": 20, "eg": 29, "es": 24, "fi": 18, "fo": 18, "fr": 27, "gb": 22, "ge": 22, "gi": 23,
    "gl": 18, "gr": 27, "gt": 28, "hr": 21, "hu": 28, "ie": 22, "il": 23, "iq": 23, "is": 26,
    "it": 27, "jo": 30, "kw": 30, "kz": 20, "lb": 28, "lc": 32, "li": 21, "lt": 20, "lu": 20,
    "lv": 21, "ly": 25, "mc": 27, "md": 24, "me": 22, "mk": 19, "mr": 27, "mt": 31, "mu": 30,
    "nl": 18, "no": 15, "pk": 24, "pl": 28, "ps": 29, "pt": 25, "qa": 29, "ro": 24, "rs": 22,
    "sa": 24, "sc": 31, "se": 24, "si": 19, "sk": 24, "sm": 27, "st": 25, "sv": 28, "tl": 23,
    "tn": 24, "tr": 26, "ua": 29, "va": 22, "vg": 24, "xk": 20,
}  # fmt: skip
"""ISO 13616: characters of an IBAN, by country."""


def luhn(digits: str) -> bool:
    """ISO/IEC 7812-1 annex B: payment card numbers."""
    codes = digits.encode()
    total = sum(codes[-1::-2]) + sum(codes[-2::-2].translate(_DOUBLED))
    return (total - len(codes) * ord("0")) % 10 == 0


def card(digits: str) -> bool:
    """A number of a card's length and first digits whose check digit holds."""
    return _CARD.fullmatch(digits) is not None and luhn(digits)


def branded_card(digits: str) -> bool:
    """Stricter than `card`: the first digits and the length are those of one known brand."""
    branded = _BRANDED.fullmatch(digits) and _BRANDED_LENGTHS.fullmatch(digits)
    return branded is not None and luhn(digits)


def nhs_number(digits: str) -> bool:
    """NHS Data Dictionary: ten digits, weights 10 to 2, modulus 11."""
    if len(digits) != 10:
        return False
    total = sum(
        int(digit) * weight for digit, weight in zip(digits[:9], range(10, 1, -1), strict=True)
    )
    check = (11 - total % 11) % 11
    return check != 10 and check == int(digits[9])


def iban(text: str) -> bool:
    """ISO 13616: the country code and check digits moved to the end, modulus 97 is 1."""
    moved = text[4:] + text[:4]
    return int("".join(str(int(character, 36)) for character in moved)) % 97 == 1


def social_security(digits: str) -> bool:
    """US SSA: no area 000, 666 or 9xx, no group 00, no serial 0000."""
    area, group, serial = digits[:3], digits[3:5], digits[5:]
    return area not in {"000", "666"} and area[0] != "9" and group != "00" and serial != "0000"


def vehicle(text: str) -> bool:
    """49 CFR 565.15: the ninth of 17 characters of a North American VIN, modulus 11."""
    total = sum(
        int(one) * weight if one.isdigit() else _VIN_VALUES[one] * weight
        for one, weight in zip(text, _VIN_WEIGHTS, strict=True)
    )
    return text[8] == "0123456789x"[total % 11]


def routing(digits: str) -> bool:
    """ABA routing numbers: nine digits, weights 3, 7, 1, modulus 10, of a Federal Reserve range."""
    total = sum(int(digit) * weight for digit, weight in zip(digits, (3, 7, 1) * 3, strict=True))
    return total % 10 == 0 and "01" <= digits[:2] <= "32"


def equipment(digits: str) -> bool:
    """3GPP TS 23.003: an IMEI is 15 digits, the last by Luhn; 16 (IMEISV) have none."""
    return len(digits) == 16 or (len(digits) == 15 and luhn(digits))
