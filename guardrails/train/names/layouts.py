"""Templates of forms, tables, headers, signatures and lists, put together from parts at random.

A form has fields that name somebody and fields that name nobody, so that its shape tells nothing.
Sentences are in `texts`; of these no two templates need be alike.
"""

from __future__ import annotations

import random

_PEOPLE = ("Name", "Full name", "Patient", "Patient name", "Pt", "Client", "Customer", "Contact",
           "Contact name", "Caller", "Reported by", "Requester", "Raised by", "Assignee",
           "Owner", "Account holder", "Cardholder", "Payee", "Tenant", "Landlord", "Employee",
           "Line manager", "Manager", "Author", "Reviewer", "Prepared by", "Checked by",
           "Entered by", "Seen by", "Signed", "Signed by", "Witness", "Next of kin", "NOK",
           "Emergency contact", "Carer", "Parent", "Guardian", "Mother", "Father", "Spouse",
           "Partner", "Child", "Student", "Teacher", "Applicant", "Candidate", "Referee",
           "Driver", "Passenger", "Guest", "Host", "Buyer", "Seller", "Attn", "FAO", "c/o",
           "Dictated by", "Typed by", "Key worker", "Social worker", "Interpreter", "Chaperone",
           "Recipient", "Sender", "Deliver to", "Registered keeper", "Claimant", "Defendant",
           "Present", "Apologies", "Chair", "Known as", "Preferred name", "Maiden name", "Alias",
           "Member", "Coach", "Technician")  # fmt: skip
_DOCTORS = ("GP", "Consultant", "Doctor", "Surgeon", "Anaesthetist", "Registrar", "Referrer",
            "Referred by", "Responsible clinician", "Attending", "Attending physician", "PCP",
            "Provider", "Named nurse", "Dentist", "Requesting clinician", "Under the care of",
            "Vet", "Midwife", "Therapist", "Nurse", "cc", "Discussed with")  # fmt: skip
_FIRSTS = ("First name", "Forename", "Given name", "Forename(s)", "Christian name", "Middle name",
           "Likes to be called", "Nickname", "First", "Sibling", "Agent")  # fmt: skip
_LASTS = ("Surname", "Last name", "Family name", "Last", "Former surname", "SURNAME")
_TOWNS = ("Town", "City", "Place of birth", "Born in", "Birthplace", "Location", "Site", "Branch",
          "Office", "From", "To", "Destination", "Departure", "Home town", "Town/City", "Area",
          "Place of death", "Venue", "Lives in", "Depot")  # fmt: skip
_STREETS = ("Street", "Street name", "Road", "Address line 1", "Pick-up", "Scene", "Seen on")
_ADDRESSES = ("Address", "Home address", "Addr", "Postal address", "Delivery address", "Bill to",
              "Ship to", "Residence", "Premises", "Registered office", "Correspondence address",
              "Lives at", "Current address", "Previous address", "Discharge address")  # fmt: skip
_FIRMS = ("Company", "Employer", "Organisation", "Organization", "Firm", "Supplier", "Vendor",
          "Client", "Insurer", "Bank", "Broker", "Works for", "Employed by", "Place of work",
          "Contractor", "Sponsor", "Agency", "Provider", "Account", "Merchant", "Payer", "Issuer",
          "Care agency", "Club", "Charity", "Publisher", "Manufacturer", "Airline")  # fmt: skip
_CLINICS = (("Hospital", "{hospital}"), ("Facility", "{hospital}"),
            ("Transferred from", "{hospital}"), ("Surgery", "{surgery}"),
            ("GP practice", "{surgery}"), ("Practice", "{surgery}"), ("School", "{school}"),
            ("College", "{school}"), ("University", "{school}"), ("Place of study", "{school}"),
            ("Pharmacy", "{org}"), ("Clinic", "{surgery}"))  # fmt: skip
