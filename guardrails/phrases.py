"""The recognisers of wordings: orders to the model, and signs that a person is in danger."""

from __future__ import annotations

from skerry.guardrails.findings import FindingKind
from skerry.guardrails.recogniser import Recogniser, has, phrase
from skerry.guardrails.safety.idioms import MISHAP

_LINE = r"^[ \t>*#]{0,4}"
_SOURCES = r"(?:sources?|documents?|passages?|context)"

_ABROAD = (  # "all earlier instructions", in the larger European languages, without accents
    (
        r"(?:ignorier|vergiss|vergesst|vergessen|missacht)\w{0,4}",
        r"(?:bisherig|vorherig|vorig|fruher|vorangegangen)\w{0,2}",
        r"(?:anweisung|instruktion|vorgabe|regel)\w{0,3}",
    ),
    (
        r"(?:ignor|oubli|neglig)\w{0,4}",
        r"(?:precedent|anterieur)\w{0,2}",
        r"(?:instruction|consigne|regle|directive)s?",
    ),
    (
        r"(?:ignor|olvid)\w{0,4}",
        r"(?:anterior|previ)\w{0,3}",
        r"(?:instruccion|regla|indicacion|orden)\w{0,2}",
    ),
    (
        r"(?:ignor|dimentic)\w{0,4}",
        r"(?:precedent|anterior)\w{0,2}",
        r"(?:istruzion|regol|direttiv)\w{0,2}",
    ),
    (
        r"(?:ignor|esquec)\w{0,4}",
        r"(?:anterior|previ)\w{0,3}",
        r"(?:instruc|regra|orientac)\w{0,4}",
    ),
    (
        r"(?:negeer|vergeet)",
        r"(?:vorige|eerdere|voorgaande|vroegere)",
        r"(?:instructie|aanwijzing|regel)\w{0,2}",
    ),
)


def _ordered_abroad() -> str:
    """To ignore, and within a few words what came before and instructions, in either order."""
    gap = r"[^.\n]{0,24}?\b"
    return (
        r"\b(?:"
        + "|".join(
            rf"{ignore}\b{gap}(?:{before}\b{gap}{rules}|{rules}\b{gap}{before})\b"
            for ignore, before, rules in _ABROAD
        )
        + ")"
    )


_STANDING = (  # no instructions of a leaflet, which a patient may well disregard
    r"(?:previous|prior|above|earlier|preceding|former|foregoing|past|old|all|any|every|your|its|"
    r"system|initial|original|current|existing|given|safety|developer(?:['’]?s)?|hidden|these|"
    r"those|other)"
)

_INJECTIONS = (
    phrase(
        FindingKind.INJECTION,
        "override",
        _ordered_abroad(),
        0.9,
        has("ignor", "oubli", "neglig", "olvid", "verg", "missacht", "dimentic", "esque", "negeer"),
    ),
    phrase(
        FindingKind.INJECTION,
        "override",
        rf"\b(?:ignore|disregard|forget|override)(?:\b[^.\n]{{0,24}}\b{_STANDING}\b[^.\n]{{0,24}}\b|"
        r"\s(?:the\s)?)(?:instructions?|prompts?|rules|guidelines)\b",
        0.9,
        has("ignore", "disregard", "forget", "override"),
    ),
    phrase(
        FindingKind.INJECTION,
        "role_play",
        r"\byou are (?:now|no longer)\b[^.\n]{0,40}"
        r"\b(?:dan|unrestricted|jailbroken|bound|an? ai without)\b",
        0.85,
        has("you are no"),
    ),
    phrase(
        FindingKind.INJECTION,
        "prompt_extraction",
        r"\b(?:reveal|print|repeat|show)\b[^.\n]{0,30}"
        r"\b(?:system|hidden|initial) (?:prompt|instructions?)\b",
        0.9,
        has(" prompt", " instruction"),
    ),
    phrase(
        FindingKind.INJECTION,
        "control_token",
        r"<\|(?:im_start|im_end|system|endoftext|eot_id)\|>",
        1.0,
        has("<|"),
    ),
    phrase(  # a line that passes for the header that the prompt gives each source
        FindingKind.INJECTION,
        "forged_source",
        rf"{_LINE}\[\d{{1,3}}\][ \t][^\n]{{1,200}}"
        r"\((?:version\b[^\n)]{0,80}\)|\d{4}-\d\d-\d\d\)[ \t]?$)",
        0.9,
        has("]"),
    ),
    phrase(
        FindingKind.INJECTION,
        "forged_source",
        rf"\b(?:ignore|disregard|override)\b[^.\n]{{0,30}}\b(?:(?:above|previous|prior|other|"
        rf"earlier|preceding)\s(?:\w{{1,20}}\s)?{_SOURCES}|{_SOURCES}\s(?:\w{{1,20}}\s){{0,2}}"
        r"(?:above|below|before))\b",
        0.9,
        has("ignore", "disregard", "override"),
    ),
    phrase(
        FindingKind.INJECTION,
        "forged_source",
        rf"{_LINE}sources?[ \t]?:[ \t]{{0,2}}official\b"
        r"(?!\s(?:data|figures|gazette|journal|statistics))",
        0.9,
        has("official"),
    ),
)

