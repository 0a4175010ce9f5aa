"""Made-up numbers, dates and addresses in the forms that people write, with valid check digits."""

from __future__ import annotations

import random
from collections.abc import Callable

from skerry.guardrails import checksums

Piece = tuple[str, str]

_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September",
           "October", "November", "December")  # fmt: skip
_LETTERS = "ABCDEFGHJKLMNPRSTUVWXY"
_AREAS = ("SW1A", "LS7", "BS8", "CF10", "G12", "EH3", "NR2", "M14", "B15", "OX4")
_STATES = ("CA", "NY", "TX", "OH", "WA", "MA", "FL", "IL")


def digits(draw: random.Random, number: int) -> str:
    return "".join(draw.choice("0123456789") for _ in range(number))


def _phone(draw: random.Random) -> Piece:
    def d(size: int) -> str:
        return digits(draw, size)

    first = draw.choice("23456789")
    forms = (
        f"020 7{d(3)} {d(4)}",
        f"07{d(3)} {d(6)}",
        f"+44 7{d(3)} {d(6)}",
        f"0{first}{d(2)} {d(3)} {d(4)}",
        f"({first}{d(2)}) {d(3)}-{d(4)}",
        f"{first}{d(2)}-{d(3)}-{d(4)}",
        f"+1 {first}{d(2)} {d(3)} {d(4)}",
        f"+1-{first}{d(2)}-{d(3)}-{d(4)}",
        f"{first}{d(2)}.{d(3)}.{d(4)}",
        f"+49 30 {d(7)}",
        f"+33 1 {d(2)} {d(2)} {d(2)} {d(2)}",
    )
    return draw.choice(forms), "phone"


def day(draw: random.Random, first: int, last: int) -> str:
    """A date in one of the usual forms, between two years."""
    y, m, d = draw.randint(first, last), draw.randint(1, 12), draw.randint(1, 28)
    name = _MONTHS[m - 1]
    forms = (f"{d} {name} {y}", f"{name} {d}, {y}", f"{d:02}/{m:02}/{y}", f"{y}-{m:02}-{d:02}",
             f"{d} {name[:3]} {y}", f"{d}.{m}.{y}", f"{m}/{d}/{y}")  # fmt: skip
    return draw.choice(forms)


def _email(draw: random.Random) -> Piece:
    name = "".join(draw.choice("abcdefghijklmnoprstuvwy") for _ in range(draw.randint(4, 10)))
    house = "".join(draw.choice("abcdefghilmnoprstuv") for _ in range(draw.randint(4, 9)))
    mark = draw.choice(("", ".", "_", str(draw.randint(1, 99))))
    return f"{name}{mark}{name[::-1][:4]}@{house}.{draw.choice(('com', 'org', 'co.uk'))}", "email"


def _card(draw: random.Random) -> Piece:
    start = draw.choice(("4", "51", "55", "4929")) + digits(draw, 11)
    body = start[:15].ljust(15, "7")
    whole = next(body + last for last in "0123456789" if checksums.luhn(body + last))
    gap = draw.choice(("", " ", "-"))
    return gap.join(whole[at : at + 4] for at in range(0, 16, 4)), "card"


def _iban(draw: random.Random) -> Piece:
    body = "".join(draw.choice(_LETTERS) for _ in range(4)) + digits(draw, 14)
    check = next(f"{n:02}" for n in range(2, 99) if checksums.iban(f"gb{n:02}{body.lower()}"))
    bare = f"GB{check}{body}"
    gap = draw.choice(("", " "))
    return gap.join(bare[at : at + 4] for at in range(0, len(bare), 4)), "iban"


def _nhs(draw: random.Random) -> Piece:
    while True:
        body = digits(draw, 10)
        if checksums.nhs_number(body):
            return draw.choice((body, f"{body[:3]} {body[3:6]} {body[6:]}")), "nhs_number"


def _ssn(draw: random.Random) -> Piece:
    area = draw.randint(1, 665)
    return f"{area:03}-{draw.randint(1, 99):02}-{draw.randint(1, 9999):04}", "ssn"


def _postcode(draw: random.Random) -> Piece:
    if draw.random() < 0.5:
        inward = f"{draw.choice('123456789')}{draw.choice('ABDEFGHJ')}{draw.choice('LNPQRSTU')}"
        return f"{draw.choice(_AREAS)} {inward}", "postcode"
    return f"{draw.choice(_STATES)} {draw.randint(10000, 99999)}", "postcode"


def _ip(draw: random.Random) -> Piece:
    return ".".join(str(draw.randint(1, 254)) for _ in range(4)), "ip_address"


def _url(draw: random.Random) -> Piece:
    host = "".join(draw.choice("abcdefghilmnoprst") for _ in range(8))
    path = draw.choice(("", "/", f"/{host[:3]}/{draw.randint(1, 999)}"))
    return f"{draw.choice(('http', 'https'))}://www.{host}.com{path}", "url"


def _licence(draw: random.Random) -> Piece:
    return draw.choice(_LETTERS) + digits(draw, 7), "driver_licence"


def _handle(draw: random.Random) -> Piece:
    return "".join(draw.choice("abcdefghilmnoprst") for _ in range(7)), ""


def _time(draw: random.Random) -> Piece:
    return f"{draw.randint(0, 23):02}:{draw.choice(('00', '15', '30', '45'))}", ""


def _dose(draw: random.Random) -> Piece:
    return (
        f"{draw.choice((5, 10, 20, 40, 75, 100, 250, 500))} {draw.choice(('mg', 'mg', 'ml'))}",
        "",
    )


MAKERS: dict[str, Callable[[random.Random], Piece]] = {
    "phone": _phone, "email": _email, "card": _card, "iban": _iban, "nhs": _nhs, "ssn": _ssn,
    "postcode": _postcode, "ip": _ip, "url": _url, "licence": _licence, "handle": _handle,
    "time": _time, "dose": _dose,
    "mrn": lambda draw: (digits(draw, draw.randint(6, 9)), "mrn"),
    "dob": lambda draw: (day(draw, 1935, 2020), "date_of_birth"),
    "date": lambda draw: (day(draw, 2019, 2026), ""),
    "year": lambda draw: (str(draw.randint(1950, 2025)), ""),
    "age": lambda draw: (str(draw.randint(2, 89)), ""),
    "building": lambda draw: (str(draw.randint(1, 999)), "place"),
    "weekday": lambda draw: (draw.choice(("Monday", "Tuesday", "Friday", "Sunday")), ""),
    "title": lambda draw: (draw.choice(("Mr.", "Mrs.", "Ms.", "Dr.", "Mr", "Mrs", "Dr")), ""),
    "state": lambda draw: (draw.choice(_STATES), ""),
}  # fmt: skip
