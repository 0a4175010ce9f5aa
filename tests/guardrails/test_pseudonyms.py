"""What is replaced comes back, streamed or not, in every form that a model may give it."""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from skerry.guardrails import Finding, FindingKind
from skerry.guardrails.errors import GuardrailError
from skerry.guardrails.pseudonyms import Pseudonyms, Restorer, Style
from skerry.guardrails.pseudonyms.dates import read
from skerry.guardrails.screen import screen
from skerry.guardrails.train.names import numbers

KEY = b"a conversation's"
LETTER = (
    "Dr Ada Lovelace (ada@example.org, 020 7123 4567, NHS number 943 476 5919), born 12 March "
    "1961, was admitted on 14/03/2026. Ms Lovelace lives at 221B Baker Street, SW1A 1AA."
)

_SECRETS = "Ada|Lovelace|ada@|7123|943|5919|12 March|14/03|221B|Baker|1AA".split("|")


def replaced(pseudonyms: Pseudonyms, text: str) -> str:
    return pseudonyms.replace(text, screen(text))


def streamed(pseudonyms: Pseudonyms, text: str, width: int) -> str:
    restorer = Restorer(pseudonyms)
    parts = [restorer.feed(text[at : at + width]) for at in range(0, len(text), width)]
    return "".join(parts) + restorer.flush()


def surrogates(pseudonyms: Pseudonyms) -> dict[str, str]:
    """What each value became."""
    return {value: sent for sent, value in pseudonyms.placeholders().items()}


def person(text: str, *names: str) -> list[Finding]:
    found = [(text.index(name), len(name)) for name in names]
    return [Finding(FindingKind.PII, "person", at, at + size, 1.0) for at, size in found]


def test_nothing_of_a_letter_leaves_and_all_of_it_comes_back() -> None:
    pseudonyms = Pseudonyms(KEY)
    sent = replaced(pseudonyms, LETTER)
    for secret in _SECRETS:
        assert secret not in sent
    assert sent.startswith("Dr ")
    assert "Street" in sent
    assert pseudonyms.restore(sent) == LETTER


def test_every_form_of_a_name_is_one_person() -> None:
    pseudonyms = Pseudonyms(KEY)
    text = "Dr Ada Lovelace, Ada Lovelace, Ms Lovelace, LOVELACE, Ada, Mr Turing"
    sent = pseudonyms.replace(text, person(text, "Ada Lovelace", "Turing"))
    first, last = surrogates(pseudonyms)["Ada"], surrogates(pseudonyms)["Lovelace"]
    other = surrogates(pseudonyms)["Turing"]
    assert sent == (
        f"Dr {first} {last}, {first} {last}, Ms {last}, {last.upper()}, {first}, Mr {other}"
    )
    assert len({first, last, other}) == 3


@dataclass(frozen=True)
class Reply:
    name: str
    form: str
    restored: str


def replies(sent: dict[str, str]) -> list[Reply]:
    """Forms that models give to what they were told, and what a person should read."""
    first, last, phone = sent["Ada"], sent["Lovelace"], sent["020 7123 4567"]
    born, stay = read(sent["12 March 1961"])[0].day, read(sent["14/03/2026"])[0].day
    digits = phone.replace(" ", "")
    street = sent["Baker"]
    return [
        Reply("possessive", f"{last}'s dose", "Lovelace's dose"),
        Reply("typographic", f"{first}\u2019s dose", "Ada\u2019s dose"),
        Reply("plural", f"the {last}s", "the Lovelaces"),
        Reply("upper case", f"{first} {last}".upper(), "ADA LOVELACE"),
        Reply("lower case", f"{last}, {first}".lower(), "lovelace, ada"),
        Reply("markdown", f"**{last}**", "**Lovelace**"),
        Reply("a table", f"|{last}|{first}|", "|Lovelace|Ada|"),
        Reply("phone, solid", f"ring {digits}", "ring 020 7123 4567"),
        Reply("phone, dashes", phone.replace(" ", "-"), "020 7123 4567"),
        Reply("phone, abroad", f"+44 {digits[1:3]} {digits[3:]}", "020 7123 4567"),
        Reply("date, ISO", born.isoformat(), "1961-03-12"),
        Reply("date, US", f"{born:%B} {born.day}, {born.year}", "March 12, 1961"),
        Reply("date, short", f"{born.day} {born:%b} {born.year}.", "12 Mar 1961."),
        Reply("date, no year", f"on {born.day} {born:%B}.", "on 12 March."),
        Reply("date, dots", f"{born:%d.%m.%Y}", "12.03.1961"),
        Reply("stay, in words", f"{stay.day} {stay:%B} {stay.year}", "14 March 2026"),
        Reply("street", f"{street} St", "Baker St"),
        Reply("e-mail", sent["ada@example.org"].upper(), "ada@example.org"),
        Reply("NHS number", sent["943 476 5919"].replace(" ", ""), "943 476 5919"),
        Reply("postcode", sent["SW1A 1AA"].lower(), "SW1A 1AA"),
    ]