_DEADLY = (
    r"\b(?:how (?:much|many)|what|which|lethal|fatal|deadly)\b[^.?!\n]{0,60}\bkill "
    r"(?:me|him|her|them|some(?:one|body)|an? (?:adult|person|human|man|woman|child|patient))\b"
)
_MISSED = (
    r"\b(?:would|will) (?:any(?:one|body)|people) (?:even )?(?:notice|care|miss me) "
    r"if i (?:were|was|am) (?:gone|dead)\b"
)
_SHORTHAND = (  # "kms": kill myself, and kilometres after a number
    r"(?<!\d)(?<!\d )\bkms (?:tonight|now|today|lol|tbh)\b|"
    r"\b(?:gonna|going to|wanna|want to|just|will) kms\b"
)
_FAREWELL = (  # not "my last night in the hotel", nor "my last night shift"
    r"\b(?:tonight|this) (?:is|will be|['’]s) (?:going to be )?my (?:very )?last "
    r"(?:night|evening)(?: alive| on (?:this )?earth| with you(?: all)?)?\s{0,3}(?:[.!,;…]|$)|"
    r"\bmy last (?:day|night|hours?) (?:alive|on (?:this )?earth)\b|"
    r"\b(?:i|i['’]ve|i have|i['’]m|my)\b[^.?!\n]{0,40}\b(?:goodbye|farewell|suicide) "
    r"(?:letter|note|video|message)s?\b(?! (?:to|for) (?:a|my|our|the) (?:colleague|team|customer))"
)
_TO_DEATH = (
    r"\b(?:i|myself)\b[^.?!\n]{0,20}\b(?:bleed|starve|freeze|drink|drug|jump|burn)(?:ing)? "
    r"(?:myself )?to (?:my )?death\b"
)
_WITH_BLOOD = (
    r"\b(?:will|shall|must|should|gonna|going to|['’]ll|make \w{1,20}) pay\b[^.?!\n]{0,30}"
    r"\bwith (?:blood|(?:his|her|their|your) (?:own )?(?:blood|li(?:fe|ves)))\b"
)
_BOMB = (  # no bath bombs
    r"\b(?:make|build|assemble|construct|mix)(?:ing)? (?:an? |some )?(?:home-?made |pipe |petrol "
    r"|nail |"
    r"fertili[sz]er )?(?:bombs?|explosives?|molotovs?|grenades?)\b(?! (?:threats?|shelters?|drill))"
)
_NEVER_WAKES = (
    r"\bso (?:that )?(?:he|she|they|someone|somebody) (?:never|won['’]t|does ?n['’]t|will not|does "
    r"not) (?:ever )?wakes? up\b"
)
_HAVE = (
    r"\b(?:i|we)(?:['’]ve| have| got| have got| carry| bring| brought| bought|['’]m here with|"
    r" am here with)\b(?! (?:no|not|never|run)\b)[^.?!\n]{0,40}\b"
)
_ARMED = (  # what kills, and whom or what it is brought to
    rf"{_HAVE}(?:(?:petrol|gasoline|paraffin|kerosene|lighter fluid|fuel)\b[^.?!\n]{{0,20}}\b"
    r"(?:matches|lighter|rags?|torch)|(?:gun|pistol|rifle|shotgun|machete|axe|bomb|grenade|"
    r"explosives|molotovs?))\b[^.?!\n]{0,40}\b(?:outside|in front of|waiting for|on my way to|"
    r"near (?:his|her|their|your))\b"
)
_DOSE = (
    r"(?:doses?|insulin|medicines?|medications?|meds|pills?|tablets?|capsules?|painkillers|"
    r"paracetamols?|ibuprofens?|aspirins?|morphine|warfarin|methadone|fentanyl)"
)
_TOO_MUCH = (
    r"(?:too (?:many|much)|double|twice|triple|"
    r"(?:two|three|four|five|ten|\d{1,3}) times (?:the|my|his|her|their|as|what|more))"
)
_OVERDOSE = (
    r"\b(?:i|he|she|they|we|my [a-z]{2,12})(?: have| has|['’]ve|['’]s)?(?: just| accidentally)? "
    r"(?:took|taken|swallowed|injected|gave|given|drank)(?: [\w'’]{1,20}){0,3} "
    rf"{_TOO_MUCH}(?: [\w'’]{{1,20}}){{0,3}} {_DOSE}\b"
)
_SOMEONES = r"(?:my|his|her|their|our|the|an?|some(?:one|body)['’]s)"

