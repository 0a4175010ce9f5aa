"""Texts on which tokenizers part ways: code, numbers, accents, scripts, emoji, runs of blanks."""

from __future__ import annotations

_RUNS = tuple(
    f"a{blank * length}b{blank * length}\n{blank * length}"
    for blank in (" ", "\t", "\n", "\r\n", " \n", "\u00a0", "\u3000")
    for length in (1, 2, 3, 4, 5, 7, 8, 12, 16, 33)
)
_NUMBERS = tuple("1234567890123"[:length] for length in range(1, 14))

TEXTS = (
    "The emergency trolley is checked every day before 09:00, and again after each use.",
    " leading and trailing ",
    "",
    " ",
    "I'm, you're, he'd, she'll, we've, it's, DON'T, I'M, WE'LL, 'tis, rock'n'roll, O'Brien's",
    "3.14159, 1,000,000.00, -273.15°C, 1e-10, 0x7fff, 50%, ½, ², Ⅷ, ①, ٣, १२३",
    "2026-11-28T16:30:58Z +49 (0)30 12345-678 192.168.0.1 ::1 v1.2.3-rc.4",
    *_NUMBERS,
    "def f(x: int) -> str:\n    if x<9 and x!=3:\n\t\treturn f'{x:>4}'\n    # y\n\n\n    return ''",
    "for (int i=0;i<n;++i){a[i]+=b[i]*c;} /* x */ // y\n#include <stdio.h>\nint main(void);",
    '{"a": [1, 2.5, null, true], "b": {"c": "d\\n\\u00e9"}, "e": ""}',
    "<div class=\"x\"><a href='https://example.org/?q=1&r=2#s'>link</a></div><!-- c -->",
    "SELECT * FROM t WHERE a >= 1 AND b LIKE '%x_%' ORDER BY c DESC;",
    "$ ls -la ~/.config | grep -v '^d' && echo \"$HOME\" > /dev/null 2>&1",
    "# Title\n\n- item *one*\n- **two**\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```sh\nmake\n```\n",
    "naïve café Ångström façade coöperate Łódź Đặng Øre þorn ßtraße İstanbul ĳ œuvre",
    "cafe\u0301 n\u0303 a\u030a o\u0308\u0304 \u1e69 s\u0323\u0307",
    "Привет, как дела? Съешь ещё этих мягких французских булок.",
    "Γειά σου Κόσμε· ψυχή, Ἀθῆναι",
    "שלום עולם, מה שלומך? مرحبا بالعالم، كيف حالك؟ ۱۲۳",
    "नमस्ते दुनिया। ক্ষেত্র தமிழ் ภาษาไทย ລາວ မြန်မာ ខ្មែរ",
    "你好，世界！今天天气怎么样？我想在apple工作1314151天～",
    "こんにちは世界。カタカナ、ひらがな、ｶﾅ、漢字。東京都",
    "안녕하세요 세계, ㄱㄴㄷ 한국어",
    "🙂🚀👩‍👩‍👧‍👦🏳️‍🌈👍🏽🇩🇪 ✅ ☂️ ♥ 🦙🦙 text🦙text",
    "∑ᵢ xᵢ² ≤ ∞ ⇒ ∀ε>0 ∃δ: |f(x)−f(y)|<ε; 𝒜 𝔹 𝟙; π≈3",
    "“quoted” ‘single’ «guillemets» „unten“ – en — em … ellipsis • bullet · dot",
    "!!! ??? ... ---- ==== ____ **** //// \\\\\\\\ #### @@@@ ~~~~ ^^^^ ||||",
    "a.b,c;d:e!f?g(h)i[j]k{l}m<n>o/p\\q|r-s_t=u+v*w&x^y%z$#@~`",
    "camelCase PascalCase snake_case kebab-case SCREAMING_CASE iPhone15Pro x86_64 H2O",
    "WORD word Word wOrD WORDword wordWORD ABCdefGHI",
    "supercalifragilisticexpialidocious antidisestablishmentarianism Donaudampfschifffahrt",
    "\u200bzero\u200dwidth\ufeff joiner\u2060 soft\u00adhyphen \u2028line\u2029par",
    "\x00\x01\x02\x1b[31mred\x1b[0m\x7f\x80\x9f",
    "\U000e0001\U0010ffff \ue000 \ufffd",
    "tab\tseparated\tvalues\t\tdouble\n\tindented\n \t mixed \t \n",
    "line one\nline two\r\nline three\rline four\n\n\n\nline eight   \n   line nine",
    *_RUNS,
    "(multiple   spaces)   inside    parentheses     and before punctuation   , . ; !",
    "x = 1    # four\nx  = 22   # three\nx   = 333  # two\n",
    "user@example.org wrote: > quoted\n>> twice quoted\n-- \nsignature",
    "the the the THE The tHe " * 8,
)  # fmt: skip