@pytest.mark.parametrize("number", range(20))
def test_a_changed_surrogate_is_known_again(number: int) -> None:
    pseudonyms = Pseudonyms(KEY)
    replaced(pseudonyms, LETTER)
    reply = replies(surrogates(pseudonyms))[number]
    assert pseudonyms.restore(reply.form) == reply.restored, reply.name
    for width in (1, 3, 7):
        assert streamed(pseudonyms, reply.form, width) == reply.restored


def test_intervals_and_days_of_the_week_stay() -> None:
    pseudonyms = Pseudonyms(KEY)
    sent = replaced(pseudonyms, "admitted 3 March 2026, discharged 2026-03-12, died 20/03/2026")
    days = [read(part.split(" ", 1)[1])[0].day for part in sent.split(", ")]
    real = [dt.date(2026, 3, 3), dt.date(2026, 3, 12), dt.date(2026, 3, 20)]
    assert [b - a for a, b in zip(days, real, strict=True)] == [real[0] - days[0]] * 3
    assert [day.weekday() for day in days] == [day.weekday() for day in real]


def test_a_conversation_s_key_decides() -> None:
    one, same, other = Pseudonyms(KEY), Pseudonyms(KEY), Pseudonyms(b"another key here")
    assert replaced(one, LETTER) == replaced(same, LETTER) != replaced(other, LETTER)
    assert replaced(Pseudonyms(), LETTER) != replaced(Pseudonyms(), LETTER)


def test_a_mapping_goes_on_where_it_was_kept() -> None:
    first = Pseudonyms(KEY)
    sent = replaced(first, LETTER)
    later = Pseudonyms.load(first.dump())
    assert later.restore(sent) == LETTER
    assert replaced(later, LETTER) == sent


KEPT_SHAPE = {
    "phone": ("(415) 823-4567", "555-01"),
    "phone abroad": ("+44 7911 123456", "+44 7700 900"),
    "phone elsewhere": ("+49 30 1234567", "+99 9"),
    "ip_address": ("192.168.4.17", "."),
    "ssn": ("078-05-1120", "-00-"),
    "card": ("4111 1111 1111 1111", "9999 "),
    "iban": ("GB82 WEST 1234 5698 7654 32", "XX"),
    "mac_address": ("00:1B:44:11:3A:B7", "00:00:5E:00:53"),
    "url": ("https://ward.example.com/ada", "https://www.example."),
}


@pytest.mark.parametrize("kind", KEPT_SHAPE)
def test_a_number_keeps_its_shape_and_is_nobody_s(kind: str) -> None:
    value, part = KEPT_SHAPE[kind]
    pseudonyms = Pseudonyms(KEY)
    sent = replaced(pseudonyms, f"it is {value}.")
    assert part in sent
    assert value not in sent
    assert pseudonyms.restore(sent) == f"it is {value}."


def test_what_a_text_holds_is_no_surrogate() -> None:
    first = Pseudonyms(KEY)
    replaced(first, "Dr Lovelace")
    taken = surrogates(first)["Lovelace"]
    second = Pseudonyms(KEY)
    text = f"Dr Lovelace and {taken}"
    sent = replaced(second, text)
    assert surrogates(second)["Lovelace"] != taken
    assert second.restore(sent) == text


def test_a_surrogate_in_a_later_text_stands_for_itself() -> None:
    pseudonyms = Pseudonyms(KEY)
    replaced(pseudonyms, "Dr Lovelace")
    taken = surrogates(pseudonyms)["Lovelace"]
    sent = replaced(pseudonyms, f"who is {taken}?")
    assert taken not in sent
    assert pseudonyms.restore(sent) == f"who is {taken}?"


PARTS = (
    "Dr Ada Lovelace", "Ms O'Brien-Smith", "mr lovelace", "Prof. J. van der Berg", "ada@x.org",
    "born 12/03/1961", "admitted 3 March 2026", "+44 20 7946 0958", "078-05-1120", "94-year-old",
    "12 Mill Lane", "SW1A 1AA", "https://x.org/a", "10.0.0.1", "MRN 00412345", "<EMAIL_1>", "<",
    "contact1234@example.org", "5 June 1960", "07700 900123", "91 years", "\u0130", "\u00df", "K.",
)  # fmt: skip
TEXTS = st.lists(
    st.one_of(st.sampled_from(PARTS), st.text(max_size=12)), min_size=1, max_size=8
).map(" ".join)


