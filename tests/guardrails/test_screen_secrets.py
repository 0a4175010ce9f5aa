"""Secrets are found as people and programs write them; talk about secrets is not one."""

from __future__ import annotations

import base64
import itertools
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skerry.guardrails import FindingKind
from skerry.guardrails.screen import screen

KEY = "A1b2C3d4E5f6G7h8J9k0"
BASIC = base64.b64encode(b"ada:hunter2").decode()
LETTERS = "aBcDeFgHiJkLmNoPqRsTuVwXyZaBcDeFgH"


@dataclass(frozen=True)
class Case:
    """A text, and the secret in it that a finding of `label` must cover."""

    text: str
    label: str
    secret: str


PASSWORDS = [
    ("my passcode 1234", "1234"),
    ("use password hunter2 to get in", "hunter2"),
    ("password: hunter2", "hunter2"),
    ("pw: hunter2", "hunter2"),
    ("pw: swordfish", "swordfish"),
    ("pwd=abc", "abc"),
    ("password: $ecret99", "$ecret99"),
    ("password: [2jump]", "[2jump"),
    ("pwd is Abc-123", "Abc-123"),
    ("the password 'my dog rex' opens it", "my dog rex"),
    ("the wifi password's hunter2", "hunter2"),
    ("password - hunter2", "hunter2"),
    ("DB_PASSWORD=swordfish", "swordfish"),
    ("userPassword = 'correct horse battery'", "correct horse battery"),
    ('{"user": "ada", "password": "open sesame"}', "open sesame"),
    ("**Password:** hunter2", "hunter2"),
    ("<password>hunter2</password>", "hunter2"),
    ("Password (wifi): swordfish", "swordfish"),
    ("Password:\nTr0ub4dor", "Tr0ub4dor"),
    ("Server=db;User Id=sa;Password=s3same;Encrypt=true", "s3same"),
    ("login ada, pass: hunter2", "hunter2"),
    ("The password for the safe is swordfish.", "swordfish"),
    ("The password for the safe is Blue42!", "Blue42"),
    ("the password of the router on ward 3 was \"open sesame\"", "open sesame"),
    ("The password is 'correct horse'", "correct horse"),
    ("my pass phrase is correct horse battery staple", "correct horse battery staple"),
    ("passphrase: correct horse battery staple", "correct horse battery staple"),
    ("change my password to Hunter22", "Hunter22"),
    ("PIN 1234", "1234"),
    ("my pin is 1 2 3 4", "1 2 3 4"),
    ("pin number 4821 please", "4821"),
    ("change my PIN from 1234 to 5678", "1234"),
    ("PIN code: 482913", "482913"),
    ("the door code is 4821", "4821"),
    ("The code of the cabinet is 4471", "4471"),
    ("Code for the key safe: 90 21", "90 21"),
    ("the locker code is 4471", "4471"),
    ("one-time code 482913", "482913"),
    ("cvv 123", "123"),
    ("postgres://ada:hunter2@db.example.org/ward", "hunter2"),
    ("postgres://ada:hunter2@localhost/ward", "hunter2"),
    ("redis://:hunter2@cache:6379", "hunter2"),
    ("https://ada:hunter2@ward.example.org/x", "hunter2"),
    ("curl -u ada:hunter2 https://ward.example.org", "hunter2"),
    (f"Authorization: Basic {BASIC}", BASIC),
]  # fmt: skip
KEYS = [
    (f"use sk_live_{KEY} for it", f"sk_live_{KEY}"),
    (f"rk_test_{KEY}", f"rk_test_{KEY}"),
    (f"hf_{LETTERS}", f"hf_{LETTERS}"),
    (f"client_secret: {KEY}", KEY),
    (f'clientSecret = "{KEY}"', KEY),
    ("secret=swordfish", "swordfish"),
    ("secret=abc", "abc"),
    ("token=deadbeefdeadbeefdeadbeef", "deadbeefdeadbeefdeadbeef"),
    (f"token: {KEY}", KEY),
    (f'"access_token": "{KEY}"', KEY),
    ("The token is a1b2c3d4e5", "a1b2c3d4e5"),
    ("Your token: 482913", "482913"),
    (f"AccountName=ward;AccountKey={KEY}{KEY}+/==;EndpointSuffix=x", f"{KEY}{KEY}+/=="),
    (f"X-API-Key: {KEY}", KEY),
    (f"my api key is {KEY}", KEY),
    (f"use the api key {KEY}", KEY),
    (f"xoxe.xoxp-1-{KEY}", KEY),
    (f"SG.{KEY}.{KEY}{KEY}", f"SG.{KEY}.{KEY}{KEY}"),
    (f"glpat-{KEY}", f"glpat-{KEY}"),
    (f"GOCSPX-{KEY}", f"GOCSPX-{KEY}"),
    (f"pypi-AgEIcHlwaS5vcmc{KEY}", KEY),
    (f"https://x.blob.example/c?sv=2024&sig={KEY}%2B", KEY),
    ("110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw1", "AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw1"),
]
BEARERS = [
    (f"Bearer: {KEY}", KEY),
    ("Bearer: abcdefghijklmnopqrstuvwxyz", "abcdefghijklmnopqrstuvwxyz"),
    (f"Authorization: Bearer {KEY}", KEY),
    (f"Authorization: Token {KEY}", KEY),
    (f"'authorization': '{KEY}'", KEY),
]
BODY = "Version: GnuPG v2.0 (x)\n\nlQOYBF+1\n=abcd"
BLOCKS = [
    (f"-----BEGIN {kind}-----\n{BODY}\n-----END {kind}-----", BODY)
    for kind in ("PGP PRIVATE KEY BLOCK", "PRIVATE KEY", "EC PRIVATE KEY", "OPENSSH PRIVATE KEY")
] + [('"-----BEGIN PRIVATE KEY-----\\nMIIE+/=\\n-----END PRIVATE KEY-----\\n"', "\\nMIIE+/=\\n")]
CASES = [
    Case(text, label, secret)
    for label, cases in (
        ("password", PASSWORDS), ("api_key", KEYS), ("bearer_token", BEARERS),
        ("private_key", BLOCKS),
    )
    for text, secret in cases
]  # fmt: skip