_NUMBERS = (("DOB", "{dob}"), ("Date of birth", "{dob}"), ("D.O.B.", "{dob}"), ("MRN", "{mrn}"),
            ("Hospital number", "{mrn}"), ("NHS number", "{nhs}"), ("NHS No", "{nhs}"),
            ("Tel", "{phone}"), ("Telephone", "{phone}"), ("Mobile", "{phone}"),
            ("Phone", "{phone}"), ("Email", "{email}"), ("E-mail", "{email}"),
            ("Postcode", "{postcode}"), ("Zip", "{postcode}"), ("SSN", "{ssn}"),
            ("IBAN", "{iban}"), ("IP", "{ip}"))  # fmt: skip
_NOTHING = (("Age", "{age}"), ("Sex", "Male"), ("Sex", "F"), ("Gender", "Female"),
            ("Ward", "7B"), ("Ward", "Oak"), ("Bed", "12"), ("Room", "3.14"), ("Bay", "C"),
            ("Status", "Open"), ("Status", "In progress"), ("Status", "Closed"),
            ("Priority", "High"), ("Priority", "Low"), ("Severity", "Major"),
            ("Category", "Billing"), ("Category", "Access"), ("Department", "Cardiology"),
            ("Department", "Finance"), ("Specialty", "General Medicine"),
            ("Team", "Infrastructure"), ("Role", "{job}"), ("Occupation", "{job}"),
            ("Job title", "{job}"), ("Position", "Senior {job}"), ("Diagnosis", "{disease}"),
            ("Dx", "{disease}"), ("PMH", "{disease}, {disease}"),
            ("Presenting complaint", "Shortness of Breath"), ("Reason", "Follow Up"),
            ("Medication", "{drug} {dose}"), ("Rx", "{drug} {dose}"), ("Allergies", "{drug}"),
            ("Allergies", "NKDA"), ("Allergies", "None Known"), ("Plan", "Review in clinic"),
            ("Outcome", "Discharged"), ("Date", "{date}"), ("Admitted", "{date}"),
            ("Discharged", "{date}"), ("Time", "{time}"), ("Day", "{weekday}"),
            ("Country", "{country}"), ("Nationality", "{nationality}"),
            ("Language", "{language}"), ("Religion", "Christian"),
            ("Ethnicity", "Asian British"), ("Marital status", "Single"),
            ("Relationship", "Daughter"), ("Relation", "Brother"), ("Type", "Incident"),
            ("Subject", "Re: Invoice overdue"), ("Subject", "Appointment"),
            ("Source", "Web form"), ("Product", "{product}"), ("Device", "{product}"),
            ("Version", "2.4.1"), ("Plan", "Premium"), ("Amount", "45.00 GBP"),
            ("Currency", "EUR"), ("Notes", "None"), ("Comments", "Please call before delivery"),
            ("Blood group", "O Positive"), ("Mobility", "Independent"), ("Diet", "Vegetarian"),
            ("Smoker", "No"), ("Resus status", "For Full Escalation"),
            ("Infection status", "Clear"), ("Consent", "Given"),
            ("Mode of arrival", "Ambulance"), ("Triage", "Amber"), ("Height", "172 cm"),
            ("Weight", "81 kg"), ("Shift", "Night"), ("Grade", "Band 6"), ("Licence", "Full"),
            ("Colour", "Silver"), ("Make", "Ford"), ("Signature", ""))  # fmt: skip
