"""The recognisers of what identifies a person: numbers, addresses, dates and names by context.

Bare names and free descriptions are not among them: no pattern tells those from other words.
"""

from __future__ import annotations

from skerry.guardrails import checksums, numbers
from skerry.guardrails.numbers import GAP, NOT_AFTER, NOT_BEFORE
from skerry.guardrails.recogniser import (
    FIRST,
    Recogniser,
    all_of,
    has,
    near,
    pii,
    shaped,
    whole,
    words,
)

_NUMBER = r"(?:\s?(?:number|num\.?|no\.?|nr\.?|id|identifier))"
_TO = r"(?:\s(?:is|was))?[\W_]{0,3}"
_COUNTRIES = "|".join(GAP.join(code) for code in checksums.IBAN_LENGTHS)
_LONG_NUMBER = shaped(r"[0-9](?:[\W_]{0,3}\d){5}")
_SOLID_COUNTRIES = "|".join(checksums.IBAN_LENGTHS)
_IBAN = shaped(
    rf"[0-9](?:(?<=[a-z]\d)|(?<=[a-z][\W_]\d))"
    rf"(?:(?<=(?:{_SOLID_COUNTRIES})\d)|(?<=(?:{_SOLID_COUNTRIES})[\W_]\d)|"
    rf"(?<=[a-z][\W_][a-z]\d)|(?<=[a-z][\W_][a-z][\W_]\d)){GAP}\d(?:{GAP}[a-z\d]){{11}}"
)

_PHONE_GAP = r"(?:[ .\-]?\(|\)[ .\-]?|\r\n|[\W_])?"
_PLAIN_GAP = r"[\s._/\-]"
_BEGINS = r"(?<![\w.][\s\S])(?<!\d[ ,][\s\S])"
_NO_DATE = r"(?!\d{1,4}[/.\-]\d{1,2}[/.\-]\d{2,4}(?![\W_]?\d))"
_OCTET = r"(?:25[0-5]|2[0-4]\d|1?\d?\d)"

_MONTH_NAMES = (
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
)  # fmt: skip
_MONTHS = f"(?:{'|'.join(_MONTH_NAMES)})"
_MONTH = rf"{_MONTHS}[a-z]{{0,6}}"
_DAY = r"\d{1,2}(?:st|nd|rd|th)?"
_REST_OF_NUMBERS = r"\s?[\W_]\s?\d{1,2}\s?[\W_]\s?\d{1,4}"
_REST_OF_DAY = rf"(?:st|nd|rd|th)?[\W_]{{0,2}}(?:day\s)?(?:of\s)?{_MONTH}[\W_]{{0,2}}\d{{2,4}}"
_REST_OF_MONTH = rf"[a-z]{{0,6}}[\W_]{{0,2}}{_DAY}[\W_]{{0,2}}\d{{2,4}}"
DATE = rf"(?:\d{{1,4}}{_REST_OF_NUMBERS}|\d{{8}}|\d{{1,2}}{_REST_OF_DAY}|{_MONTHS}{_REST_OF_MONTH})"

_RECORD = words(
    "mrn",
    r"medical\srecord",
    r"our\sref(?:erence)?",
    *(
        what + _NUMBER
        for what in (r"medical\srecord", r"hosp(?:ital)?", "patient", "chart", "case")
    ),
)

# One telephone number in eleven has the check digit of an NHS number.
_RUNG = near("telephone|phone|tel|mobile|cell|fax|call(?:ed|ing)?|ring|rang|text(?:ed)?|dial", 0.7)
_NHS = near("nhs", 0.95)

