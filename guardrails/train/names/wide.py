"""Fills templates for training with more forms than `compose`: addresses of other countries, names
of many parts, bodies and clubs.

Only training uses it, so that what tests stays what it was.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from skerry.guardrails.grounding import exact
from skerry.guardrails.train.names import abroad, numbers
from skerry.guardrails.train.names.compose import Filler, Piece
from skerry.guardrails.train.names.organisations import organisation
from skerry.guardrails.train.names.parts import Part
from skerry.guardrails.train.names.values import more

_WIDER = 0.35
_NICKNAMES = ("Tex", "Smiler", "Bobo", "Ace", "Lefty", "Junior", "Bud", "Doc", "Kit", "Moll")
_SUFFIXES = ("Jr.", "Sr.", "II", "III", "Jnr", "Esq.")
_PARTICLES = ("van", "van der", "de", "de la", "von", "di", "da", "bin", "al", "el", "ter", "die",
              "den", "du", "dos", "St", "Mac", "ibn", "ap", "op de", "zu")  # fmt: skip
_PARTS = ("North", "South", "East", "West", "Upper", "Lower", "New", "Old", "Great", "Little",
          "Port", "Lake", "Mount", "Fort", "San", "Santa", "Saint", "El", "Los", "Bad")  # fmt: skip
_ENDS = ("upon Avon", "on Sea", "by the Water", "under Lyme", "le Moor", "in Arden", "Heights",
         "am See", "an der Donau", "ob der Tauber", "bei Wien", "sur Mer", "sous Bois", "la Grande",
         "del Rio", "de la Frontera", "lès Bains", "d'Oise",
         "Park", "Beach", "Springs", "Falls", "Vale", "Bay", "Green", "Common")  # fmt: skip
_ROADS = ("Terrace", "Gardens", "Mews", "Walk", "Row", "Square", "Grove", "Rise", "View", "Parade",
          "Boulevard", "Parkway", "Highway", "Pike", "Trail", "Circle", "Plaza", "Quay", "Wharf",
          "St", "St.", "Rd", "Rd.", "Ave", "Ave.", "Blvd", "Dr", "Ln", "Ct", "Pl")  # fmt: skip
_BEFORE = ("rue", "rue de", "avenue de", "via", "Calle", "Calle de", "Plaza", "Rua", "ul.",
           "Piazza", "chemin de", "Avenida", "Jalan", "Viale")  # fmt: skip
_BODIES = ("{city} City Council", "{city} Town Hall", "{city} United", "{city} Rovers", "FC {city}",
           "{city} Symphony Orchestra", "{city} Chamber of Commerce", "{city} Police",
           "{city} Library", "{city} Water", "{city} Airport", "{city} Housing Association",
           "Diocese of {city}", "Bank of {city}", "{city} NHS Foundation Trust",
           "The {city} Gazette", "{last} Brothers", "{last} & Co", "{last}, {other} and Partners",
           "{last} Foundation", "{last} Institute", "{last} Records", "{last} Media",
           "{last} Technologies", "{last} Capital", "{last} Airlines", "The {last} Trust",
           "{last} Solicitors", "{last} Estate Agents", "{last} Publishing", "{last} Ventures",
           "{first}'s Bakery", "{first}'s Diner", "Hotel {last}", "Cafe {first}",
           "{last} Inc", "{last} Inc.", "{last} GmbH", "{last} AG", "{last} S.A.", "{last} plc",
           "{last} Corp", "{last} Corporation", "{last}-{other}", "{last} and {other}",
           "{last} Care Home", "{last} House Nursing Home", "St {first}'s Hospice",
           "{city} Eye Hospital", "{city} Urgent Care Center", "{last} Cancer Center",
           "St. {first} Medical Center", "{city} Community College", "{last} Elementary School",
           "{city} Grammar School", "{last} Nursery", "{city} Polytechnic")  # fmt: skip
_DRUGS = Path(exact.__file__).parent / "drugs.txt"
_ACRONYM = "BCDFGHKLMNPRSTVWX"


@cache
def _drugs() -> list[str]:
    return _DRUGS.read_text(encoding="utf-8").split()


@dataclass(slots=True)
class WideFiller(Filler):
    """A `Filler` that now and then takes a wider form; `part` is that of its further names."""

    part: Part = Part.WHOLE

    def slot(self, name: str) -> list[Piece]:
        wider = getattr(self, f"_wide_{name}", None)
        if wider is None or self.draw.random() > _WIDER:
            return Filler.slot(self, name)
        made: list[Piece] = wider()
        return made

    def _wide_first(self) -> list[Piece]:
        pool = more(self.part)["nicknames" if self.draw.random() < 0.4 else "firsts"]
        return [(self.draw.choice(pool), "person")]

    def _wide_last(self) -> list[Piece]:
        return [(self.draw.choice(more(self.part)["lasts"]), "person")]

    def _wide_person(self) -> list[Piece]:
        if self.draw.random() < 0.4:
            first = self._wide_first()[0][0]
            return [(f"{first} {self._wide_last()[0][0]}", "person")]
        first, last = self.draw.choice(self.values.first), self._surname()
        other = self.draw.choice(self.values.last)
        initial, second = self._letter(), self.draw.choice(self.values.first)
        forms = (
            f"{first} {last.upper()}", f"{last.upper()}, {first}", f"{last.upper()} {first}",
            f"{last} {first}", f"{last}, {first} {initial}.", f"{last}, {initial}.",
            f"{last}, {initial}", f"{last} {initial}", f"{first} {last} {other}",
            f"{first} {self.draw.choice(_PARTICLES)} {last}", f"{first} {initial} {last}",
            f'{first} "{self.draw.choice(_NICKNAMES)}" {last}', f"{first} {initial}.",
            f"{first} {last} {self.draw.choice(_SUFFIXES)}", f"{self._letter()}{initial} {last}",
            f"{self._letter()}.{initial}. {last}", f"{first}-{second} {last}",
        )  # fmt: skip
        return [(self.draw.choice(forms), "person")]

    def _wide_place(self) -> list[Piece]:
        city, form = self.draw.choice(self.values.cities), self.draw.random()
        if form < 0.4:
            return [(self.draw.choice(more(self.part)["towns"]), "place")]
        if form < 0.6:
            return [(f"{self.draw.choice(_PARTS)} {city}", "place")]
        if form < 0.8:
            return [(f"{city} {self.draw.choice(_ENDS)}", "place")]
        return [(city, "place"), (", ", ""), numbers.MAKERS["state"](self.draw)]

    def _wide_street(self) -> list[Piece]:
        return [(self._street_name(), "place")]

    def _street_name(self) -> str:
        pool = self.draw.choice((self.values.last, self.values.cities, self.values.first))
        name, form = self.draw.choice(pool), self.draw.random()
        if form < 0.3:
            return f"{name} {self.draw.choice(_ROADS)}"
        if form < 0.5:
            return f"{self.draw.choice(_PARTS)} {name} {self.draw.choice(_ROADS)}"
        if form < 0.6:
            return f"{self.draw.randint(4, 120)}th {self.draw.choice(('St', 'Street', 'Avenue'))}"
        if form < 0.75:
            return f"{self.draw.choice(_BEFORE)} {name}"
        return self.draw.choice(self.values.streets)

    def _wide_address(self) -> list[Piece]:
        town = self.draw.choice(self.values.cities)
        made = abroad.address(self.draw, self._street_name(), town)
        if self.draw.random() < 0.2:
            made += [(self.draw.choice((", ", "\n")), ""), *Filler.slot(self, "country")]
        return made

    def _wide_postcode(self) -> list[Piece]:
        return [(abroad.british(self.draw), "postcode")]

    def _wide_drug(self) -> list[Piece]:
        drug = self.draw.choice(_drugs())
        return [(drug.capitalize() if self.draw.random() < 0.4 else drug, "")]

    def _wide_org(self) -> list[Piece]:
        form = self.draw.random()
        if form < 0.08:
            size = self.draw.randint(3, 5)
            return [("".join(self.draw.choice(_ACRONYM) for _ in range(size)), "organisation")]
        if form < 0.25:
            return [(self.draw.choice(more(self.part)["organisations"]), "organisation")]
        city, first = (self.draw.choice(one) for one in (self.values.cities, self.values.first))
        if form < 0.7:
            lasts = (self._surname(), self._surname(), self._surname())
            name = organisation(self.draw, lasts, first, city)
            return [(name, "organisation")]
        name = self.draw.choice(_BODIES).format(
            city=city,
            first=first,
            last=self._surname(),
            other=self._surname(),
        )
        return [(name, "organisation")]
