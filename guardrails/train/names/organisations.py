"""Names of organisations as they are made: after people, places, things, and after nothing.

Only training uses them.
"""

from __future__ import annotations

import random
from collections.abc import Callable

_STARTS = ("ac", "al", "am", "ar", "be", "bri", "ca", "cel", "co", "cy", "da", "del", "do", "el",
           "en", "ev", "fi", "fo", "ga", "gen", "ha", "hy", "in", "ju", "ka", "ki", "la", "li",
           "lu", "ma", "mo", "na", "no", "nu", "o", "or", "pa", "pri", "qua", "ra", "ri", "sa",
           "si", "so", "sy", "ta", "te", "tri", "u", "va", "ve", "vi", "wi", "xe", "ya",
           "zo")  # fmt: skip
_MIDDLES = ("ba", "ci", "da", "di", "fi", "go", "li", "lo", "ma", "mi", "na", "ni", "ra", "ri",
            "sa", "ta", "ti", "va", "vi", "zo", "")  # fmt: skip
_ENDS = ("co", "con", "dex", "dia", "do", "fy", "go", "ia", "ion", "is", "ix", "lon", "ly", "max",
         "na", "nix", "nor", "on", "ora", "plex", "ra", "ria", "sys", "tech", "ta", "tis", "tra",
         "um", "us", "va", "via", "vo", "x", "zen", "zo")  # fmt: skip
_THINGS = ("Apex", "Anchor", "Arrow", "Atlas", "Beacon", "Birch", "Blue", "Bluebird", "Bright",
           "Bridge", "Brook", "Cedar", "Citadel", "Clear", "Copper", "Coral", "Corner", "Crown",
           "Crystal", "Delta", "Eagle", "Elm", "Ember", "Evergreen", "Falcon", "First", "Fountain",
           "Garden", "Golden", "Granite", "Green", "Harbour", "Haven", "Horizon", "Iron", "Ivy",
           "Juniper", "Lantern", "Laurel", "Lighthouse", "Linden", "Lotus", "Maple", "Meadow",
           "Merlin", "Mountain", "Nimbus", "North", "Oak", "Ocean", "Olive", "Orchard", "Otter",
           "Peak", "Phoenix", "Pine", "Pioneer", "Prime", "Red", "Ridge", "River", "Rose", "Royal",
           "Sage", "Silver", "South", "Spring", "Star", "Stone", "Summit", "Sun", "Swan", "Thistle",
           "Tide", "Topaz", "True", "Twin", "United", "Valley", "Vertex", "Vine", "West", "Willow",
           "Wren", "Yellow", "Zenith")  # fmt: skip
_LINES = ("Bakery", "Bank", "Books", "Builders", "Cafe", "Capital", "Care", "Catering", "Centre",
          "Clinic", "Coffee", "Collective", "Communications", "Construction", "Credit Union",
          "Dairy", "Deli", "Dental", "Design", "Diner", "Electrical", "Energy", "Engineering",
          "Estates", "Fabrics", "Farm", "Finance", "Fitness", "Foods", "Freight", "Games", "Garage",
          "Gym", "Hardware", "Health", "Home", "Homecare", "Homes", "Hotel", "Housing", "Inn",
          "Insurance", "Kitchen", "Labs", "Laundry", "Legal", "Lettings", "Lodge", "Logistics",
          "Markets", "Media", "Mobility", "Mortgages", "Motors", "Networks", "Nursery",
          "Nursing Home", "Opticians", "Partners", "Pharmacy", "Physio", "Plumbing", "Power",
          "Press", "Properties", "Recruitment", "Removals", "Residential Home", "Restaurant",
          "Roofing", "Savings", "School", "Security", "Services", "Software", "Solutions",
          "Sports Club", "Stores", "Studios", "Supplies", "Surgery", "Systems", "Taxis", "Theatre",
          "Therapeutics", "Tools", "Toys", "Transport", "Travel", "Trust", "Utilities",
          "Ventures", "Veterinary Practice", "Wines", "Works")  # fmt: skip
_ANIMALS = (
    "Lion",
    "Swan",
    "Bull",
    "Fox",
    "Horse",
    "Bear",
    "Hart",
    "Cow",
    "Dragon",
    "Stag",
    "Eagle",
)
_COLOURS = ("Red", "White", "Black", "Golden", "Green", "Blue", "Flying", "Old")
_CAUSES = ("Hope", "Faith", "Grace", "Helping Hands", "Open Door", "New Start", "Young Minds",
           "Safe Haven", "Bright Futures", "Kind Hearts", "Second Chance", "Friends of the Forest",
           "Feed the City", "Warm Homes", "Good Neighbours", "Little Acorns", "Busy Bees",
           "Tiny Steps", "Rainbow", "Sunflower", "Butterfly", "Teddy Bears")  # fmt: skip
_BODIES = ("Foundation", "Trust", "Fund", "Project", "Charity", "Day Nursery", "Preschool",
           "Hospice", "Society", "Association", "Network", "Alliance", "Centre", "Group", "Club",
           "")  # fmt: skip