_NUMBERS = (
    pii("card", numbers.SOLID_CARD, 1.0, _LONG_NUMBER, whole(checksums.card)),
    *(
        pii("card", layout, 1.0, _LONG_NUMBER, whole(checksums.card))
        for layout in numbers.CARD_LAYOUTS
    ),
    pii("card", numbers.STRETCH, 1.0, _LONG_NUMBER, numbers.cards_at_the_ends),
    pii(
        "iban",
        rf"{NOT_AFTER}(?=(?P<id>(?:{_COUNTRIES}){GAP}\d{GAP}\d"
        rf"(?:{GAP}[a-z0-9]){{11,28}}))",
        1.0,
        all_of(_LONG_NUMBER, _IBAN),
        numbers.ibans,
    ),
    pii(
        "nhs_number", numbers.SOLID_NHS, 0.95, _LONG_NUMBER, whole(checksums.nhs_number), near=_RUNG
    ),
    pii(
        "nhs_number",
        numbers.NHS_LAYOUT,
        0.95,
        _LONG_NUMBER,
        whole(checksums.nhs_number),
        near=_RUNG,
    ),
    pii("nhs_number", numbers.NHS_ALONE, 0.75, _LONG_NUMBER, numbers.nhs_number_alone, near=_NHS),
    pii(
        "nhs_number",
        rf"n{FIRST}hs{_NUMBER}?{_TO}(?P<id>\d(?:{GAP}\d){{9}}){NOT_BEFORE}",
        0.95,
        has("nhs"),
        whole(checksums.nhs_number),
    ),
    pii("ssn", numbers.SSN, 0.95, _LONG_NUMBER, whole(checksums.social_security)),
    pii(
        "ssn",
        rf"s{FIRST}(?:sn|ocial\ssecurity){_NUMBER}?{_TO}(?P<id>\d(?:{GAP}\d){{8}}){NOT_BEFORE}",
        0.95,
        has("ssn", "security"),
        whole(checksums.social_security),
    ),
    pii(
        "mrn",
        rf"{_RECORD}"
        rf"{_TO}(?P<id>[a-z]{{0,3}}(?:\d{{5,10}}|{GAP}\d(?:{GAP}\d){{4,9}})){NOT_BEFORE}",
        0.95,
        has("mrn", "record", "hosp", "patient", "chart", "case", "ref"),
    ),
    pii(
        "passport",
        rf"p{FIRST}assport{_NUMBER}?{_TO}"
        rf"(?P<id>[a-z]{{0,2}}(?:\d{{6,9}}|{GAP}\d(?:{GAP}\d){{5,8}})){NOT_BEFORE}",
        0.95,
        has("passport"),
    ),
)

_APART = r"[ \-_]"
_ALONE = r"(?![^\W_])"
_LABEL = rf"(?:\w(?:{_APART}[\w\-]{_ALONE}){{1,40}}|[\w\-]{{1,63}})"
_DOT = r"(?:\.| \. |-\.-|_\._)"
_EMAIL_APART = (  # "a d a @ h o s p . o r g"; its parts may be written solid
    rf"(?:\w[\w.%+\-]{{0,63}}|[^\W_](?:{_APART}[\w.%+\-]){{1,40}})(?:@| @ |-@-|_@_)"
    rf"{_LABEL}(?:{_DOT}{_LABEL}){{0,4}}{_DOT}"
    rf"(?:[^\W\d_](?:{_APART}[^\W\d_]{_ALONE}){{1,12}}|[^\W\d_]{{2,24}})"
)

