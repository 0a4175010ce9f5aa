"""Identifiers of papers, machines and events, and the many numbers that look like them."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skerry.guardrails import FindingKind, checksums, numbers
from skerry.guardrails.normal import normalise
from skerry.guardrails.recogniser import Views
from skerry.guardrails.screen import RECOGNISERS, screen


@dataclass(frozen=True)
class Case:
    name: str
    text: str
    label: str
    span: str


CASES = [
    Case("IPv6", "host 2001:db8:85a3::7334 is down", "ip_address", "2001:db8:85a3::7334"),
    Case("IPv6, link", "ping fe80::1ff:fe23:890a.", "ip_address", "fe80::1ff:fe23:890a"),
    Case("IPv6 with IPv4", "::ffff:192.0.2.128", "ip_address", "::ffff:192.0.2.128"),
    Case("MAC", "the mac is 00:1B:44:11:3A:B7", "mac_address", "00:1B:44:11:3A:B7"),
    Case("MAC, dashes", "00-1b-44-11-3a-b7", "mac_address", "00-1b-44-11-3a-b7"),
    Case("MAC, Cisco", "001b.4411.3ab7 is unknown", "mac_address", "001b.4411.3ab7"),
    Case("URL", "See https://ward.example.com/p/12?q=ada.", "url", "https://ward.example.com/p/12?q=ada"),
    Case("URL in brackets", "(www.example.com/ada)", "url", "www.example.com/ada"),
    Case("IMEI", "IMEI: 49-015420-323751-8", "device_id", "49-015420-323751-8"),
    Case("serial number", "Pacemaker serial no. PZK4512345S", "device_id", "PZK4512345S"),
    Case("handle", "follow her on twitter @ada_l now", "username", "@ada_l"),
    Case("user name", "username: ada.lovelace1815", "username", "ada.lovelace1815"),
    Case("login", "my login is alovelace", "username", "alovelace"),
    Case("driving licence", "LOVEL512105AA9IJ is mine", "driver_licence", "LOVEL512105AA9IJ"),
    Case("US", "Driver's license number: D123-4567-8901", "driver_licence", "D123-4567-8901"),
    Case("US, told", "my license? it is D1234567", "driver_licence", "D1234567"),
    Case("plate", "parked car AB12 CDE", "licence_plate", "AB12 CDE"),
    Case("plate, US", "license plate 7ABC123", "licence_plate", "7ABC123"),
    Case("VIN", "it says 1M8GDM9AXKP042788.", "vehicle", "1M8GDM9AXKP042788"),
    Case("VIN by context", "VIN: WVWZZZ1JZ3W386752", "vehicle", "WVWZZZ1JZ3W386752"),
    Case("account", "account number: 12345678", "account", "12345678"),
    Case("account of", "Account no. for Ada is 1234 5678", "account", "1234 5678"),
    Case("sort code", "sort code 20-00-00", "account", "20-00-00"),
    Case("routing number", "routing number 021000021", "account", "021000021"),
    Case("member", "Member ID: XEH-123456789", "health_plan", "XEH-123456789"),
    Case("policy", "insurance policy number 9988-7766", "health_plan", "9988-7766"),
    Case("National Insurance", "NI AB 12 34 56 C", "national_insurance", "AB 12 34 56 C"),
    Case("admitted", "She was admitted to ward 3 on 12/03/2026", "date", "12/03/2026"),
    Case("discharged", "discharged 2026-03-12", "date", "2026-03-12"),
    Case("discharge date", "Discharge date: March 12, 2026", "date", "March 12, 2026"),
    Case("died", "he died on the 12th of March 2026", "date", "12th of March 2026"),
    Case("postcode, lower case", "she lives in flat 3, ls7 9er", "postcode", "ls7 9er"),
    Case("born, told", "date of birth? It's 15/02/1973", "date_of_birth", "15/02/1973"),
    Case("old", "a 94-year-old man", "age", "94"),
    Case("old, aged", "aged 101, lives alone", "age", "101"),
    Case("old, short", "91yo F with falls", "age", "91"),
]  # fmt: skip

BENIGN = [
    "version 2.10.3-rc1, build 20240512.7, Python 3.11.4",
    "give 500 mg every 4 hours, 0.5 ml/kg, 1:1000 adrenaline, 10:30:45 and 23:59",
    "room 12B, ward 3, bay 4, bed 17, floor 94, theatre 101",
    "ISBN 978-3-16-148410-0, ISSN 2049-3630, DOI 10.1000/182",
    "part number AB12 CDE, order 12345678, SKU 7ABC123",
    "ICD-10 G20, E11.9; SNOMED 38341003; ATC N02BE01",
    "std::vector<int>, a::b, ratio 3:2:1, 12:30:45 to 13:00:15",
    "94% of 101 patients within 95 days; aged 90 days; 94 mmHg; age 64",
    "the audit is on 12/03/2026; the guideline of 3 May 2024 replaces it",
    "@property and @media; 3 @ 20 mg",
    "the account is closed; a member of staff; the policy on patient data",
    "She was discharged. The audit is on 12/03/2026.",
    "the user name is not in use; the login page",
    "Parkinson's disease, Crohn's disease, warfarin, paracetamol 1 g",
    "Tuesday 14:30, Q3 2026, 2025/26, week 12",
    "12-05-20-24-11-30",
    "vitamin b12 5ug and t4 5mg",
    "part A1234567 of the pump; chip a12345678",
    "IMEI 49-015420-323751-7",
    "routing number 021000022",
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_found(case: Case) -> None:
    found = [(one.label, case.text[one.start : one.end]) for one in screen(case.text)]
    assert found == [(case.label, case.span)]


@pytest.mark.parametrize("text", BENIGN)
def test_what_looks_like_one_is_none(text: str) -> None:
    assert [(one.label, text[one.start : one.end]) for one in screen(text)] == []


def test_words_before_it_raise_a_score() -> None:
    bare, named = "see 192.168.4.17", "the IP address 192.168.4.17"
    assert screen(named)[0].score > screen(bare)[0].score


@given(st.text("0123456789abcdef:.-@ /wxyz", max_size=120))
@settings(max_examples=200, deadline=None)
def test_any_mix_of_such_characters_is_screened(text: str) -> None:
    found = [one for one in screen(text) if one.kind is FindingKind.PII]
    assert all(0 <= one.start < one.end <= len(text) for one in found)


@pytest.mark.parametrize(
    ("check", "good"),
    [
        (checksums.vehicle, "1m8gdm9axkp042788"),
        (checksums.routing, "021000021"),
        (checksums.equipment, "490154203237518"),
    ],
)
def test_a_changed_digit_fails_the_check(check, good: str) -> None:
    assert check(good)
    last = str((int(good[-1]) + 1) % 10)
    assert not check(good[:-1] + last)


def test_a_form_without_its_words_anywhere_is_not_looked_for() -> None:
    """Else every "@a" of a long text would have the words before it read for nothing."""
    handles = [one for one in RECOGNISERS if one.label == "username" and one.near]
    assert [one.may_find(Views.of(normalise("@ada " * 9))) for one in handles] == [False]
    assert [one.may_find(Views.of(normalise("slack: @ada"))) for one in handles] == [True]


def test_a_card_in_fours_is_checked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    checked: list[str] = []
    monkeypatch.setattr(numbers, "_if_card", lambda text, *_: iter(checked.append(text) or ()))
    assert list(numbers.cards_at_the_ends("4111 1111 1111 1111")) == []
    assert checked == []
