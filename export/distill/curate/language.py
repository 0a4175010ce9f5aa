"""In which language a text is, by its commonest words. Pure, small, and often without an answer.

Good enough to see that a teacher fell into another language; where there is little to go by, or two
languages are near, it says nothing.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from functools import lru_cache

_WORDS = {
    "English": """the of and to in is that it for was on are with as be this have from or by not you
        what which how when where can does""",
    "German": """der die das und ist nicht ein eine zu den mit von auf für sich dem im es wie was
        wird sind oder auch wann kann""",
    "French": """le la les des et est une un pas dans pour que qui sur avec ce il elle sont ou au du
        comment quand peut""",
    "Spanish": """el la los las y es una un no en para que por con se del como son al cuando puede
        su más pero""",
    "Italian": """il la gli le e è una un non in per che con si del come sono al della quando può
        più anche nel""",
    "Portuguese": """o a os as e é uma um não em para que por com se do da como são ao quando pode
        mais mas""",
    "Dutch": """de het een en is niet van in op te dat die met voor zijn er aan om bij ook hoe
        wanneer kan wordt""",
}
_SETS = {name: frozenset(words.split()) for name, words in _WORDS.items()}
_WORD = re.compile(r"[^\W\d_]+")
_FEWEST, _AHEAD = 4, 1.8


def language_of(text: str) -> str:
    """The language's name; empty where it is not clear."""
    words = [word.lower() for word in _WORD.findall(text)]
    counts = Counter({name: sum(word in known for word in words) for name, known in _SETS.items()})
    (best, most), (_, second) = counts.most_common(2)
    clear = most >= _FEWEST and most >= _AHEAD * second and most >= 0.12 * len(words)
    return best if clear else ""


def script_of(text: str) -> str:
    """The script of most letters, such as LATIN or CYRILLIC; empty for fewer than four letters."""
    counts = Counter(_script(one) for one in text if one.isalpha())
    if sum(counts.values()) < 4:
        return ""
    script, most = counts.most_common(1)[0]
    return script if most > 0.6 * sum(counts.values()) else ""


@lru_cache(maxsize=4096)
def _script(letter: str) -> str:
    """The first word of its Unicode name; the scripts of Japanese and Chinese count as one."""
    name = unicodedata.name(letter, "").split(" ")[0]
    return "CJK" if name in {"HIRAGANA", "KATAKANA", "CJK", "HANGUL"} else name