_CONTACTS = (
    pii(
        "email",
        rf"{NOT_AFTER}\w[\w.%+\-]{{0,63}}(?:@| @ )[\w.\-]{{1,190}}\.[^\W\d_]{{2,24}}{NOT_BEFORE}",
        1.0,
        has("@"),
    ),
    pii(
        "email",
        rf"{NOT_AFTER}{_EMAIL_APART}{NOT_BEFORE}",
        1.0,
        has("@"),
    ),
    pii(
        "phone",
        rf"(?<![\w.])(?:\+|00){GAP}(?:1(?:{_PHONE_GAP}\d){{10}}|"
        rf"[1-9](?:{_PHONE_GAP}\d){{6,11}}(?:[ .\-]?\d){{0,3}}){NOT_BEFORE}",
        0.9,
        shaped(rf"(?:\+|00){GAP}[1-9]"),
    ),
    pii(
        "phone",
        rf"[(0-9]{_BEGINS}(?:(?<=\()\d{{3}}\){_PLAIN_GAP}?|(?<=1){_PLAIN_GAP}\(?\d{{3}}\)?{_PLAIN_GAP}|"
        rf"(?<=\d)\d\d{_PLAIN_GAP})\d{{3}}{_PLAIN_GAP}\d{{4}}{NOT_BEFORE}",
        0.8,
        _LONG_NUMBER,
    ),
    pii(
        "phone",
        rf"[(0]{_BEGINS}(?:(?:(?<=0)|0)\d{{2,4}}\)?{_PLAIN_GAP}\d{{3,4}}{_PLAIN_GAP}?\d{{3,4}}|"
        rf"(?<=0)[1-37]\d{{8,9}}|(?<=0)\d(?:[ .]\d\d){{4}}|(?<=0)6[ \-]\d{{8}}){NOT_BEFORE}",
        0.8,
        _LONG_NUMBER,
    ),
    pii(
        "phone",
        rf"{words('telephone', 'phone', 'tel', 'mobile', 'cell', 'call', 'ring', 'text', 'fax')}"
        rf"(?:\s(?:number|no|is|me|us|him|her|them|on|at)){{0,3}}[\s.:]{{1,3}}"
        rf"{_NO_DATE}(?P<id>\(?\d(?:{_PHONE_GAP}\d){{5,13}}){NOT_BEFORE}",
        0.8,
        _LONG_NUMBER,
    ),
    pii(
        "ip_address",
        rf"(?<![\w.])(?:{_OCTET}\.){{3}}{_OCTET}(?!\w|\.\d)",
        0.8,
        shaped(r"[0-9]\.\d{1,3}\.\d"),
        near=near("ip|addresse?s?|hosts?|servers?|device|logged|login|from|ping", 0.95),
    ),
)

_STREETS = "Street|Road|Lane|Avenue|Drive|Crescent|Boulevard|Terrace|Rd|Ave|Blvd"
_OTHER_STREETS = "St|Ln|Dr|Close|Court|Ct|Way|Place|Gardens|Square|Hill|Row|Walk|Grove|Mews|Parade"
_NO_STREET_NAME = (
    "a|an|and|are|as|at|by|cross|down|for|from|hours?|in|is|km|metres?|meters?|miles?|minutes?|"
    "more|of|off|on|or|out|over|people|per|the|this|that|to|up|was|were|with"
)
POSTCODE_AREAS = (
    "AB|AL|BA|BB|BD|BH|BL|BN|BR|BS|BT|CA|CB|CF|CH|CM|CO|CR|CT|CV|CW|DA|DD|DE|DG|DH|DL|DN|DT|DY|EC|"
    "EH|EN|EX|FK|FY|GL|GU|GY|HA|HD|HG|HP|HR|HS|HU|HX|IG|IM|IP|IV|JE|KA|KT|KW|KY|LA|LD|LE|LL|LN|LS|"
    "LU|ME|MK|ML|NE|NG|NN|NP|NR|NW|OL|OX|PA|PE|PH|PL|PO|PR|RG|RH|RM|SA|SE|SG|SK|SL|SM|SN|SO|SP|SR|"
    "SS|ST|SW|SY|TA|TD|TF|TN|TQ|TR|TS|TW|UB|WA|WC|WD|WF|WN|WR|WS|WV|YO|ZE|B|E|G|L|M|N|S|W"
)
_STATES = (
    "AK|AL|AR|AZ|CA|CO|CT|DC|DE|FL|GA|HI|IA|ID|IL|IN|KS|KY|LA|MA|MD|ME|MI|MN|MO|MS|MT|NC|ND|NE|NH|"
    "NJ|NM|NV|NY|OH|OK|OR|PA|RI|SC|SD|TN|TX|UT|VA|VT|WA|WI|WV|WY"
)