_OF_PLACES = ("{} Council", "{} County Council", "{} Borough Council", "{} Fire Service",
              "{} Press", "{} Rugby Club", "{} Cricket Club", "{} Town", "{} City",
              "{} Athletic", "{} Wanderers", "{} Harriers", "{} Baptist Church", "{} Mosque",
              "{} Synagogue", "{} Museum", "{} Theatre", "{} Job Centre", "{} Food Bank",
              "{} Water Board", "{} Railways", "{} Building Society", "{} Post",
              "{} Evening News", "{} Radio", "{} Hospitals Trust", "{} Walk-in Centre",
              "{} Minor Injuries Unit", "{} Community Hospital", "{} Infirmary",
              "{} Children's Hospital", "{} Sixth Form", "{} Infant School", "{} Prep",
              "{} Business School", "{} Institute of Technology", "{} State",
              "{} State University", "{} Law School", "{} High", "{} County Court",
              "{} Magistrates' Court", "{} Prison", "HMP {}", "Port of {}", "Visit {}",
              "{} Pride", "{} Arts Festival", "Radio {}", "University Hospital {}",
              "University Hospitals of {}", "NHS {}", "{} and District Hospital",
              "Greater {} Ambulance Service")  # fmt: skip
_OF_PEOPLE = ("{}", "{}'s", "{} Associates", "{} Bros", "{} Bros.", "{} & Daughters",
              "{} & Sons", "{} Builders", "{} Funeral Directors", "{} Opticians", "{} Chemist",
              "{} Pharmacy", "{} Bakers", "{} Butchers", "{} Motors", "{} Legal", "{} Law",
              "{} Dental", "{} House", "{} Lodge", "{} Court Care Home", "{} Manor", "{} Hall",
              "{} College", "{} Centre", "{} Unit", "{} Wing", "{} Library",
              "{} School of Dance", "{} Driving School", "{} Removals", "{} Scaffolding",
              "{} Electrical", "{} Wealth Management", "{} Hotels", "{} Breweries", "{} Ales",
              "{} Toys", "{} Shoes", "{} Farms", "{} Stores", "{} Gallery", "The {} Arms",
              "The {} Clinic", "The {} Institute", "The {} Centre", "The {} Group",
              "The {} Partnership", "St {}'s", "St {}'s Church", "St. {}'s School",
              "St {}'s Primary", "Our Lady of {}", "St {}'s RC Primary School", "Maison {}",
              "Casa {}", "Chez {}", "Trattoria {}", "Gasthof {}", "{} International",
              "{} Worldwide", "{} Global", "{} Pharmaceuticals", "{} Biotech", "{} Instruments",
              "{} Laboratories")  # fmt: skip
_SUFFIXES = ("Soft", "Care", "Med", "Pay", "Tech", "Works", " AI", " Bio", " Pharma", " Digital",
             ".io", ".com", " One", " 24", "Hub", "Link", "Cloud", "Bank")  # fmt: skip
_LONGEST_ACRONYM = 6
_LEGAL = ("", "", "", "", "", "", " Ltd", " Limited", " PLC", " Inc", " LLC", " Co", " & Co",
          " LLP", " CIC", " BV", " SA", " AB", " Pty Ltd", " Oy", " SpA", " Corp.",
          " Company")  # fmt: skip


def coined(draw: random.Random) -> str:
    """A word that is none: "Zentrix"."""
    middle = draw.choice(_MIDDLES) if draw.random() < 0.5 else ""
    word = draw.choice(_STARTS) + middle + draw.choice(_ENDS)
    form = draw.random()
    if form < 0.75:
        return word.capitalize()
    if form < 0.8 and len(word) < _LONGEST_ACRONYM:
        return word.upper()
    return f"{word.capitalize()}{draw.choice(_SUFFIXES)}"


def organisation(draw: random.Random, lasts: tuple[str, str, str], first: str, city: str) -> str:
    """A name of some organisation, with the parts that a text's values give."""
    last, other, third = lasts
    makers: tuple[Callable[[], str], ...] = (
        lambda: coined(draw),
        lambda: f"{coined(draw)} {draw.choice(_LINES)}",
        lambda: f"{draw.choice(_THINGS)} {draw.choice(_LINES)}",
        lambda: f"{draw.choice(_THINGS)}{draw.choice(_THINGS).lower()} {draw.choice(_LINES)}",
        lambda: f"{draw.choice(_THINGS)} {draw.choice(_THINGS)} {draw.choice(_LINES)}",
        lambda: f"The {draw.choice(_COLOURS)} {draw.choice(_ANIMALS)}",
        lambda: f"{draw.choice(_CAUSES)} {draw.choice(_BODIES)}".strip(),
        lambda: draw.choice(_OF_PLACES).format(city),
        lambda: draw.choice(_OF_PLACES).format(city),
        lambda: draw.choice(_OF_PEOPLE).format(draw.choice((last, last, first))),
        lambda: draw.choice(_OF_PEOPLE).format(last),
        lambda: f"{draw.choice((last, city))} {draw.choice(_LINES)}",
        lambda: f"{city} {draw.choice(_LINES)}",
        lambda: f"{last}, {other} and {third}",
        lambda: f"{last}{draw.choice((' & ', ' and ', '-'))}{other}",
    )  # fmt: skip
    name = draw.choice(makers)()
    return name + draw.choice(_LEGAL)
