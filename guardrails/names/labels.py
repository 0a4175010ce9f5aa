"""The labels of fields in forms and heads of columns: what they say of the value, and that they are
no names themselves. In lower case, as patterns.
"""

from __future__ import annotations

import re

PERSON = (
    r"(?:(?:full|patient|client|customer|contact|preferred|maiden|former|employee|student|caller|"
    r"given|first|last|middle|family|christian|legal) )?name(?:\(s\))?|pt|patient|client|customer|"
    r"contact|caller|(?:reported|raised|opened|assigned|prepared|reviewed|checked|entered|seen|"
    r"signed|approved|written|dictated|typed|referred|requested|discussed|witnessed|taken) "
    r"(?:by|to|with)|requester|assignee|account holder|cardholder|payee|beneficiary|tenant|"
    r"landlord|"
    r"landlady|employee|(?:line )?manager|supervisor|author|reviewer|signed|signatory|witness|"
    r"next of kin|nok|(?:emergency|primary) contact|carer|caregiver|parent|guardian|mother|father|"
    r"mum|dad|spouse|partner|husband|wife|son|daughter|child|sibling|brother|sister|student|pupil|"
    r"teacher|applicant|candidate|referee|driver|passenger|guest|host|buyer|seller|attn|fao|"
    r"key ?worker|social worker|interpreter|chaperone|recipient|sender|registered keeper|claimant|"
    r"defendant|respondent|apologies|chair|known as|alias|aka|member|coach|technician|surname|"
    r"forename(?:\(s\))?|nickname|gp|consultant|doctor|surgeon|an(?:a)?esthetist|registrar|referrer|"
    r"responsible clinician|attending(?: physician)?|pcp|named nurse|dentist|midwife|therapist|"
    r"nurse|advocate|policy ?holder|resident|owner|likes to be called|goes by"
)
PLACE = (
    r"town(?:/city)?|city|place of (?:birth|death)|birthplace|born in|location|site|branch|"
    r"home town|"
    r"destination|departure|street(?: name)?|road|address(?: line \d)?|addr|"
    r"(?:home|postal|delivery|billing|shipping|current|previous|discharge|correspondence) address|"
    r"residence|premises|registered office|lives (?:at|in)|depot|venue|pick-up|scene"
)
ORGANISATION = (
    r"company(?: name)?|employer|organi[sz]ation|firm|supplier|vendor|insurer|bank|broker|"
    r"works for|employed by|place of work|contractor|sponsor|agency|merchant|payer|issuer|charity|"
    r"publisher|manufacturer|airline|hospital|facility|surgery|(?:gp )?practice|school|college|"
    r"university|pharmacy|clinic|care agency|care home|place of study"
)
_NOBODY = (
    r"age|sex|gender|ward|bed|room|bay|unit|status|priority|severity|category|department|dept|"
    r"specialty|team|role|occupation|job title|position|diagnosis|dx|pmh|presenting complaint|"
    r"reason|medications?|rx|allergies|plan|outcome|date|admitted|discharged|time|day|country|"
    r"nationality|language|religion|ethnicity|marital status|relation(?:ship)?|type|subject|source|"
    r"product|device|version|amount|currency|notes|comments|blood group|mobility|diet|smoker|"
    r"consent|triage|height|weight|shift|grade|licence|colour|make|signature|dob|d\.o\.b\.|"
    r"date of birth|mrn|hosp(?:ital)? n(?:o|umber)|nhs n(?:o|umber)|tel|telephone|mobile|phone|"
    r"e-?mail|post ?code|zip(?: code)?|ssn|iban|ip|from|to|cc|bcc|reply-to|sent|re|ref|dose|drug|"
    r"result|share|total|quantity|item|order|issue|ticket|queue|reference|fax|web|url"
)
LABEL = re.compile(
    rf"(?:(?<=\n)|(?<=[|;,/\t*\"])|(?<=[|;,/.] )|\A)(?:{PERSON}|{PLACE}|{ORGANISATION}|{_NOBODY})"
    r"(?=\s?(?:[:=|\t]|\*\*|\"\s?:|\s-\s))",
    re.IGNORECASE,
)
"""A label where a field of a form begins, or in the head of a table."""
ENDS = r"\s?(?:[:=|\t]|\*\*:?|\"\s?:|\s-\s)\s{0,2}\"?"
"""What stands between a label and its value."""
