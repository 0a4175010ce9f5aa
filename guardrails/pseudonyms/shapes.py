"""Numbers, addresses of machines and the like that stand for real ones: same shape, never in use.

Where a range is reserved for examples it is that: telephone numbers of drama (Ofcom) and of
fiction (NANPA 555-01xx), RFC 2606 domains, RFC 5737 and RFC 3849 addresses, RFC 7042 MAC
addresses, NHS numbers beginning 999, SSNs of group 00. Elsewhere a check digit fails, or the
number begins as none does.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import chain, repeat

from skerry.guardrails import checksums
from skerry.guardrails.pseudonyms.draws import Draw

Make = Callable[[str, Draw], str]
"""Of a plain value (ASCII) makes another of its shape."""

_LETTERS = "ABCDEFGHJKLMNPRSTUVWXYZ"
_NETWORKS = ("192.0.2", "198.51.100", "203.0.113")
_AREAS = ("202", "206", "213", "303", "312", "404", "415", "503", "617", "702", "713", "801")
_HOSTS = ("example.org", "example.com", "example.net")
_DRAMA = {"7": "7700900", "20": "2079460", "121": "1214960", "131": "1314960", "113": "1134960"}


def compact(text: str) -> str:
    """The letters and digits of `text`, in lower case."""
    return "".join(one for one in text.lower() if one.isalnum())


def filled(shape: str, characters: str) -> str:
    """`shape` with its letters and digits replaced, in order, by `characters` and then zeros."""
    supply = chain(characters, repeat("0"))
    return "".join(_cased(next(supply), one) if one.isalnum() else one for one in shape)


def same_shape(value: str, draw: Draw) -> str:
    """Any digit for a digit, any letter for a letter."""
    return "".join(
        str(draw.below(10)) if one.isdigit() else _cased(draw.one(_LETTERS), one)
        if one.isalpha() else one
        for one in value
    )  # fmt: skip


def phone(value: str, draw: Draw) -> str:
    digits = compact(value)
    international = value.lstrip().startswith(("+", "00"))
    bare = digits.removeprefix("00") if international else digits
    zeros = digits[: len(digits) - len(bare)]
    return filled(value, zeros + _dialled(bare, draw, international=international))


def _dialled(bare: str, draw: Draw, *, international: bool) -> str:
    if international and bare.startswith("44"):
        trunk = "0" if bare[2:3] == "0" else ""
        return f"44{trunk}{_british(bare[2 + len(trunk) :], draw)}"
    if len(bare) == 11 and bare.startswith("1"):
        return f"1{_american(10, draw)}"
    if not international and bare.startswith("0") and len(bare) in (10, 11):
        return f"0{_british(bare[1:], draw)}"
    if not international and len(bare) in (7, 10):
        return _american(len(bare), draw)
    start = "999" if international else "000"  # no country has 999, no local number begins 000
    return (start + draw.digits(max(len(bare) - 3, 0)))[: len(bare)]


def _british(national: str, draw: Draw) -> str:
    """Ofcom, telephone numbers for use in TV and radio drama; as many digits as `national`."""
    start = next((_DRAMA[area] for area in _DRAMA if national.startswith(area)), "1632960")
    return (start + draw.digits(max(len(national) - len(start), 0)))[: len(national)]


def _american(size: int, draw: Draw) -> str:
    """NANPA: 555-0100 to 555-0199 of any area are for fiction."""
    area = draw.one(_AREAS) if size == 10 else ""
    return f"{area}55501{draw.digits(2)}"


def social_security(value: str, draw: Draw) -> str:
    return filled(value, f"9{draw.digits(2)}00{draw.digits(4)}")


def nhs_number(value: str, draw: Draw) -> str:
    return filled(value, f"999{draw.digits(7)}")


def card(value: str, draw: Draw) -> str:
    size = len(compact(value))
    made = f"9999{draw.digits(size - 4)}"
    return filled(value, made if not checksums.luhn(made) else _next(made))


def _next(digits: str) -> str:
    return digits[:-1] + str((int(digits[-1]) + 1) % 10)


def iban(value: str, draw: Draw) -> str:
    """Country XX, which ISO 3166 leaves to users."""
    rest = same_shape(compact(value)[2:], draw)
    return filled(value, f"XX{rest}".upper())


def vehicle(value: str, draw: Draw) -> str:
    made = same_shape(compact(value), draw).upper()
    return filled(value, f"{made[:8]}X{made[9:]}" if len(made) == 17 else made)


def postcode(value: str, draw: Draw) -> str:
    """ZZ, an area that there is not; for numbers, those below 00500 that were never given out."""
    made = same_shape(compact(value), draw).upper()
    if value[:1].isdigit():
        return filled(value, f"000{made[3:]}")
    area = 2 if value[1:2].isalpha() else 1
    return filled(value, f"{'ZZ'[:area]}{made[area:]}")


def email(value: str, draw: Draw) -> str:  # noqa: ARG001
    return f"contact{draw.below(9000) + 1000}@{draw.one(_HOSTS)}"


def url(value: str, draw: Draw) -> str:
    found = re.match(r"[a-z]{3,5}://", value, re.IGNORECASE)
    scheme = found.group() if found else ""
    return f"{scheme}www.{draw.one(_HOSTS)}/page{draw.below(9000) + 1000}"


def ip_address(value: str, draw: Draw) -> str:
    if ":" in value:
        return f"2001:db8::{draw.below(65535) + 1:x}"
    return f"{draw.one(_NETWORKS)}.{draw.below(254) + 1}"


def mac_address(value: str, draw: Draw) -> str:
    return filled(value, f"00005E0053{draw.below(256):02X}")


def username(value: str, draw: Draw) -> str:
    return f"{'@' if value.startswith('@') else ''}user{draw.below(9000) + 1000}"


def age(value: str, draw: Draw) -> str:
    """Another age over 89."""
    return str(90 + draw.below(30)) if value.isdigit() else value


NUMBERS: dict[str, Make] = {
    "phone": phone, "ssn": social_security, "nhs_number": nhs_number, "card": card, "iban": iban,
    "vehicle": vehicle, "postcode": postcode, "mrn": same_shape, "passport": same_shape,
    "driver_licence": same_shape, "licence_plate": same_shape, "account": same_shape,
    "health_plan": same_shape, "national_insurance": same_shape, "device_id": same_shape,
}  # fmt: skip
EXACT: dict[str, Make] = {
    "email": email, "url": url, "ip_address": ip_address, "username": username,
    "mac_address": mac_address,
}  # fmt: skip


def _cased(character: str, like: str) -> str:
    return character.lower() if like.islower() else character
