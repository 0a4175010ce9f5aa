"""Check digits of the identifiers that the screen recognises. Each takes digits and letters."""

from __future__ import annotations


def luhn(digits: str) -> bool:
    """ISO/IEC 7812-1 annex B: payment card numbers."""
    total = 0
    for position, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if position % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


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