_PLACES = (
    pii(
        "address",
        rf"[0-9]{FIRST}\d{{0,4}}[A-Za-z]?,?\s(?:[A-Z][\w'.\-]{{1,20}}\s){{1,3}}"
        rf"(?:{_STREETS}|{_OTHER_STREETS})\b",
        0.85,
        shaped(r"[0-9][A-Za-z]?,?\s[A-Z]"),
        cased=True,
    ),
    pii(
        "address",
        rf"[0-9]{FIRST}\d{{0,4}}[a-z]?,?\s(?:(?!(?:{_NO_STREET_NAME})\b)[a-z][\w'.\-]{{1,20}}\s){{1,2}}"
        r"(?:street|road|lane|avenue|crescent|boulevard)\b",
        0.8,
        has("street", "road", "lane", "avenue", "crescent", "boulevard"),
    ),
    pii(
        "postcode",
        rf"{NOT_AFTER}(?:{POSTCODE_AREAS})\d[A-Z\d]?\s\d[ABD-HJLNP-UW-Z]{{2}}{NOT_BEFORE}",
        0.85,
        shaped(r"[0-9](?<=[A-Z\d]\s\d)[A-Z]"),
        cased=True,
    ),
    pii(  # in lower case it looks like a dose: "b12 5ug"
        "postcode",
        rf"{NOT_AFTER}(?:{POSTCODE_AREAS.lower()})\d[a-z\d]?\s\d[abd-hjlnp-uw-z]{{2}}{NOT_BEFORE}",
        0.4,
        shaped(r"[0-9](?<=[a-z\d]\s\d)[a-z]"),
        near=near(
            "street|road|lane|avenue|drive|close|crescent|way|hill|court|flat|address|lives?|moved",
            0.7,
        ),
    ),
    pii(
        "postcode",
        rf"{NOT_AFTER}(?:{_STATES})\.?,?\s(?P<id>\d{{5}}(?:-\d{{4}})?){NOT_BEFORE}",
        0.8,
        shaped(r"[0-9](?<=\s\d)\d{4}"),
        cased=True,
    ),
    pii(
        "postcode",
        rf"{NOT_AFTER}(?:post\s?code|zip(?:\scode)?){_TO}"
        rf"(?P<id>[a-z]{{1,2}}\d[a-z\d]?\s?\d[a-z]{{2}}|\d{{5}}(?:-\d{{4}})?){NOT_BEFORE}",
        0.85,
        has("post", "zip"),
    ),
)

_TITLE = (
    r"[MDPRmdp](?<![^\W_][\s\S])(?:(?<=M)(?:rs?|RS|s|iss|ISS|x)|(?<=D)[rR]|(?<=P)(?:rof|ROF)(?:essor)?|"
    r"(?<=R)ev|(?<=m)rs?|(?<=d)r|(?<=p)rof(?:essor)?)(?:\.\s?|\s)"
)
_NAME = (
    r"(?!(?:Dr|Prof|Flat|Apartment|Apt|Suite|Unit)\b)(?:[A-Z]['’])?[^\W\d_a-z][^\W\d_]{1,30}"
    r"(?:-[^\W\d_]{1,30})?"
)
_PARTICLE = r"(?:van|von|der|den|de|da|di|du|la|le|bin|al|el)"

_PEOPLE = (
    pii(
        "person",
        rf"{_TITLE}(?P<id>(?:[A-Z]\.?\s){{0,3}}(?:{_PARTICLE} ){{0,2}}{_NAME}"
        rf"(?: (?:[A-Z]\.? |{_PARTICLE} ){{0,2}}{_NAME}){{0,2}})",
        0.85,
        shaped(r"[MDPRmdp](?:rs?|RS?|s|iss|ISS|x|(?:rof|ROF)(?:essor)?|ev)[.\s]"),
        cased=True,
    ),
    pii(  # spelt letter by letter
        "person",
        rf"{NOT_AFTER}(?P<id>[^\W\d_](?:-[^\W\d_]){{3,40}}|[^\W\d_](?:[ ]{{1,2}}[^\W\d_]){{3,40}})"
        rf"{NOT_BEFORE}",
        0.8,
        shaped(r"[^\W\d_](?:[- ]{1,2}[^\W\d_]){3}(?![^\W_])"),
    ),
    pii(
        "date_of_birth",
        rf"{NOT_AFTER}(?:dob|d\.\s?o\.\s?b\.?|date[\s_]?of[\s_]?birth|birth[\s_]?date|birthday|born)"
        rf"(?:[.?!]\sit(?:['’]?s|\sis))?(?:\s(?:on|is|was|as)){{0,2}}[\s:=|,\-*>\"']{{0,5}}(?:the\s)?"
        rf"(?P<id>{DATE}){NOT_BEFORE}",
        0.95,
        shaped(r"dob|d\.\s?o|birth|born"),
    ),
)

IDENTIFIERS: tuple[Recogniser, ...] = (*_NUMBERS, *_CONTACTS, *_PLACES, *_PEOPLE)