@given(st.lists(TEXTS, min_size=1, max_size=3), st.integers(1, 9), st.sampled_from(Style))
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_text_comes_back_whatever_it_holds(
    texts: list[str], width: int, style: Style
) -> None:
    pseudonyms = Pseudonyms(KEY, style)
    sent = [replaced(pseudonyms, text) for text in texts]
    assert [pseudonyms.restore(text) for text in sent] == texts
    assert [streamed(pseudonyms, text, width) for text in sent] == texts


@given(st.integers(0, 10_000), st.data())
@settings(max_examples=100, deadline=None)
def test_planted_identifiers_come_back_however_the_reply_is_cut(
    seed: int, data: st.DataObject
) -> None:
    draw = random.Random(seed)
    kinds = draw.choices(sorted(numbers.MAKERS), k=6)
    text = "; ".join(f"born {numbers.MAKERS[kind](draw)[0]}" for kind in kinds)
    pseudonyms = Pseudonyms(seed.to_bytes(16))
    sent = replaced(pseudonyms, text)
    assert pseudonyms.restore(sent) == text
    cuts = sorted(data.draw(st.lists(st.integers(0, len(sent)), max_size=12)))
    restorer = Restorer(pseudonyms)
    parts = [sent[a:b] for a, b in zip([0, *cuts], [*cuts, len(sent)], strict=True)]
    assert "".join(map(restorer.feed, parts)) + restorer.flush() == text


@given(st.text("abKLelmorst '.-1290", max_size=60), st.integers(1, 5))
@settings(max_examples=150, deadline=None)
def test_a_stream_gives_what_the_whole_gives(tail: str, width: int) -> None:
    pseudonyms = Pseudonyms(KEY)
    reply = replaced(pseudonyms, LETTER) + tail
    assert streamed(pseudonyms, reply, width) == pseudonyms.restore(reply)


def test_a_stream_does_not_wait_where_nothing_can_begin() -> None:
    pseudonyms = Pseudonyms(KEY)
    text = "Dr Lovelace"
    replaced(pseudonyms, text)
    restorer = Restorer(pseudonyms)
    assert restorer.feed("warfarin, in 3 days") == "warfarin, in 3 days"


def test_findings_that_overlap_leave_nothing_between_them() -> None:
    findings = [Finding(FindingKind.PII, "mrn", at, at + 4, 1.0) for at in (3, 5)]
    pseudonyms = Pseudonyms(KEY, Style.PLACEHOLDER)
    assert pseudonyms.replace("at 123456 x", findings) == "at <MRN_1><MRN_2> x"


def test_a_secret_has_no_other_form_than_a_placeholder() -> None:
    assert replaced(Pseudonyms(KEY), "password: hunter22") == "password: <PASSWORD_1>"


TEXT = "Mail ada@example.org, then ada@example.org again, or ring +44 20 7946 0958."


def test_placeholders() -> None:
    pseudonyms = Pseudonyms(style=Style.PLACEHOLDER)
    assert replaced(pseudonyms, TEXT) == "Mail <EMAIL_1>, then <EMAIL_1> again, or ring <PHONE_2>."
    assert len(pseudonyms) == 2
    assert pseudonyms.restore("<EMAIL_7> and <b>") == "<EMAIL_7> and <b>"


def test_a_placeholder_in_the_text_is_not_used() -> None:
    pseudonyms = Pseudonyms(style=Style.PLACEHOLDER)
    text = "Is <EMAIL_1> the form for ada@example.org?"
    assert replaced(pseudonyms, text) == "Is <EMAIL_1> the form for <EMAIL_2>?"
    assert pseudonyms.restore("<EMAIL_1>, <EMAIL_2>") == "<EMAIL_1>, ada@example.org"


def test_a_placeholder_in_a_later_text_stands_for_itself() -> None:
    pseudonyms = Pseudonyms(style=Style.PLACEHOLDER)
    assert replaced(pseudonyms, "ada@example.org") == "<EMAIL_1>"
    assert replaced(pseudonyms, "what is <EMAIL_1>?") == "what is <LITERAL_2>?"
    assert pseudonyms.restore("<LITERAL_2> is <EMAIL_1>") == "<EMAIL_1> is ada@example.org"
    assert len(pseudonyms) == 1


def test_what_could_not_come_back_does_not_leave(monkeypatch: pytest.MonkeyPatch) -> None:
    pseudonyms = Pseudonyms(KEY)
    monkeypatch.setattr(pseudonyms, "restore", lambda text: text)
    with pytest.raises(GuardrailError) as caught:
        replaced(pseudonyms, "Dr Lovelace")
    assert "nothing has left" in caught.value.hint


def test_a_text_of_nothing_but_identifiers_is_replaced() -> None:
    """No clock is read: in time of their number's square this would take minutes."""
    text = "password: " * 20_000
    pseudonyms = Pseudonyms(key=b"k")
    sent = pseudonyms.replace(text, screen(text))
    assert sent != text
    assert pseudonyms.restore(sent) == text
