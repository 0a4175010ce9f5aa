"""The recognisers of keys and tokens by their own form: what a service puts before, and how long.

The forms are those that the services publish and that gitleaks and detect-secrets look for.
"""

from __future__ import annotations

from skerry.guardrails.numbers import NOT_BEFORE
from skerry.guardrails.recogniser import FIRST, Recogniser, has, pii, shaped, words

_WITH_A_DIGIT = r"(?=[^\d\s]{0,60}\d)"
_REST = rf"{_WITH_A_DIGIT}[a-z\d_\-]{{16,255}}"

_BEFORE_MANY = (
    r"sk-", r"sk_(?:live|test|prod)_", r"rk_(?:live|test|prod)_", r"whsec_", r"gh[opsur]_",
    r"github_pat_", r"gl(?:pat|ptt|rt|dt|ft|agent|cbt|oas|soat)-", r"xox[a-z](?:\.xox[a-z])?-",
    r"xapp-", r"hf_", r"npm_", r"pypi-", r"rubygems_", r"gocspx-", r"d(?:op|oo|or)_v1_",
    r"shp(?:at|ca|pa|ss)_", r"sq0[a-z]{3}-", r"lin_api_", r"gl(?:sa|c)_", r"xkeysib-",
    r"sntry[su]_", r"pscale_[a-z]{2,6}_", r"pmak-", r"nrak-", r"r8_", r"gsk_", r"pplx-",
    r"nvapi-", r"sbp_", r"atatt3x", r"dapi", r"tfp_", r"duffel_(?:test|live)_",
    r"shippo_(?:test|live)_", r"flwseck_test-", r"pul-", r"pnu_", r"hvs\.", r"hvb\.",
    r"dp\.pt\.", r"dt0c01\.", r"age-secret-key-1", r"ops_eyj", r"absk", r"rdme_",
)  # fmt: skip
_LONG_WITH_A_DIGIT = shaped(r"[0-9](?:(?<=[a-z_\-.~]{9}[0-9])|(?<=[a-z_\-.~][0-9])(?=[\w\-.~]{9}))")
"""The first digit of a key of 19 characters or more has nine others before or after it."""

TOKENS: tuple[Recogniser, ...] = (
    pii("api_key", rf"{words(*_BEFORE_MANY)}{_REST}", 1.0, _LONG_WITH_A_DIGIT),
    pii(
        "api_key",
        words(
            r"ya29\.[\w\-]{20,2048}",  # Google
            rf"ntn_\d{{11}}[a-z\d]{{35}}{NOT_BEFORE}",  # Notion
            rf"sk(?=[a-f]{{0,31}}\d)[\da-f]{{32}}{NOT_BEFORE}",  # Twilio
            rf"key-(?=[a-f]{{0,31}}\d)[\da-f]{{32}}{NOT_BEFORE}",  # Mailgun
            r"sha256~[\w\-]{43}",  # OpenShift
        ),
        1.0,
        _LONG_WITH_A_DIGIT,
    ),
    pii(  # may have no digit
        "api_key",
        words(
            rf"hf_[a-z\d]{{30,64}}{NOT_BEFORE}",  # Hugging Face
            rf"api_org_[a-z\d]{{30,64}}{NOT_BEFORE}",
            rf"a(?:k|s|b)ia[a-z\d]{{16}}{NOT_BEFORE}",  # AWS
            r"aiza[\w\-]{35}",  # Google
            r"sg\.[\w\-]{16,32}\.[\w\-]{16,64}",  # SendGrid
        ),
        1.0,
        has("hf_", "api_org_", "akia", "asia", "abia", "aiza", "sg."),
    ),
    pii(  # Mailchimp
        "api_key",
        rf"[0-9a-f]{FIRST}[\da-f]{{31}}-us\d{{1,2}}{NOT_BEFORE}",
        1.0,
        has("-us"),
    ),
    pii(  # Telegram
        "api_key",
        rf"[0-9]{FIRST}\d{{7,9}}:aa[\w\-]{{33}}{NOT_BEFORE}",
        1.0,
        has(":aa"),
    ),
    pii(  # a signature that opens a link: Azure, AWS
        "api_key",
        r"[?&](?:sig|x-amz-signature)=(?P<id>[\w%+/\-]{20,256})",
        1.0,
        has("sig=", "signature="),
    ),
    pii(
        "bearer_token",
        r"e(?<![\w.\-][\s\S])yj[\w\-]{8,4096}\.eyj[\w\-]{8,4096}\.[\w\-]{0,1024}",  # RFC 7519
        1.0,
        has("eyj"),
    ),
    pii(
        "private_key",  # RFC 7468, RFC 4880, RFC 4716
        r"-{4,5} ?begin [a-z\d ]{0,40}private key(?: block)? ?-{4,5}"
        r"(?:[a-z0-9+/=\s:,.()\\]|-(?!-)){0,16384}"
        r"(?:-{4,5} ?end [a-z\d ]{0,40}private key(?: block)? ?-{4,5})?",
        1.0,
        has("private key"),
    ),
)  # fmt: skip