_SEPARATORS = (": ", ": ", ": ", ":", " - ", " = ", "\t", " | ", ":  ", " : ", ", ")
_BETWEEN = ("\n", "\n", "\n", "\n", "; ", " | ", ", ", "\n\n", " / ", "  ", ". ")
_COLUMNS = (("Name", "{person}"), ("Name", "{last}, {first}"), ("First name", "{first}"),
            ("Surname", "{last}"), ("Patient", "{person}"), ("Town", "{place}"),
            ("City", "{place}"),
            ("Address", "{building} {street}, {place}"), ("Street", "{street}"),
            ("Company", "{org}"), ("Employer", "{org}"), ("Hospital", "{hospital}"),
            ("School", "{school}"), ("GP", "{titled}"), ("Consultant", "{titled}"),
            ("Manager", "{first} {last}"), ("Contact", "{first}"), ("Phone", "{phone}"),
            ("Email", "{email}"), ("DOB", "{dob}"), ("MRN", "{mrn}"), ("Age", "{age}"),
            ("Ward", "4"), ("Bed", "B2"), ("Status", "Active"), ("Role", "{job}"),
            ("Diagnosis", "{disease}"), ("Drug", "{drug}"), ("Dose", "{dose}"), ("Date", "{date}"),
            ("Time", "{time}"), ("Result", "Negative"), ("Priority", "Medium"), ("Day", "Mon"),
            ("Country", "{country}"), ("Dept", "Radiology"),
            ("Notes", "Awaiting Results"))  # fmt: skip
_NAMERS = ("{person}", "{first}", "{first} {last}", "{last}", "{titled}", "{initials}",
           "{last}, {first}")  # fmt: skip
_GREETINGS = ("Dear {titled},", "Dear {first},", "Hi {first},", "Hello {titled}", "{first},",
              "Dear {first} and {first},", "Good morning {first}", "Hi all,", "Dear Colleague,",
              "To {person}", "Dear Sir or Madam,", "Hey {first}!",
              "Dear Mr and Mrs {last}")  # fmt: skip
_CLOSINGS = ("Kind regards", "Best wishes", "Yours sincerely", "Many thanks", "Thanks", "Best",
             "Regards", "Cheers", "Sincerely", "Warm regards", "BW", "KR", "With thanks", "Love",
             "Yours faithfully", "All the best", "Thank you", "Talk soon")  # fmt: skip
_TITLES_AFTER = ("", "", "", " MD", ", RN", " FRCS", ", PhD", " BSc (Hons)", " MBE", ", LCSW")
_LINES = ("{job}", "{org}", "{hospital}", "{surgery}", "{address}", "{place}", "{phone}", "{email}",
          "T: {phone}", "M: {phone}", "E: {email}", "Customer Services", "Department of Medicine",
          "{url}", "{building} {street}", "{street}, {place}", "(he/him)", "Tel {phone}",
          "Consultant Physician", "{org} | {place}", "Senior {job}, {org}")  # fmt: skip


def layout(draw: random.Random) -> str:
    """A template with slots, of one of the kinds that forms and messages have."""
    return draw.choice((_form, _form, _form, _table, _signature, _header, _list, _row))(draw)


def _field(draw: random.Random) -> tuple[str, str]:
    """A label and the slot of its value; four in ten name nobody."""
    kind = draw.random()
    if kind < 0.24:
        slot = "{titled}" if draw.random() < 0.1 else draw.choice(("{person}",) * 3 + _NAMERS)
        return draw.choice(_PEOPLE), slot
    for share, labels, slot in (
        (0.29, _DOCTORS, draw.choice(("{titled}", "{person}", "{initials}", "{last}"))),
        (0.33, _FIRSTS, "{first}"),
        (0.37, _LASTS, "{last}"),
        (0.42, _TOWNS, "{place}"),
        (0.44, _STREETS, draw.choice(("{street}", "{building} {street}"))),
        (0.48, _ADDRESSES, draw.choice(("{address}",) * 3 + ("{building} {street}, {place}",))),
        (0.54, _FIRMS, "{org}"),
    ):
        if kind < share:
            return draw.choice(labels), slot
    return draw.choice(_CLINICS if kind < 0.58 else _NUMBERS if kind < 0.66 else _NOTHING)


def _cased(label: str, draw: random.Random) -> str:
    form = draw.random()
    if form < 0.12:
        return label.upper()
    if form < 0.2:
        return label.lower()
    return f"**{label}**" if form < 0.24 else label


