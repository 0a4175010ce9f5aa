"""Keys: only digests are kept, and only good ones open anything."""

from __future__ import annotations

from dataclasses import replace

import pytest

from skerry.cloud.gateway.config import Role
from skerry.cloud.gateway.errors import Refusal
from skerry.cloud.gateway.keys import KeyRing, check_role, digest, made
from tests.cloud.gateway.configured import ADMIN, OTHER, USER, configured


def _shown(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}


def test_a_made_key_is_not_in_what_is_kept() -> None:
    key, kept = made("clinic", Role.USER)
    assert key not in repr(kept)
    assert kept.digest == digest(key)
    assert KeyRing(configured(), [kept]).holder(_shown(key)).key_id == kept.id


def test_keys_of_the_file() -> None:
    ring = KeyRing(configured())
    assert ring.holder(_shown(USER)).tenant == "clinic"
    assert ring.holder(_shown(OTHER)).tenant == "other"
    check_role(ring.holder(_shown(ADMIN)), Role.OPERATOR)
    with pytest.raises(Refusal) as refused:
        check_role(ring.holder(_shown(USER)), Role.OPERATOR)
    assert refused.value.status == 403


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": ""},
        {"authorization": USER},
        {"authorization": f"Basic {USER}"},
        {"authorization": "Bearer "},
        {"authorization": f"Bearer {USER}x"},
        {"authorization": f"Bearer {digest(USER)}"},
        {"authorization": "Bearer \udcff" + "x" * 10_000},
    ],
    ids=repr,
)
def test_everything_else_is_refused(headers: dict[str, str]) -> None:
    with pytest.raises(Refusal) as refused:
        KeyRing(configured()).holder(headers)
    assert refused.value.status == 401
    assert (b"www-authenticate", b"Bearer") in refused.value.headers()


def test_revoked_keys_and_those_of_nobody_are_no_good() -> None:
    key, kept = made("clinic", Role.USER)
    for bad in (replace(kept, revoked_at=1.0), replace(kept, tenant="gone")):
        with pytest.raises(Refusal):
            KeyRing(configured(), [bad]).holder(_shown(key))