_DANGERS = (
    phrase(
        FindingKind.SAFETY,
        "self_harm",
        r"\b(?:kill(?:ing)? myself|end my (?:own )?life|want to die|suicidal|"
        rf"hurt(?:ing)? myself(?!{MISHAP})|(?:hang|drown|shoot|stab|strangle|suffocate|"
        rf"asphyxiate|electrocute|"
        r"poison|smother)(?:ing)? myself|"
        r"(?:cut|slit|slash)(?:t?ing)? my (?:wrists|throat|veins))\b",
        0.95,
        has("myself", "end my", "want to die", "suicidal", " my wrists", " my throat", " my veins"),
    ),
    phrase(
        FindingKind.SAFETY,
        "self_harm",
        rf"{_DEADLY}|{_MISSED}|{_SHORTHAND}|{_FAREWELL}|{_TO_DEATH}",
        0.9,
        has(
            "kill ",
            "if i w",
            "if i am ",
            "kms",
            "my last",
            "my very last",
            "goodbye ",
            "farewell ",
            "suicide ",
            " death",
        ),
    ),
    phrase(
        FindingKind.SAFETY,
        "violence",
        rf"{_WITH_BLOOD}|{_ARMED}|{_BOMB}|{_NEVER_WAKES}",
        0.9,
        has(
            "bomb",
            "explosive",
            "molotov",
            "grenade",
            "wake up",
            "wakes up",
            "pay",
            "outside",
            "in front of",
            "waiting for",
            "on my way to",
            "near ",
        ),
    ),
    phrase(
        FindingKind.SAFETY,
        "clinical_red_flag",
        _OVERDOSE,
        0.9,
        has("too m", "double", "twice", "triple", " times"),
    ),
    phrase(
        FindingKind.SAFETY,
        "violence",
        rf"\bset(?:ting)? fire to {_SOMEONES}\b[^.?!\n]{{0,30}}\b(?:house|home|flat|car|shop|"
        r"office|school|church|mosque|synagogue|building|hotel|barn|person|man|woman|neighbou?r|"
        r"ex|boss|"
        r"depot|ward|clinic)\b",
        0.9,
        has("fire to "),
    ),
    phrase(
        FindingKind.SAFETY,
        "clinical_red_flag",
        r"\b(?:i|he|she|they|we|my [a-z]{2,12})\b[^.\n]{0,60}\b(?:took too many (?:pills|tablets)|"
        r"overdosed|can['’]?t breathe|(?:is|are|am|['’]m|['’]s) not breathing|unconscious)\b",
        0.9,
        has("took too many", "overdosed", "breath", "unconscious"),
    ),
)

PHRASES: tuple[Recogniser, ...] = (*_INJECTIONS, *_DANGERS)