def _form(draw: random.Random) -> str:
    """Label and value, the same marks between them throughout."""
    separator, between = draw.choice(_SEPARATORS), draw.choice(_BETWEEN)
    fields = [_field(draw) for _ in range(draw.randint(1, 7))]
    if draw.random() < 0.06:
        return ", ".join(f'"{label.lower()}": "{slot}"' for label, slot in fields)
    if draw.random() < 0.04:
        tags = [(label.lower().replace(" ", ""), slot) for label, slot in fields]
        return "".join(f"<{tag}>{slot}</{tag}>" for tag, slot in tags)
    return between.join(f"{_cased(label, draw)}{separator}{slot}" for label, slot in fields)


def _table(draw: random.Random) -> str:
    """A head and one to three rows, as Markdown, with tabs or commas."""
    columns = draw.sample(_COLUMNS, draw.randint(2, 5))
    form = draw.choice(("|", "|", ",", "\t", ";", " "))
    rows = [[label for label, _ in columns]] if draw.random() < 0.75 else []
    rows += [[slot for _, slot in columns]] * draw.randint(1, 3)
    if form != "|":
        return "\n".join(form.join(row) for row in rows)
    lines = [f"| {' | '.join(row)} |" for row in rows]
    if draw.random() < 0.6:
        lines.insert(1, "|" + "---|" * len(columns))
    return "\n".join(lines)


def _signature(draw: random.Random) -> str:
    closing = draw.choice(_CLOSINGS)
    name = draw.choice(("{person}", "{first} {last}", "{first}", "{initials}", "{titled}"))
    lines = draw.sample(_LINES, draw.choice((0, 0, 1, 2, 3, 4)))
    gap = draw.choice((",\n", "\n", ",\n\n", ", ", " "))
    return f"{closing}{gap}" + "\n".join([f"{name}{draw.choice(_TITLES_AFTER)}", *lines])


def _header(draw: random.Random) -> str:
    """The head of a letter or an e-mail, and how it begins."""
    who = ("{person} <{email}>", "{person}", "{last}, {first}", "{first} {last} ({org})", "{org}",
           '"{first} {last}" <{email}>', "{email}", "{first}")  # fmt: skip
    marks = draw.sample(("From", "To", "Cc", "Bcc", "Reply-To"), draw.randint(1, 3))
    lines = [f"{mark}: {draw.choice(who)}" for mark in marks]
    lines += draw.sample(("Date: {date}", "Subject: Invoice", "Subject: {first}'s results",
                          "Subject: Re: Meeting in {place}", "Sent: {weekday}",
                          "Re: {person}, {dob}", "Our ref: {mrn}"), draw.randint(0, 2))  # fmt: skip
    if draw.random() < 0.3:
        lines = draw.sample(("{person}", "{building} {street}", "{place}", "{postcode}", "{date}",
                             "{org}", "{hospital}", "{surgery}"), draw.randint(2, 5))  # fmt: skip
    return "\n".join(lines) + (f"\n\n{draw.choice(_GREETINGS)}" if draw.random() < 0.6 else "")


def _list(draw: random.Random) -> str:
    slot = draw.choice((*_NAMERS, "{place}", "{org}", "{hospital}", "{street}", "{first} ({place})",
                        "{person}, {org}", "{person} - {job}", "{org}, {place}",
                        "{first} {last}: {phone}", "{place}: {org}", "{titled} ({hospital})",
                        "{person}, {age}", "{last} {initials}",
                        "{first} and {first} {last}"))  # fmt: skip
    mark, gap = draw.choice((("- ", "\n"), ("* ", "\n"), ("", ", "), ("", "; "), ("", "\n"),
                             ("", " / "), ("", " | "), ("\u2022 ", "\n"), ("", " and "),
                             ("", " & "),
                             ("[ ] ", "\n"), ("1. ", "\n"), ("", " vs ")))  # fmt: skip
    return gap.join([mark + slot] * draw.randint(1, 5))


def _row(draw: random.Random) -> str:
    """A line of values without labels."""
    slots = ["{person}", *(slot for _, slot in draw.sample(_COLUMNS, draw.randint(1, 4)))]
    draw.shuffle(slots)
    return draw.choice((", ", " ", " | ", "\t", "; ", " - ", " / ", "\n")).join(slots)