BENIGN = [
    "the password policy", "a token of thanks", "PIN number must be changed every 90 days",
    "secret santa", "Secret Santa: bring a gift of at most 10 pounds", "a pin and a needle",
    "The password is changed monthly. My password is wrong!", "Passwords must have 12 characters",
    "password: required", "Password: see the intranet", "password: ********",
    "Password: <your password>", "password=None", "password = getpass()", "password: ${PASSWORD}",
    "password: $PASSWORD", "password: {{ password }}", "password=%(password)s",
    "password=os.environ[x]", "I forgot my password", "How do I reset my PIN?",
    "What is the PIN for my card?", "The password is confidential.",
    "The password is displayed on the label",
    "The password for the portal is reset every 90 days", "the password is what I need",
    "Settings > Password > Security", "password at 14:30", "the password 2024 update",
    "password 12-character minimum", "password sha-256 hash", "password 8 characters long",
    "my card PIN was blocked", "pin 4 of the connector", "change the pin to 4-6 digits",
    "PIN must be 4 to 6 digits", "pass: 45%, fail: 55%", "boarding pass: gate closes at 10",
    "at most 4096 tokens", "max_tokens: 4096", "a cost per token of 0.00001234",
    "token: the smallest unit", "tokens: 128000", "the secret of a long life is sleep",
    "secret: the ingredient is love", "the key is in the box",
    "the key to the medicine cabinet is kept in the office", "Basic training is on Monday",
    "Authorization: Basic principles of consent", "basic assessments", "bearer responsibilities",
    "the bearer of this letter", "Authorization: required by the ward manager", "-u 1000:1000",
    "http://ward.example", "sk-learn-based-classifier", "the hf_ prefix and hf_token",
    "the door code is changed weekly", "the code of the cable is 4471",
    "The code for a broken door lock has 4 digits", "the code of the room is changed weekly",
    "the code of the cabinet is from 2019-03-04",
    "code 1234 is not in the list", "error code 500123",
    "the private key is kept by the pharmacist", "public key cryptography", "passed 1234 tests",
    "pw is short for password", "present working directory: pwd", "compass: 1234",
    "a token 2 cm long", "My passcode was denied.", "def f(name, pwd=None):",
    "token = self._fp.read(1)[0]", "self.password = self.pwd.encode()", 'the word "password" is',
    "the password 'must' be long", "The access key: see reception",
    "The pass phrase is a sequence of words", "pip install passlib==1.7.4",
]  # fmt: skip
SECRET = {"password", "api_key", "bearer_token", "private_key"}


def secrets_in(text: str) -> list[tuple[str, str]]:
    return [(f.label, text[f.start : f.end]) for f in screen(text) if f.label in SECRET]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.text[:40])
def test_found(case: Case) -> None:
    found = secrets_in(case.text)
    assert any(label == case.label and case.secret in span for label, span in found), found


@pytest.mark.parametrize("text", BENIGN)
def test_talk_about_secrets_is_none(text: str) -> None:
    assert secrets_in(text) == []


def test_the_rest_of_a_password_does_not_stay() -> None:
    """What is found covers the secret to its end, so that nothing of it leaves when replaced."""
    for text, secret in (*PASSWORDS, *KEYS, *BEARERS):
        spans = [span for _, span in secrets_in(text)]
        assert secret not in "".join(text.split(span)[0] for span in spans)
        assert any(secret in span for span in spans)


HOSTILE = (
    "password ", "password for ", "password (", "password is ", "pass phrase: a b ", "pin 1 ",
    "pin=", "secret=", "token: a1", "api key ", "my password ", "a1" * 40 + " ", "sk-1", "-u a:",
    "://a:", "Basic ", "authorization: ", "-----begin private key", "eyj", "key=a1", "&nbsp;",
    "&#160;1", "&a",
)  # fmt: skip


@pytest.mark.parametrize("unit", HOSTILE)
def test_a_long_hostile_text_is_screened(unit: str) -> None:
    """No clock is read: with a pattern that is not linear this would take hours."""
    found = screen((unit * 300_000)[:300_000])
    assert all(one.end <= 300_000 for one in found)


@given(st.lists(st.sampled_from([*HOSTILE, KEY, "hunter2", ":", "=", '"', "\n", " ", "ada"])))
@settings(max_examples=200, deadline=None)
def test_any_mix_is_screened_and_spans_lie_within_it(parts: list[str]) -> None:
    text = "".join(parts)
    found = [one for one in screen(text) if one.kind is FindingKind.PII]
    assert all(0 <= one.start < one.end <= len(text) for one in found)
    assert all(left.end <= right.start for left, right in itertools.pairwise(found))
